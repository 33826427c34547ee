package relay

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// world is a naive judge of relay. It gives relay random inputs, keeps every question
// open as long as it likes, and remembers which peer was told what.
type world struct {
	r    *steptest.Rig
	draw func(n int) int // 0 <= draw(n) < n

	best  []chain.BlockConnected // the best chain
	salt  byte
	next  actor.ID
	peers []actor.ID       // that are ready
	doing []open           // questions without an answer
	late  []steptest.Asked // reads that timed out, whose slots are still taken

	told   map[actor.ID]map[chainhash.Hash]bool // by us
	shown  map[actor.ID]map[chainhash.Hash]bool // to us
	asked  map[actor.ID]int                     // items of getdata
	got    map[actor.ID]int                     // blocks and notfound items
	seen   map[wire.Message]bool
	leaves map[actor.ID]bool
	txs    txWorld
}

// worldBounds has bounds so small that each of them is met.
func worldBounds() Bounds {
	cfg := DefaultBounds()
	cfg.MaxAnnounce, cfg.MaxWanted, cfg.MaxReads = 3, 12, 2
	return cfg
}

type open struct {
	asked steptest.Asked
	body  any
}

// judge panics with what a world has found.
type judge struct{ testing.TB }

func (judge) Helper()                        {}
func (judge) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func newWorld(t testing.TB, draw func(int) int, m actor.Machine, specs []actor.PortSpec) *world {
	return &world{
		r: steptest.New(judge{t}, m, specs), draw: draw, next: alice,
		best: []chain.BlockConnected{genesis},
		told: map[actor.ID]map[chainhash.Hash]bool{}, shown: map[actor.ID]map[chainhash.Hash]bool{},
		asked: map[actor.ID]int{}, got: map[actor.ID]int{},
		seen: map[wire.Message]bool{}, leaves: map[actor.ID]bool{},
		txs: newTxWorld(),
	}
}

// run gives the machine random inputs and then lets it come to rest.
func (w *world) run(steps int) {
	for range steps {
		w.input()
		w.look()
	}
	for len(w.late) > 0 {
		w.free(0)
		w.look()
	}
	w.settle()
	w.connect(0)
	w.settle()
	w.endTxs()
	tip := w.best[len(w.best)-1].Hash
	for _, id := range w.peers {
		switch {
		case w.leaves[id]:
		case !w.told[id][tip] && !w.shown[id][tip]:
			panic(fmt.Sprintf("%v was never told of the tip", id))
		case w.asked[id] != w.got[id]:
			panic(fmt.Sprintf("%v asked for %d items and was given %d", id, w.asked[id], w.got[id]))
		}
	}
}

func (w *world) input() {
	if len(w.peers) < 2 {
		w.join()
		return
	}
	id := w.peers[w.draw(len(w.peers))]
	block := w.best[w.draw(len(w.best))].Hash
	switch w.draw(24) {
	case 0:
		if len(w.peers) < 5 {
			w.join()
		}
	case 1:
		if w.draw(4) == 0 {
			w.leave(id)
		}
	case 2:
		w.r.Give(peer.WantsHeaders{Peer: id})
	case 3:
		w.show(id, block)
	case 4:
		w.r.Give(peer.HeadersWanted{Peer: id})
	case 5:
		w.r.Give(peer.BlocksWanted{Peer: id})
	case 6:
		n := 1 + w.draw(4)
		w.asked[id] += n
		list := items(wire.InvTypeBlock, 0, n)
		list[w.draw(n)].Type = wire.InvTypeTx
		w.r.Give(peer.DataWanted{Peer: id, Items: list})
	case 7, 8:
		source := actor.ID(0)
		if w.draw(2) == 0 {
			source = id
		}
		w.connect(source)
	case 9:
		w.reorg(w.draw(len(w.best)))
	case 10:
		w.r.Advance(time.Duration(1+w.draw(200)) * time.Millisecond)
	case 11:
		if len(w.late) > 0 {
			w.free(w.draw(len(w.late)))
		}
	case 12, 13, 14, 15, 16:
		w.txInput(id)
	case 17:
		w.r.Advance(time.Duration(1+w.draw(30)) * time.Second)
	default:
		if len(w.doing) > 0 {
			w.answer(w.draw(len(w.doing)), w.draw(7))
		}
	}
}

func (w *world) join() {
	w.peers = append(w.peers, w.next)
	w.told[w.next] = map[chainhash.Hash]bool{}
	w.shown[w.next] = map[chainhash.Hash]bool{}
	w.txs.join(w.next)
	w.r.Give(peer.Ready{Peer: w.next, WTxIDs: true, Inbound: w.draw(2) == 0})
	w.next++
}

func (w *world) leave(id actor.ID) {
	w.peers = slices.DeleteFunc(w.peers, func(p actor.ID) bool { return p == id })
	w.txs.leave(id)
	w.r.Give(peer.Gone{Peer: id})
	for i := len(w.doing) - 1; i >= 0; i-- {
		if w.doing[i].asked.To == id {
			w.answer(i, -1)
		}
	}
}

// free is the late answer to a question that had timed out.
func (w *world) free(i int) {
	w.r.Late(w.late[i])
	w.late = slices.Delete(w.late, i, i+1)
}

func (w *world) show(id actor.ID, h chainhash.Hash) {
	w.shown[id][h] = true
	w.r.Give(peer.Announced{Peer: id, Blocks: []chainhash.Hash{h}})
}

func (w *world) connect(source actor.ID) {
	b := grow(w.r, w.best[len(w.best)-1], 1, w.salt)[0]
	b.Source = source
	if source != 0 {
		w.shown[source][b.Hash] = true
	}
	w.best = append(w.best, b)
	w.r.Give(b)
	w.r.Give(chain.Tips{Block: b.Point}) // chain publishes it in the same step
}

func (w *world) reorg(keep int) {
	if depth := len(w.best) - 1 - keep; depth < 1 || depth > 4 {
		return
	}
	for len(w.best) > keep+1 {
		w.r.Give(chain.BlockDisconnected{Point: w.best[len(w.best)-1].Point})
		w.best = w.best[:len(w.best)-1]
		w.txs.forgot = true
	}
	w.salt++
	w.connect(0)
}

// look takes what the machine has asked and judges it.
func (w *world) look() {
	for len(w.r.Pending()) > 0 {
		e := w.r.Pending()[0]
		asked := steptest.AskedBy(e)
		switch q := e.Body.(type) {
		case peer.Send:
			w.judge(e.To, q)
			steptest.WantAsk[peer.Send](w.r, "")
		case actor.End:
			w.leaves[e.To] = true
			w.txs.leave(e.To)
			w.r.WantEnd(e.To, "")
			continue
		case chain.GetHeaders:
			steptest.WantAsk[chain.GetHeaders](w.r, "")
		case chain.GetHashes:
			steptest.WantAsk[chain.GetHashes](w.r, "")
		case chain.GetBlock:
			steptest.WantAsk[chain.GetBlock](w.r, "")
		case chain.SubmitTx:
			w.txs.offered[q.ID.WTxID] = true
			steptest.WantAsk[chain.SubmitTx](w.r, "")
		case chain.GetPool:
			steptest.WantAsk[chain.GetPool](w.r, "")
		case chain.GetPoolTxs:
			steptest.WantAsk[chain.GetPoolTxs](w.r, "")
		default:
			panic(fmt.Sprintf("unexpected %T", q))
		}
		w.doing = append(w.doing, open{asked, e.Body})
	}
	w.txs.looked = w.r.Now
	reads := 0
	sends := map[actor.ID]int{}
	for _, o := range w.doing {
		if _, names := o.body.(chain.GetPool); o.asked.To == readersID && !names {
			reads++
		} else if _, ok := o.body.(peer.Send); ok {
			sends[o.asked.To]++
			if sends[o.asked.To] > 1 {
				panic("two Sends to one peer")
			}
		}
	}
	if reads > worldBounds().MaxReads {
		panic("too many reads")
	}
}

// judge looks at one Send. Answers to getheaders and getblocks carry foreign
// hashes in this world, so every block of the chain in it is an announcement.
func (w *world) judge(id actor.ID, q peer.Send) {
	if !slices.Contains(w.peers, id) {
		panic("a Send to a peer that is not there")
	}
	for _, msg := range q.Msgs {
		if w.seen[msg] {
			continue // the same message again, after ErrBusy
		}
		w.seen[msg] = true
		w.judgeTxs(id, msg)
		switch msg := msg.(type) {
		case *wire.MsgInv:
			for _, v := range msg.InvList {
				if v.Type == wire.InvTypeBlock {
					w.announced(id, v.Hash)
				}
			}
		case *wire.MsgHeaders:
			for i, h := range msg.Headers {
				if i > 0 && h.PrevBlock != msg.Headers[i-1].BlockHash() {
					panic("headers that do not connect")
				}
				w.announced(id, h.BlockHash())
			}
		}
	}
}

func (w *world) announced(id actor.ID, h chainhash.Hash) {
	if h == number(1) {
		return // the answer to a getblocks
	}
	if w.told[id][h] {
		panic("a block is announced twice")
	}
	if w.shown[id][h] {
		panic("a block is announced to a peer that has shown to know it")
	}
	w.told[id][h] = true
}

// answer ends the i-th open question: with ErrGone when how is -1, now and then
// with a failure, else with a value.
func (w *world) answer(i, how int) {
	o := w.doing[i]
	w.doing = slices.Delete(w.doing, i, i+1)
	if q, is := o.body.(chain.SubmitTx); is {
		delete(w.txs.offered, q.ID.WTxID)
	}
	switch {
	case how == -1:
		w.r.Fail(o.asked, actor.ErrGone)
		return
	case how == 0:
		w.r.Fail(o.asked, actor.ErrBusy)
		return
	case how == 1 && o.asked.To == 1:
		w.r.Fail(o.asked, actor.ErrTimeout)
		w.late = append(w.late, o.asked)
		return
	}
	if w.answerTx(o.asked, o.body, how) {
		return
	}
	switch q := o.body.(type) {
	case peer.Send:
		w.got[o.asked.To] += len(q.Payloads)
		for _, msg := range q.Msgs {
			switch msg := msg.(type) {
			case *wire.MsgNotFound:
				w.got[o.asked.To] += len(msg.InvList)
			case *wire.MsgTx:
				w.got[o.asked.To]++
			}
		}
		w.r.Reply(o.asked, peer.Sent{})
	case chain.GetHeaders:
		w.r.Reply(o.asked, chain.Headers{})
	case chain.GetHashes:
		w.r.Reply(o.asked, chain.Hashes{Hashes: []chainhash.Hash{number(1)}})
	case chain.GetBlock:
		if how == 2 {
			w.r.Reply(o.asked, chain.Block{})
		} else {
			w.r.Reply(o.asked, chain.Block{Payload: []byte{1}})
		}
	}
}

// settle answers everything until nothing is left to do, and no request can be in flight.
func (w *world) settle() {
	w.r.Advance(2 * time.Second)
	rest := w.r.Now.Add(5 * time.Minute)
	for range 10_000 {
		w.look()
		switch {
		case len(w.doing) > 0:
			w.answer(0, 3)
		case w.r.Now.Before(rest):
			w.r.Advance(10 * time.Second)
		default:
			return
		}
	}
	panic("it does not come to rest")
}

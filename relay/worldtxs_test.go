package relay

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// txWorld is what the judge of relay knows of transactions. Hashes are wtxids. All of its
// peers know wtxids.
type txWorld struct {
	next    int // the next transaction that comes to the pool
	pool    []chain.PoolTx
	told    map[actor.ID]map[chainhash.Hash]bool // by us
	forgot  bool                                 // a block was left: what peers know is forgotten
	shown   map[actor.ID]map[chainhash.Hash]bool // to us
	owed    map[actor.ID]map[chainhash.Hash]bool // to be told
	flying  map[chainhash.Hash]flight
	offered map[chainhash.Hash]bool // chain has it in hand
	took    [few]bool               // those that peers announce and that came to the pool
	looked  time.Time               // when the judge looked last
}

// flight is a request that a peer has not answered.
type flight struct {
	peer actor.ID
	at   time.Time // not later than it was sent: the clock may have moved since the last look
}

func newTxWorld() txWorld {
	return txWorld{
		told: map[actor.ID]map[chainhash.Hash]bool{}, shown: map[actor.ID]map[chainhash.Hash]bool{}, owed: map[actor.ID]map[chainhash.Hash]bool{},
		flying: map[chainhash.Hash]flight{}, offered: map[chainhash.Hash]bool{},
	}
}

func (w *txWorld) join(id actor.ID) {
	w.told[id], w.shown[id], w.owed[id] = map[chainhash.Hash]bool{}, map[chainhash.Hash]bool{}, map[chainhash.Hash]bool{}
}

// ended notes that a transaction has come, or need not.
func (w *txWorld) ended(id chain.TxID) {
	delete(w.flying, id.TxID)
	delete(w.flying, id.WTxID)
}

func (w *txWorld) leave(id actor.ID) {
	for h, f := range w.flying {
		if f.peer == id {
			delete(w.flying, h)
		}
	}
}

// few is how many transactions the peers announce: so few that they announce the same.
const few = 6

// txInput gives relay one input that is about transactions.
func (w *world) txInput(id actor.ID) {
	tx, name := aTx(uint32(w.draw(few)))
	switch w.draw(8) {
	case 0, 1:
		w.txs.shown[id][name.WTxID] = true
		announce(w.r, id, name)
	case 2, 3:
		w.txs.shown[id][name.WTxID] = true
		w.txs.ended(name)
		deliver(w.r, id, tx)
	case 4:
		w.accept([]actor.ID{0, id}[w.draw(2)])
	case 5:
		w.remove()
	case 6:
		w.asked[id]++
		item := wire.InvVect{Type: peer.InvTypeWTx, Hash: number(w.draw(w.txs.next + 1))}
		w.r.Give(peer.DataWanted{Peer: id, Items: []wire.InvVect{item}})
	case 7:
		w.r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
	}
}

// accept has a new transaction in the pool.
func (w *world) accept(source actor.ID) {
	t := aPooled(w.r, w.txs.next)
	t.ID.WTxID, t.Source, t.Ours = t.ID.TxID, source, source == 0
	if n := w.draw(2 * few); n < few && !w.txs.took[n] { // one that peers announce
		w.txs.took[n] = true
		_, t.ID = aTx(uint32(n))
		w.txs.ended(t.ID)
	} else {
		w.txs.next++
	}
	w.txs.pool = append(w.txs.pool, t)
	for _, id := range w.peers {
		if id != source {
			w.txs.owed[id][t.ID.WTxID] = true
		}
	}
	w.r.Give(chain.TxAccepted{Txs: []chain.PoolTx{t}})
}

func (w *world) remove() {
	if len(w.txs.pool) == 0 {
		return
	}
	i := w.draw(len(w.txs.pool))
	ids := []chain.TxID{w.txs.pool[i].ID}
	w.txs.pool = slices.Delete(w.txs.pool, i, i+1)
	if w.draw(2) == 0 {
		w.r.Give(chain.TxConfirmed{Txs: ids})
	} else {
		w.r.Give(chain.TxRemoved{Reason: chain.RemovedExpired, Txs: ids})
	}
}

// judgeTxs looks at a message about transactions.
func (w *world) judgeTxs(id actor.ID, msg wire.Message) {
	switch msg := msg.(type) {
	case *wire.MsgInv:
		for _, v := range msg.InvList {
			if v.Type == peer.InvTypeWTx {
				w.toldTx(id, v.Hash)
			}
		}
	case *wire.MsgGetData:
		for _, v := range msg.InvList {
			f, flies := w.txs.flying[v.Hash]
			switch {
			case flies && w.r.Now.Sub(f.at) < time.Minute:
				panic(fmt.Sprintf("%v is asked for what %v was asked for %v ago", id, f.peer, w.r.Now.Sub(f.at)))
			case v.Type == peer.InvTypeWTx && !w.txs.shown[id][v.Hash]:
				panic("a peer is asked for what it has not announced")
			case w.txs.offered[v.Hash]:
				panic("a transaction is asked for that chain has in hand")
			}
			w.txs.flying[v.Hash] = flight{id, w.txs.looked}
		}
	}
}

func (w *world) toldTx(id actor.ID, h chainhash.Hash) {
	i := slices.IndexFunc(w.txs.pool, func(t chain.PoolTx) bool { return t.ID.WTxID == h })
	switch {
	case w.txs.told[id][h] && !w.txs.forgot:
		panic("a transaction is announced twice")
	case w.txs.shown[id][h] && !w.txs.forgot:
		panic("a transaction is announced to a peer that has announced it")
	case i < 0:
		panic("a transaction is announced that is not in the pool")
	case w.txs.pool[i].Source != 0 && !w.txs.owed[id][h]: // what RPC sent is announced again
		panic("a transaction is announced to who sent it, or was not there")
	}
	w.txs.told[id][h] = true
}

// answerTx ends a question about transactions with a value.
func (w *world) answerTx(asked steptest.Asked, body any, how int) bool {
	switch q := body.(type) {
	case chain.SubmitTx:
		w.txs.ended(q.ID) // with the verdict requests to others are void
		v := chain.TxVerdict{ID: q.ID, Code: []chain.TxCode{chain.TxOK, chain.TxOrphan, chain.TxPolicy, chain.TxWitness, chain.TxInvalid}[how%5]}
		if v.Code == chain.TxOrphan {
			_, parent := aTx(uint32(how))
			v.Missing = []chainhash.Hash{parent.TxID}
		}
		w.r.Reply(asked, v)
	case chain.GetPool:
		w.r.Reply(asked, chain.Pool{Txs: slices.Clone(w.txs.pool)})
	case chain.GetPoolTxs:
		a := chain.PooledTxs{Txs: make([]*wire.MsgTx, len(q.TxIDs))}
		for i := range a.Txs {
			if how != 2 {
				a.Txs[i], _ = aTx(1)
			}
		}
		w.r.Reply(asked, a)
	default:
		return false
	}
	return true
}

// endTxs judges the world at rest: who was to be told has been told, nothing is in hand,
// and no request is in flight.
func (w *world) endTxs() {
	for _, id := range w.peers {
		for _, t := range w.txs.pool {
			h := t.ID.WTxID
			if !w.leaves[id] && w.txs.owed[id][h] && !w.txs.told[id][h] && !w.txs.shown[id][h] {
				panic(fmt.Sprintf("%v was never told of a transaction", id))
			}
		}
	}
	s := status(w.r)
	if s.TxsInFlight > 0 || s.TxsWaiting > 0 {
		panic(fmt.Sprintf("at rest %d requests are in flight and %d transactions wait", s.TxsInFlight, s.TxsWaiting))
	}
}

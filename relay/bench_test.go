package relay

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// load is a relay with 125 peers under a driver that costs nothing.
type load struct {
	m   *Machine
	out *actor.Outbox
	now time.Time
	seq uint64
}

// slots always has one.
type slots struct{ l *load }

func (s slots) Reserve(_ int, to actor.ID, key uint64, _ time.Time, _ any) (actor.RawCall, bool) {
	s.l.seq++
	return actor.RawCall{Asker: 1, To: to, Slot: uint32(key), Seq: s.l.seq}, true
}
func (slots) Free(int) int                     { return 1 }
func (slots) Seat(actor.Kind) (actor.ID, bool) { return 0, false }
func (slots) Seats(actor.Kind) int             { return 0 }
func (l *load) give(body any)                  { l.step(actor.Input{Body: body}) }
func (l *load) answer(key uint64, body any)    { l.step(actor.Input{Body: body, Key: key}) }
func (l *load) step(in actor.Input)            { l.out.Begin(l.now); l.m.Step(l.now, in, l.out) }
func (l *load) id(i int) actor.ID              { return alice + actor.ID(i) }

func newLoad(peers int) *load {
	var p actor.Ports
	ports := connectPorts(&p, windows{Reads: 8, Peers: peers, ReadTimeout: time.Minute, SendTimeout: time.Minute})
	l := &load{now: steptest.Epoch}
	l.out = actor.NewOutbox(slots{l})
	l.m = New(Config{Bounds: DefaultBounds()}, ports, topics, rand.New(rand.NewPCG(1, 2)))
	l.give(actor.Start{})
	l.give(chain.Tips{Block: chain.Point{Hash: number(1), Time: l.now}})
	for i := range peers {
		l.give(peer.Ready{Peer: l.id(i), WTxIDs: true, Inbound: i >= 10})
	}
	return l
}

// BenchmarkStep is an input that changes nothing, with 125 peers.
func BenchmarkStep(b *testing.B) {
	l := newLoad(125)
	for b.Loop() {
		l.give(peer.FeeFilter{Peer: alice, Rate: 1000})
		l.m.Deadline()
	}
}

// BenchmarkTransaction is one transaction's way: eight peers announce it, one delivers it,
// chain takes it, and 124 peers have it on their queues and are told of it.
func BenchmarkTransaction(b *testing.B) {
	l := newLoad(125)
	n := 0
	for b.Loop() {
		n++
		tx := &wire.MsgTx{Version: 2}
		id := chain.TxID{TxID: number(n), WTxID: number(n + 1<<28)}
		for i := range 8 {
			l.give(peer.TxsAnnounced{Peer: l.id(i), Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}})
		}
		l.sent()
		l.give(peer.TxReceived{Peer: l.id(n % 8), Tx: tx, TxID: id.TxID, WTxID: id.WTxID, Memory: 500})
		l.answer(uint64(l.m.hand.key), chain.TxVerdict{ID: id, Fee: 1000, VSize: 200})
		l.give(chain.TxAccepted{Txs: []chain.PoolTx{{ID: id, Fee: 1000, VSize: 200, Added: l.now, Source: l.id(n % 8)}}})
		if n%70 == 0 {
			l.now = l.now.Add(5 * time.Second)
			l.give(actor.Tick{})
			l.sent()
		}
		if n%1000 == 0 {
			var gone chain.TxConfirmed
			for i := n - 999; i <= n; i++ {
				gone.Txs = append(gone.Txs, chain.TxID{TxID: number(i), WTxID: number(i + 1<<28)})
			}
			l.give(gone)
		}
	}
}

// sent answers all Sends.
func (l *load) sent() {
	for again := true; again; {
		again = false
		for _, p := range l.m.peers {
			if p.sending {
				again = true
				l.answer(uint64(p.id), peer.Sent{})
			}
		}
	}
}

// BenchmarkServe is a transaction that is served, of getdata messages of a thousand.
func BenchmarkServe(b *testing.B) {
	l := newLoad(125)
	txs := make([]*wire.MsgTx, 1000)
	var e chain.TxAccepted
	for n := range txs {
		txs[n] = &wire.MsgTx{}
		e.Txs = append(e.Txs, chain.PoolTx{ID: chain.TxID{TxID: number(n), WTxID: number(n)}, VSize: 200, Added: l.now.Add(-2 * time.Hour)})
	}
	l.give(e)
	list := items(peer.InvTypeWTx, 0, 1000)
	n := 0
	for b.Loop() {
		if n++; n%1000 != 1 {
			continue
		}
		l.give(peer.DataWanted{Peer: alice, Items: list})
		for p := l.m.peers[0]; p.wants.count() > 0; l.sent() {
			l.answer(uint64(alice), chain.PooledTxs{Txs: txs[:p.wants.batch]})
		}
	}
}

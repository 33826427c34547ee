package relay

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// A peer may have what it was told of, what came before that, and what is two minutes old.
// Of all else it learns nothing: not even that it is there.
func TestNobodyProbesThePool(t *testing.T) {
	r := newRig(t, alice)
	first, second := aPooled(r, 1), aPooled(r, 2)
	first.Source = alice // she is not told of it
	second.Source = bob
	asks := func(n int, served bool, why string) {
		t.Helper()
		r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, n, 1)})
		if !served {
			r.Reply(wantNotFound(t, r, why, number(n)), peer.Sent{})
			return
		}
		_, read := steptest.WantAsk[chain.GetPoolTxs](r, why)
		tx, _ := aTx(1)
		r.Reply(read, chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
		wantTxs(t, r, alice, why, 1)
	}
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{first}})
	asks(1, false, "she was not told of it")
	asks(7, false, "it does not exist: she sees no difference")
	r.Advance(time.Second)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{second}})
	for len(r.Pending()) == 0 {
		r.Advance(time.Second)
	}
	r.Reply(wantTxInv(t, r, alice, "she is told of the second", wire.InvTypeTx, number(2)), peer.Sent{})
	asks(2, true, "she was told of it")
	asks(1, true, "it came before: it may be its parent")

	third := aPooled(r, 3)
	third.Source = alice
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{third}})
	r.Advance(2*time.Minute - 1)
	asks(3, false, "it came after")
	r.Advance(1)
	asks(3, true, "by now it is everywhere")
}

// How a transaction is asked for decides which copy is sent (BIP144, BIP339).
func TestHowATransactionIsAskedFor(t *testing.T) {
	tx, id := aTx(1)
	for _, c := range []struct {
		typ     wire.InvType
		hash    chainhash.Hash
		found   bool
		witness bool
	}{
		{wire.InvTypeTx, id.TxID, true, false},
		{wire.InvTypeWitnessTx, id.TxID, true, true},
		{peer.InvTypeWTx, id.WTxID, true, true},
		{wire.InvTypeTx, id.WTxID, false, false},
		{wire.InvTypeWitnessTx, id.WTxID, false, false},
		{peer.InvTypeWTx, id.TxID, false, false},
	} {
		r := newRig(t, alice)
		r.Give(accepted(r, id, bob))
		r.Advance(2 * time.Minute)
		r.EndAll(actor.ErrBusy) // the inv
		r.Advance(time.Second)
		r.Drop()
		r.EndAll(actor.ErrGone)
		r.Drop()
		r.Give(peer.Gone{Peer: alice})
		r.Give(peer.Ready{Peer: alice})
		r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: c.typ, Hash: c.hash}}})
		if !c.found {
			wantNotFound(t, r, fmt.Sprint(c.typ), c.hash)
			continue
		}
		_, read := steptest.WantAsk[chain.GetPoolTxs](r, fmt.Sprint(c.typ))
		r.Reply(read, chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
		if got := wantTxs(t, r, alice, fmt.Sprint(c.typ), 1)[0]; got.HasWitness() != c.witness || got.TxHash() != id.TxID {
			t.Errorf("%v: witness data %v, want %v", c.typ, got.HasWitness(), c.witness)
		}
	}
}

// A getdata of many takes few reads and few Sends: each of 256 transactions at most, and of
// 128 KiB. What has gone in the meantime is not found. A block stands in its place.
func TestManyTransactionsGoTogether(t *testing.T) {
	r := newRig(t)
	var e chain.TxAccepted
	for n := range 700 {
		tx := aPooled(r, n)
		tx.VSize, tx.Source = 100, bob
		tx.Added = r.Now.Add(-time.Hour)
		if n == 400 {
			tx.VSize = 90_000
		}
		e.Txs = append(e.Txs, tx)
	}
	r.Give(e)
	r.Give(peer.Ready{Peer: alice})
	list := items(wire.InvTypeTx, 0, 700)
	list[500].Type = wire.InvTypeBlock
	r.Give(peer.DataWanted{Peer: alice, Items: list})
	tx, _ := aTx(1)
	var sizes []int
	for range 6 {
		if len(sizes) == 4 { // the block
			_, read := steptest.WantAsk[chain.GetBlock](r, "the block in its place")
			r.Reply(read, chain.Block{Payload: []byte("block")})
			r.Reply(wantBlock(t, r, alice, "the block", "block"), peer.Sent{})
		}
		q, read := steptest.WantAsk[chain.GetPoolTxs](r, "some")
		r.WantNothing("one read at a time")
		sizes = append(sizes, len(q.TxIDs))
		a := chain.PooledTxs{Txs: make([]*wire.MsgTx, len(q.TxIDs))}
		for i := range a.Txs {
			if i > 0 {
				a.Txs[i] = tx
			}
		}
		if len(a.Txs) == 1 { // it has gone, alone
			r.Reply(read, a)
			continue
		}
		r.Reply(read, a)
		wantTxs(t, r, alice, "all but the first", len(q.TxIDs)-1)
		if len(sizes) == 5 {
			break
		}
	}
	want := []int{256, 144, 1, 99, 199}
	if fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("reads of %v, want %v", sizes, want)
	}
	wantNotFound(t, r, "the first of each read", number(0), number(256), number(400), number(401), number(501))
	if s := status(r); s.TxsServed != 255+143+98+198 || s.BlocksServed != 1 {
		t.Errorf("%+v", s)
	}
}

// A read that fails is tried again. After the third time what it was about is not found.
func TestL2AFailedReadOfTransactions(t *testing.T) {
	r := newRig(t)
	one := aPooled(r, 1)
	one.Added = r.Now.Add(-time.Hour)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{one}})
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, 1, 1)})
	for range 3 {
		_, read := steptest.WantAsk[chain.GetPoolTxs](r, "a try")
		r.Fail(read, actor.ErrBusy)
		r.Advance(time.Second)
	}
	wantNotFound(t, r, "a reader that fails three times is not merely busy", number(1))
}

// If all peers together want too much, the one that wants the most is ended.
func TestL4WhoWantsTheMostIsEnded(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxWantedOfAll = 100
	m, specs := connect(cfg, 4)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.Ready{Peer: bob})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 60)})
	r.Give(peer.DataWanted{Peer: bob, Items: items(wire.InvTypeBlock, 0, 40)})
	r.Drop()
	r.Give(peer.DataWanted{Peer: bob, Items: items(wire.InvTypeBlock, 0, 1)})
	if end := r.WantEnd(alice, "she wants the most"); end.Fault || end.Reason == "" {
		t.Errorf("%+v", end)
	}
	r.WantNothing("he may go on")
	r.Leave()
}

// Types that are of no kind take no room and get no answer.
func TestTypesThatDoNotExist(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: 0x80}, {Type: 1 << 20}, {Type: wire.InvWitnessFlag | 0x80}}})
	r.WantNothing("as Bitcoin Core")
	for _, typ := range []wire.InvType{0, 1, 5, 0x7f, wire.InvTypeWitnessBlock, wire.InvWitnessFlag | 5} {
		v, ok := packed(wire.InvVect{Type: typ, Hash: number(3)})
		if !ok || v.invType() != typ || v.hash != number(3) {
			t.Errorf("%v becomes %v", typ, v.invType())
		}
	}
}

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
	for greedy, other := range map[actor.ID]actor.ID{alice: bob, bob: alice} {
		cfg := DefaultBounds()
		cfg.MaxWantedOfAll = 100
		m, specs := connect(cfg, 4)
		r := steptest.New(t, m, specs)
		r.Give(peer.Ready{Peer: alice})
		r.Give(peer.Ready{Peer: bob})
		r.Give(peer.DataWanted{Peer: greedy, Items: items(wire.InvTypeBlock, 0, 60)})
		r.Give(peer.DataWanted{Peer: other, Items: items(wire.InvTypeBlock, 0, 40)})
		r.Drop()
		r.Give(peer.DataWanted{Peer: other, Items: items(wire.InvTypeBlock, 0, 1)})
		if end := r.WantEnd(greedy, "it wants the most"); end.Fault || end.Reason == "" {
			t.Errorf("%+v", end)
		}
		r.WantNothing("the other one may go on")
		r.Leave()
	}
}

// What was not found counts as long as the peer has not been told.
func TestL4WhatIsNotFoundIsWantedToo(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxWantedOfAll = 100
	m, specs := connect(cfg, 4)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.Ready{Peer: bob})
	list := items(wire.InvTypeFilteredBlock, 0, 60)
	list[59].Type = wire.InvTypeBlock
	r.Give(peer.DataWanted{Peer: alice, Items: list})
	steptest.WantAsk[chain.GetBlock](r, "fifty-nine are not there, and the last one is read")
	r.Give(peer.DataWanted{Peer: bob, Items: items(wire.InvTypeBlock, 0, 41)})
	r.WantEnd(alice, "hers are sixty still")
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

// hourOld has transactions in the pool that anybody may have.
func hourOld(r *steptest.Rig, numbers ...int) {
	var e chain.TxAccepted
	for _, n := range numbers {
		tx := aPooled(r, n)
		tx.VSize, tx.Added = 100, r.Now.Add(-time.Hour)
		e.Txs = append(e.Txs, tx)
	}
	r.Give(e)
}

// wantRead takes the next read of transactions. It must be of just these.
func wantRead(t *testing.T, r *steptest.Rig, why string, numbers ...int) steptest.Asked {
	t.Helper()
	q, read := steptest.WantAsk[chain.GetPoolTxs](r, why)
	if len(q.TxIDs) != len(numbers) {
		t.Fatalf("%s: %d are read, want %d", why, len(q.TxIDs), len(numbers))
	}
	for i, n := range numbers {
		if q.TxIDs[i] != number(n) {
			t.Fatalf("%s: number %d is %v, want %v", why, i, q.TxIDs[i], number(n))
		}
	}
	return read
}

// A read has what fits one Send, exactly. It ends before what is not there.
func TestHowManyTransactionsAreReadAtATime(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxServeBytes = 2 * 4 * 100
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	hourOld(r, 0, 1, 2, 4)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, 0, 5)})
	tx, _ := aTx(1)
	r.Reply(wantRead(t, r, "two fit", 0, 1), chain.PooledTxs{Txs: []*wire.MsgTx{tx, tx}})
	wantTxs(t, r, alice, "the first ones", 2)
	r.Reply(wantRead(t, r, "the next one is not there", 2), chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
	wantTxs(t, r, alice, "the one before it", 1)
	r.Reply(wantRead(t, r, "the one behind it", 4), chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
	wantTxs(t, r, alice, "the one behind it", 1)
	r.Reply(wantNotFound(t, r, "one was not there", number(3)), peer.Sent{})
	r.Leave()
}

// A transaction that leaves the pool while it is read is served if the reader was faster.
// After a read that failed it is missed, and not read again.
func TestATransactionThatGoesWhileItIsRead(t *testing.T) {
	for _, fails := range []bool{false, true} {
		r := newRig(t)
		hourOld(r, 1, 2)
		r.Give(peer.Ready{Peer: alice})
		r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeTx, 1, 2)})
		read := wantRead(t, r, "both", 1, 2)
		tx, _ := aTx(1)
		if !fails {
			r.Give(chain.TxRemoved{Txs: []chain.TxID{aPooledID(1), aPooledID(2)}})
			r.Reply(read, chain.PooledTxs{Txs: []*wire.MsgTx{tx, tx}})
			wantTxs(t, r, alice, "the reader had them", 2)
			r.WantNothing("nothing is missed")
			continue
		}
		r.Fail(read, actor.ErrBusy)
		r.Give(chain.TxRemoved{Txs: []chain.TxID{aPooledID(1)}})
		r.Advance(time.Second)
		r.Reply(wantRead(t, r, "what is left", 2), chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
		wantTxs(t, r, alice, "what is left", 1)
		r.Reply(wantNotFound(t, r, "the first has gone", number(1)), peer.Sent{})
	}
}

// An item of a kind that is not served is not found, also if it names a transaction that we
// have.
func TestATransactionIsServedAsATransaction(t *testing.T) {
	r := newRig(t)
	hourOld(r, 1)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeFilteredBlock, 1, 1)})
	r.Reply(wantNotFound(t, r, "it is no block", number(1)), peer.Sent{})
	r.WantNothing("it is answered")
}

// A transaction is copied only to take out its witness data. So what waits to be sent has
// its memory in common with the pool.
func TestWhatIsCopiedToServeIt(t *testing.T) {
	witness, _ := aTx(1)
	plain := witness.Copy()
	plain.TxIn[0].Witness = nil
	for _, c := range []struct {
		why    string
		tx     *wire.MsgTx
		typ    wire.InvType
		copied bool
	}{
		{"with witness data, as asked for", witness, wire.InvTypeWitnessTx, false},
		{"by wtxid", witness, peer.InvTypeWTx, false},
		{"without witness data", witness, wire.InvTypeTx, true},
		{"it has none", plain, wire.InvTypeTx, false},
	} {
		if got := serialised(c.tx, c.typ); (got != c.tx) != c.copied || got.TxHash() != witness.TxHash() {
			t.Errorf("%s: copied %v, txid %v", c.why, got != c.tx, got.TxHash())
		}
	}
}

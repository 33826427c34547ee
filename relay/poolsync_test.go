package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// After missed events relay asks for the names of the pool. What it did not know is
// announced, what it knew is on the queues already, and what has gone is not told.
func TestL6MissedEventsOfThePool(t *testing.T) {
	r := newRig(t, alice)
	one, two, three := aPooled(r, 1), aPooled(r, 2), aPooled(r, 3)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{one, two}})
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{two, three}})
	r.Advance(time.Minute)
	wantTxInv(t, r, alice, "what is there, each once", wire.InvTypeTx, two.ID.TxID, three.ID.TxID)
	r.WantNothing("that is all")
}

// The answer may be older than the events that come before it. It does not count for
// what those are about.
func TestL6AnAnswerOlderThanEvents(t *testing.T) {
	r := newRig(t, alice)
	one, two, three := aPooled(r, 1), aPooled(r, 2), aPooled(r, 3)
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Give(chain.TxRemoved{Txs: []chain.TxID{one.ID}})
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{two}})
	r.Give(chain.TxConfirmed{Txs: []chain.TxID{three.ID}})
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{one, three}})
	m := r.M.(*Machine)
	for n, want := range map[int]bool{1: false, 2: true, 3: false} {
		if got := m.pool.byTxID[number(n)] != nil; got != want {
			t.Errorf("transaction %d is there: %v, want %v", n, got, want)
		}
	}
}

// A rebuilt relay learns the names, and announces none of them.
func TestL11ARebuiltRelayLearnsThePool(t *testing.T) {
	m, specs := connect(DefaultBounds(), 16)
	r := steptest.New(t, m, specs)
	r.Give(actor.Start{Generation: 1})
	r.Give(peer.Ready{Peer: alice})
	r.Give(chain.Tips{Block: chain.Point{Hash: number(9), Time: r.Now}})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	one := aPooled(r, 1)
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{one}})
	_, tips := steptest.WantAsk[chain.GetTips](r, "and what is the tip?")
	r.Fail(tips, actor.ErrGone)
	r.Drop()
	announce(r, alice, one.ID)
	r.Advance(time.Minute)
	for _, e := range r.Pending() {
		if _, is := e.Body.(peer.Send); is {
			t.Errorf("alice is sent %+v", e.Body)
		}
	}
}

// What comes while a rebuilt relay asks is news, also if the answer is too old to have it.
// A peer that is told of it is served.
func TestL11WhatComesWhileThePoolIsAsked(t *testing.T) {
	for _, toldFirst := range []bool{false, true} {
		m, specs := connect(DefaultBounds(), 16)
		r := steptest.New(t, m, specs)
		r.Give(actor.Start{Generation: 1})
		_, tips := steptest.WantAsk[chain.GetTips](r, "what is the tip?")
		_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
		r.Give(peer.Ready{Peer: alice})
		r.Fail(tips, actor.ErrGone)
		two := aPooled(r, 2)
		r.Give(chain.TxAccepted{Txs: []chain.PoolTx{two}})
		old := chain.Pool{Txs: []chain.PoolTx{aPooled(r, 1)}}
		if !toldFirst {
			r.Reply(asked, old)
		}
		r.Advance(time.Minute)
		sent := wantTxInv(t, r, alice, "that alone", wire.InvTypeTx, two.ID.TxID)
		if toldFirst {
			r.Reply(asked, old)
		}
		r.Drop()
		r.Reply(sent, peer.Sent{})
		r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: wire.InvTypeTx, Hash: two.ID.TxID}}})
		steptest.WantAsk[chain.GetPoolTxs](r, "it is served")
	}
}

// When too much happens before the answer, it is asked for again.
func TestL4TooMuchHappensWhileThePoolIsAsked(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxPoolChanges = 2
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	_, first := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 1), aPooled(r, 2)}})
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 3)}})
	r.WantNothing("there is one slot")
	r.Reply(first, chain.Pool{})
	if len(m.pool.byTxID) != 3 {
		t.Error("an answer counts that is too old")
	}
	_, second := steptest.WantAsk[chain.GetPool](r, "once more")
	r.Reply(second, chain.Pool{Txs: []chain.PoolTx{aPooled(r, 3)}})
	if len(m.pool.byTxID) != 1 {
		t.Errorf("%d transactions, want 1", len(m.pool.byTxID))
	}
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	steptest.WantRetry[chain.GetPool](r, actor.ErrBusy, time.Second, time.Second, "a failure")
}

// Missed events of blocks and of the pool are two matters.
func TestL6WhichEventsWereMissed(t *testing.T) {
	r := newRig(t, alice)
	r.Give(actor.Lagged{Topic: topics.Blocks.ID, N: 1})
	steptest.WantAsk[chain.GetTips](r, "blocks")
	r.WantNothing("the pool is known")
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
	steptest.WantAsk[chain.GetPool](r, "transactions")
	r.WantNothing("the tip is asked for already")
}

// The pool is known by name up to a bound. What is beyond it is not announced, and nothing
// breaks.
func TestL4APoolLargerThanWeKnow(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxPool = 2
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 1), aPooled(r, 2), aPooled(r, 3)}})
	r.Advance(time.Minute)
	wantTxInv(t, r, alice, "two", wire.InvTypeTx, number(1), number(2))
	r.Give(chain.TxRemoved{Txs: []chain.TxID{aPooled(r, 3).ID, aPooled(r, 1).ID}})
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 4)}})
	if len(m.pool.byTxID) != 2 {
		t.Errorf("%d are known", len(m.pool.byTxID))
	}
	r.Leave()
}

// What the answer names need not be fetched any more.
func TestL6WhatWasMissedIsNotFetched(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	_, id := aTx(1)
	announce(r, alice, id)
	r.Reply(wantGetTx(t, r, alice, "we lack it", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{pooledTx(r, id, 0)}})
	if s := status(r); s.TxsInFlight != 0 {
		t.Errorf("%d are in flight, and it is in the pool", s.TxsInFlight)
	}
}

// An answer counts, as long as no more than MaxPoolChanges have come or gone meanwhile. It
// may name more than there is room for.
func TestL4AnAnswerAtTheBounds(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxPoolChanges, cfg.MaxPool = 2, 3
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 1), aPooled(r, 2)}})
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{aPooled(r, 3), aPooled(r, 4)}})
	r.WantNothing("two changes are not too many: the answer counts")
	for n, want := range map[int]bool{1: true, 2: true, 3: true, 4: false} {
		if got := m.pool.byTxID[number(n)] != nil; got != want {
			t.Errorf("transaction %d is there: %v, want %v", n, got, want)
		}
	}
}

// What has been in the pool for an hour is news no more, however we hear of it.
func TestTheAgeOfATransactionThatIsTold(t *testing.T) {
	age := DefaultBounds().MaxTxAge
	for why, hear := range map[string]func(*steptest.Rig, []chain.PoolTx){
		"an event": func(r *steptest.Rig, txs []chain.PoolTx) { r.Give(chain.TxAccepted{Txs: txs}) },
		"an answer after missed events": func(r *steptest.Rig, txs []chain.PoolTx) {
			r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
			_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
			r.Reply(asked, chain.Pool{Txs: txs})
		},
	} {
		r := newRig(t, alice)
		news, old := aPooled(r, 1), aPooled(r, 2)
		news.Added, old.Added = r.Now.Add(-age), r.Now.Add(-age-1)
		hear(r, []chain.PoolTx{old, news})
		r.Advance(time.Minute)
		wantTxInv(t, r, alice, why, wire.InvTypeTx, news.ID.TxID)
	}
}

// A read waits for a slot. The question for the pool has one of its own, and does not hide
// that.
func TestAReadThatWaitsIsNotForgottenBesideThePool(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the block")
	r.Fail(read, actor.ErrTimeout)
	r.Advance(cfg.RetryAfter)
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
	steptest.WantAsk[chain.GetPool](r, "the pool's slot is free")
	r.Late(read)
	steptest.WantAsk[chain.GetBlock](r, "Freed brings the next chance")
}

// A rebuilt relay cannot know who has asked for what RPC sent. So it announces what is news
// still, in a while.
func TestL11ARebuiltRelayAnnouncesOursAgain(t *testing.T) {
	m, specs := connect(DefaultBounds(), 16)
	r := steptest.New(t, m, specs)
	r.Give(actor.Start{Generation: 1})
	_, tips := steptest.WantAsk[chain.GetTips](r, "what is the tip?")
	r.Fail(tips, actor.ErrGone)
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Give(peer.Ready{Peer: alice})
	ours, old, tooOld, theirs := aPooled(r, 1), aPooled(r, 2), aPooled(r, 3), aPooled(r, 4)
	old.Added, tooOld.Added = r.Now.Add(-chain.NewsAge), r.Now.Add(-chain.NewsAge-1)
	theirs.Ours = false
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{ours, old, tooOld, theirs}})
	if s := status(r); s.Unbroadcast != 2 {
		t.Errorf("%d are to be announced, want two", s.Unbroadcast)
	}
	r.Advance(9 * time.Minute)
	r.Drop() // the tip, asked for again
	r.Advance(7 * time.Minute)
	wantTxInv(t, r, alice, "the two", wire.InvTypeTx, ours.ID.TxID, old.ID.TxID)
}

// What was missed is announced until somebody asks for it, if RPC sent it. What relay knew
// already it does not announce again: a peer may have asked for it.
func TestL6MissedEventsOfOurs(t *testing.T) {
	r := newRig(t, alice)
	known, missed := aPooled(r, 1), aPooled(r, 2)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{known}})
	r.M.(*Machine).unbroadcast.Asked(peer.TxName{Hash: known.ID.TxID})
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 3})
	_, asked := steptest.WantAsk[chain.GetPool](r, "what is in the pool?")
	r.Reply(asked, chain.Pool{Txs: []chain.PoolTx{known, missed}})
	if s := status(r); s.Unbroadcast != 1 {
		t.Errorf("%d are announced again, want one", s.Unbroadcast)
	}
}

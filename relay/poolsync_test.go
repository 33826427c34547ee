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

// The answer may be older than the events that come before it. They happen once more.
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

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

// After a failure the tip is asked for again. A tip that the stream brings in the meantime is newer than the answer to an old question.
func TestTheTipIsAskedForUntilItIsKnown(t *testing.T) {
	r := newRig(t, alice)
	retry := DefaultBounds().RetryAfter
	b := grow(r, genesis, 1, 0)
	r.Give(actor.Lagged{})
	_, old := steptest.WantAsk[chain.GetTips](r, "the tip is not known")
	r.Fail(old, actor.ErrBusy)
	r.Give(chain.Tips{Block: genesis.Point})
	round(r)
	r.WantNothing("the published tip is no answer: it says nothing of what was missed")
	r.Advance(retry)
	_, old = steptest.WantAsk[chain.GetTips](r, "once more")
	r.Give(actor.Lagged{})
	r.WantNothing("the port has one slot")
	r.Reply(old, chain.Tips{Block: genesis.Point})
	_, ask := steptest.WantAsk[chain.GetTips](r, "that answer may be older than what was missed")
	r.Reply(ask, chain.Tips{Block: b[0].Point})
	round(r)
	wantInv(t, r, alice, "this one is not", b[0].Hash)
	if tip := r.M.(*Machine).tip; tip != b[0].Point {
		t.Errorf("the tip is %v, want the answer's", tip)
	}
}

// A block comes while the tip is asked for. Then nobody needs the answer, and its failure
// delays nothing: when events are missed again, the tip is asked for at once.
func TestAFailureThatDoesNotMatter(t *testing.T) {
	r := newRig(t)
	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	_, asked := steptest.WantAsk[chain.GetTips](r, "what is the tip?")
	r.Give(grow(r, genesis, 1, 0)[0])
	r.Fail(asked, actor.ErrBusy)
	if at := r.M.Deadline(); !at.IsZero() {
		t.Errorf("a clock runs, to %v, and nothing is to be asked", at)
	}
	r.Give(actor.Lagged{Topic: testTopic, N: 1})
	steptest.WantAsk[chain.GetTips](r, "what is the tip?")
}

// Peers are told of a fee rate when the node has caught up. Later blocks say nothing of it.
func TestANodeCatchesUpOnce(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, Protocol: wire.FeeFilterVersion})
	_, asked := steptest.WantAsk[chain.GetPoolInfo](r, "what does the pool take?")
	r.Reply(asked, chain.PoolInfo{MinFee: 1000, MinRelayFee: 1000})
	wantFee(t, r, alice, "at once")
	r.Advance(time.Hour)
	for n := range 3 {
		r.Give(chain.Tips{Block: chain.Point{Hash: number(n + 2), Time: r.Now}})
		if at := r.M.Deadline(); !at.IsZero() {
			t.Errorf("a clock runs, to %v, and the rate is as it was", at)
		}
	}
	r.Give(peer.Ready{Peer: bob, Protocol: wire.FeeFilterVersion})
	wantFee(t, r, bob, "who comes later is told at once too")
}

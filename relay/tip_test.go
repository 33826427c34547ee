package relay

import (
	"testing"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
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

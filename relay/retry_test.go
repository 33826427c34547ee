package relay

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestL9AFailedGetTipsIsAskedAgainAfterAWhile: events were missed, and chain does not
// say what the tip is. It is asked again by the clock, and not before.
func TestL9AFailedGetTipsIsAskedAgainAfterAWhile(t *testing.T) {
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		r := newRig(t)
		r.Give(actor.Lagged{N: 3})
		_, asked := steptest.WantAsk[chain.GetTips](r, "events were missed")
		r.Fail(asked, err)
		r.WantNothing("it is not asked again at once")
		if err == actor.ErrTimeout {
			r.Late(asked)
			r.WantNothing("nor when its slot is freed")
		}
		r.Advance(DefaultBounds().RetryAfter - time.Nanosecond)
		r.WantNothing("nor before its time")
		r.Advance(time.Nanosecond)
		steptest.WantAsk[chain.GetTips](r, err.Error()+": it is asked again")
	}
}

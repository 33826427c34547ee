package steptest

import (
	"reflect"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// never is how long WantRetry waits for what is not to come.
const never = time.Hour

// WantRetry takes the first pending question of type Q, ends it without a value, and
// wants the next question of that type not before least has passed, and when most
// has. If least is zero it may come at once, and if most is zero none is to come. Effects of other kinds are dropped.
func WantRetry[Q any](r *Rig, err error, least, most time.Duration, why string) {
	r.t.Helper()
	_, asked := WantAsk[Q](r, why)
	r.Drop()
	r.Fail(asked, err)
	if err == actor.ErrTimeout {
		r.Late(asked)
	}
	wait := never
	if most > 0 {
		wait = max(least-1, 0)
	}
	r.Advance(wait)
	if (least > 0 || most == 0) && asks[Q](r) {
		r.t.Fatalf("steptest: %s: %v is asked again within %v after %v", why, reflect.TypeFor[Q](), wait, err)
	}
	if most == 0 {
		return
	}
	r.Advance(most - wait)
	if !asks[Q](r) {
		r.t.Fatalf("steptest: %s: %v is not asked again within %v after %v", why, reflect.TypeFor[Q](), most, err)
	}
}

// asks says whether a question of type Q is pending.
func asks[Q any](r *Rig) bool {
	return slices.ContainsFunc(r.pending, func(e actor.Effect) bool {
		_, is := e.Body.(Q)
		return is && e.Kind == actor.Ask
	})
}

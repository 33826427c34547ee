package steptest

import (
	"time"

	"acyclic/internal/kernel/actor"
)

// The rig holds every machine to its clock, in every test. A machine does nothing by
// itself before its Deadline, so a Tick that comes early changes nothing. If
// something comes of it, a clock was due that Deadline does not name: a live machine
// would have acted too late. When the deadline has come, the Tick moves it.

// early gives the machine a Tick at the last moment before its deadline, or now if
// that is earlier. Nothing may come of it.
func (r *Rig) early() {
	r.t.Helper()
	at, due := r.Now, r.M.Deadline()
	if !due.IsZero() && !due.After(at) {
		at = due.Add(-1)
	}
	if r.over || r.last.IsZero() || !at.After(r.last) {
		return
	}
	effects := r.run(at, actor.Input{Body: actor.Tick{}})
	if len(effects) > 0 {
		r.t.Fatalf("steptest: the deadline is %v, and an early Tick %v after the start brings:%s",
			r.since(due), r.since(at), list(effects))
	}
	if now := r.M.Deadline(); !now.Equal(due) {
		r.t.Fatalf("steptest: an early Tick %v after the start moves the deadline from %v to %v",
			r.since(at), r.since(due), r.since(now))
	}
}

// moved fails the test if the Tick that has just been given has left its deadline
// where it was. Then each batch would have a Tick.
func (r *Rig) moved() {
	r.t.Helper()
	if due := r.M.Deadline(); !r.over && !due.IsZero() && !due.After(r.Now) {
		r.t.Fatalf("steptest: %v after the start the deadline is %v, and a Tick does not move it", r.since(r.Now), r.since(due))
	}
}

// since says a time in words: as time since the rig's start.
func (r *Rig) since(at time.Time) any {
	if at.IsZero() {
		return "never"
	}
	return at.Sub(Epoch)
}

// runOutTicks is how many deadlines RunOut follows, and runOutFor how far it looks
// where there is none.
const (
	runOutTicks = 12
	runOutFor   = 48 * time.Hour
)

// RunOut lets the time go by after a test: nobody says anything more, and nothing is
// answered. Each clock of the last state must be one that Deadline names. Give it to
// Cleanup.
func (r *Rig) RunOut() {
	r.t.Helper()
	for range runOutTicks {
		if r.over || r.t.Failed() {
			return
		}
		r.Drop()
		due := r.M.Deadline()
		if due.IsZero() {
			r.Advance(runOutFor)
			return
		}
		r.Advance(max(due.Sub(r.Now), 0))
	}
}

// Leave ends the checks of a machine that the test has spoiled.
func (r *Rig) Leave() { r.over = true }

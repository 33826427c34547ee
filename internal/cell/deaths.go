package cell

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"acyclic/internal/actor"
)

// Deaths is the rule by which a node stops whose components die again and again:
// it does not get better by building them anew (law L11).
type Deaths struct {
	Max    int // so many deaths stop the node; zero: no number does
	Within time.Duration
}

// Died tells the driver of a panic, in a step or in an edge's worker, and stops
// the node when there have been too many. The death of a connection's cell ends
// that connection only, and what died of a peer's message is not counted either:
// no remote peer can stop the node by it.
func (s *System) Died(c *Cell, trace string, culprit actor.ID) {
	s.driver.Crashed(c, trace)
	rule := s.plan.Deaths
	if rule.Max == 0 || c.kind != nil || culprit != 0 {
		return
	}
	now := s.driver.Now()
	s.mu.Lock()
	s.deaths = slices.DeleteFunc(s.deaths, func(t time.Time) bool { return now.Sub(t) > rule.Within })
	s.deaths = append(s.deaths, now)
	many := len(s.deaths) >= rule.Max
	s.mu.Unlock()
	if many {
		s.driver.Halt(fmt.Errorf("%d components died within %v, the last was %s: see the log for their traces",
			rule.Max, rule.Within, c.Name))
	}
}

// build makes a machine. One that cannot be made dies at its first input, which
// is contained like any other death.
func build(make func() actor.Machine) (m actor.Machine) {
	defer func() {
		if r := recover(); r != nil {
			m = stillborn{fmt.Sprintf("it cannot be built: %v\n%s", r, debug.Stack())}
		}
	}()
	return make()
}

// stillborn takes the place of a machine that cannot be made.
type stillborn struct{ why string }

// Step panics with the reason.
func (s stillborn) Step(time.Time, actor.Input, *actor.Outbox) { panic(s.why) }

// Deadline is never.
func (s stillborn) Deadline() time.Time { return time.Time{} }

// Check finds nothing: what is wrong shows at once.
func (s stillborn) Check() error { return nil }

package cell

import (
	"fmt"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Deaths says when a node stops because its components keep dying: rebuilding them does
// not help then (law L11).
type Deaths struct {
	Max    int // as many deaths stop the node; zero: no number does
	Within time.Duration
}

// Died tells the driver of a panic in a step or in an adapter's worker. When there
// have been too many, it stops the node and returns true.
//
// Two kinds of death do not count, so that no remote peer can stop the node: that of a
// connection's cell, which ends only the connection, and that of a component that died
// of a connection's input.
func (s *System) Died(c *Cell, trace string, culprit actor.ID) (last bool) {
	c.deaths.Add(1)
	s.driver.Crashed(c, trace)
	rule := s.plan.Deaths
	if rule.Max == 0 || c.kind != nil || culprit != 0 {
		return false
	}
	now := s.driver.Now()
	s.mu.Lock()
	s.deaths = slices.DeleteFunc(s.deaths, func(t time.Time) bool { return now.Sub(t) > rule.Within })
	if last = len(s.deaths)+1 >= rule.Max; !last {
		s.deaths = append(s.deaths, now)
	}
	s.mu.Unlock()
	if last {
		s.driver.Halt(fmt.Errorf("%d components died within %v, the last was %s: see the log for their traces",
			rule.Max, rule.Within, c.Name))
	}
	return last
}

// endCell orders a spawned cell to end, the first time only: its control lane
// has room for one order.
func (s *System) endCell(from *Cell, to actor.ID, end actor.End) {
	c := s.Lookup(to)
	if c == nil || c.kind == nil || c.endSent.Swap(true) {
		return
	}
	s.post(to, mailbox.Envelope{
		In:   actor.Input{Body: end, From: from.ID},
		Lane: actor.Control, Queued: mailbox.Stamp(from.now),
	})
}

// build makes a machine. A machine that cannot be made dies at its first input, and that
// death is contained like any other.
func build(make func() actor.Machine) (m actor.Machine) {
	if why := contain(func() { m = make() }); why != "" {
		return stillborn{"it cannot be built: " + why}
	}
	return m
}

// stillborn stands for a machine that cannot be made.
type stillborn struct{ why string }

// Step panics with the reason.
func (s stillborn) Step(time.Time, actor.Input, *actor.Outbox) { panic(s.why) }

// Deadline is never.
func (s stillborn) Deadline() time.Time { return time.Time{} }

// Check finds nothing: the first step shows what is wrong.
func (s stillborn) Check() error { return nil }

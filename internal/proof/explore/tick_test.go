package explore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// sleeper wants a Tick a second after its Start. It has beliefs about the Tick.
type sleeper struct {
	Begun bool
	Due   time.Time
	Late  int // inputs since its deadline came
	Wrong string
	// The beliefs.
	Immortal bool // it does not die in its Tick
	Soon     bool // at most one input comes between the deadline and the Tick
}

func (m *sleeper) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if !m.Due.IsZero() && !now.Before(m.Due) {
		m.Late++
	}
	switch b := in.Body.(type) {
	case actor.Start:
		if m.Immortal && b.Generation > 0 && now.After(Epoch) {
			m.Wrong = "it died when its Start was long over"
		}
		m.Due = now.Add(time.Second)
	case actor.Tick:
		if m.Soon && m.Late > 2 {
			m.Wrong = "two inputs came between its deadline and its Tick"
		}
		m.Due, m.Late = time.Time{}, 0
	}
}
func (m *sleeper) Deadline() time.Time { return m.Due }
func (m *sleeper) Check() error {
	if m.Wrong != "" {
		return errors.New(m.Wrong)
	}
	return nil
}

// caller brings a cell two control inputs.
type caller struct{ Left int }

func (e *caller) Moves(*World) (all []Move) {
	if e.Left > 0 {
		all = append(all, Move{Kind: Act})
	}
	return all
}
func (e *caller) Do(w *World, _ Move) {
	e.Left--
	w.Sys.Deliver(adapterID, parentID, actor.Control, packet{}, 0)
}
func (e *caller) Tell(*World, actor.ID, actor.ID, any)     {}
func (e *caller) Serve(*World, actor.ID, any) (answer any) { return reply{} }
func (e *caller) Answered(*World, actor.ID, actor.Input)   {}
func (e *caller) Name(Move) string                         { return "the caller calls" }

func sleeping(calls, crashes int, m sleeper) *Scenario {
	return &Scenario{
		Plan: func(*World) *cell.Plan {
			return &cell.Plan{
				Cells:    []cell.Static{{ID: parentID, Name: "sleeper", Build: func(uint32) actor.Machine { c := m; return &c }}},
				Adapters: []cell.Adapter{{ID: adapterID, Name: "adapter", Handler: served}},
			}
		},
		Env:   func() Env { return &caller{calls} },
		Jumps: 1, Crashes: crashes,
	}
}

// A Tick is a step like others. A cell may die in it. It may come after any number of
// more urgent inputs, as in a batch.
func TestATickHasAllItsOrders(t *testing.T) {
	for _, how := range []struct {
		name string
		as   fault
	}{
		{"input by input", func(*Scenario) {}}, {"batch by batch", func(sc *Scenario) { sc.Whole = true }}, {"inputs out of batches", hands},
	} {
		for _, c := range []struct {
			sc   *Scenario
			says string
		}{
			{sleeping(0, 1, sleeper{Immortal: true}), "it died when its Start was long over"},
			{sleeping(2, 0, sleeper{Soon: true}), "two inputs came between its deadline and its Tick"},
			{sleeping(1, 0, sleeper{Soon: true}), ""},
		} {
			how.as(c.sc)
			r := Explore(c.sc, Bounds{})
			if !strings.Contains(r.Violation, c.says) || c.says == "" && r.Violation != "" {
				t.Errorf("%s: found %q (%v), want %q", how.name, r.Violation, r, c.says)
			}
		}
	}
}

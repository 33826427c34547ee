package explore

import (
	"errors"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
)

// forwarder asks two cells in one step. The first of them asks the second.
type forwarder struct{ Ports []actor.Port[question, reply] }

func (m *forwarder) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		if len(m.Ports) < 2 {
			return // it asks when it is asked
		}
	case question:
		b.Call(in).Answer(out, reply{})
	default:
		return
	}
	for _, p := range m.Ports {
		p.Ask(out, 0, question{N: len(m.Ports)})
	}
}
func (m *forwarder) Deadline() time.Time { return time.Time{} }
func (m *forwarder) Check() error        { return nil }

// believer expects the first question from the cell that asks two.
type believer struct{ Heard []int }

func (m *believer) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	if b, ok := in.Body.(question); ok {
		b.Call(in).Answer(out, reply{})
		m.Heard = append(m.Heard, b.N)
	}
}
func (m *believer) Deadline() time.Time { return time.Time{} }
func (m *believer) Check() error {
	if len(m.Heard) > 0 && m.Heard[0] != 2 {
		return errors.New("the consequence came before its cause's other effect")
	}
	return nil
}

// A machine may believe that no cell runs between two effects of a step. Only effects
// performed one by one show that it is wrong.
func TestEffectsOneByOneFindWhatStepsHide(t *testing.T) {
	sc := &Scenario{
		Plan: func(*World) *cell.Plan {
			var ap, op actor.Ports
			first := actor.Connect[question](&ap, "to.other", actor.Ref[answerer](otherID), 1, time.Second)
			second := actor.Connect[question](&ap, "to.target", actor.Ref[answerer](targetID), 1, time.Second)
			onward := actor.Connect[question](&op, "on.target", actor.Ref[answerer](targetID), 1, time.Second)
			return &cell.Plan{Cells: []cell.Static{
				{ID: askerID, Name: "asker", Ports: ap.Specs, Build: func(uint32) actor.Machine {
					return &forwarder{[]actor.Port[question, reply]{first, second}}
				}},
				{ID: otherID, Name: "other", Ports: op.Specs, Build: func(uint32) actor.Machine {
					return &forwarder{[]actor.Port[question, reply]{onward}}
				}},
				{ID: targetID, Name: "target", Build: func(uint32) actor.Machine { return &believer{} }},
			}}
		},
		Env: func() Env { return &nothing{} },
	}
	if r := Explore(sc, Bounds{}); r.Violation != "" || !r.Complete {
		t.Errorf("step by step: found %q", r.Violation)
	}
	sc.Fine = true
	if r := Explore(sc, Bounds{}); r.Violation == "" {
		t.Errorf("effect by effect: found nothing (%v)", r)
	}
}

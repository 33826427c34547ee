package cell

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// byHand is a driver whose test runs the cells.
type byHand struct {
	now    time.Time
	halted []error
	ended  []string
	woken  func(*Cell)
}

func (d *byHand) Wake(c *Cell) {
	if d.woken != nil {
		d.woken(c)
	}
}
func (d *byHand) Adopt(*Cell)                  {}
func (d *byHand) Spawned(*Cell)                {}
func (d *byHand) Ended(c *Cell, reason string) { d.ended = append(d.ended, c.Name) }
func (d *byHand) Crashed(*Cell, string)        {}
func (d *byHand) Credited(*Cell)               {}
func (d *byHand) Log(*Cell, actor.Record)      {}
func (d *byHand) Halt(err error)               { d.halted = append(d.halted, err) }
func (d *byHand) Now() time.Time               { return d.now }

// turn lets a cell take and handle one batch.
func turn(s *System, d *byHand, id actor.ID) {
	c := s.Lookup(id)
	batch, _, what := c.Mail.Take(d.now, nil)
	if what != mailbox.Over {
		s.Run(c, d.now, batch)
	}
}

type (
	answerer struct{}
	query    struct{ actor.Asks[reply, answerer] }
	reply    struct{}
	die      struct{}
)

// scripted does what its test says.
type scripted struct {
	step     func(now time.Time, in actor.Input, out *actor.Outbox)
	deadline func() time.Time
}

func (m scripted) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if m.step != nil {
		m.step(now, in, out)
	}
}
func (m scripted) Deadline() time.Time {
	if m.deadline != nil {
		return m.deadline()
	}
	return time.Time{}
}
func (scripted) Check() error { return nil }

// A cell that is told to stop while it is being rebuilt loses that with its mailbox, and
// is told again.
func TestL8StopDuringARebuild(t *testing.T) {
	var s *System
	d := &byHand{now: time.Unix(100, 0)}
	s = New(&Plan{Cells: []Static{{ID: 1, Name: "cell", Control: 1, Build: func(gen uint32) actor.Machine {
		if gen == 1 {
			s.RequestStop(s.Lookup(1), d.now)
		}
		return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
			switch in.Body.(type) {
			case die:
				panic("it dies")
			case actor.Stop:
				out.Finish("stopped")
			}
		}}
	}}}}, d)
	s.Deliver(0, 1, actor.Control, die{}, 0)
	turn(s, d, 1)
	turn(s, d, 1)
	if len(d.ended) != 1 || len(d.halted) != 0 {
		t.Errorf("ended %v, halted %v, want the end of the cell", d.ended, d.halted)
	}
}

// Whoever takes Stop, or loses it in a crash, must find that the cell is to stop.
func TestL8ACellIsStoppingBeforeItIsTold(t *testing.T) {
	told := false
	d := &byHand{woken: func(c *Cell) {
		told = true
		if !c.stopping.Load() {
			t.Error("Stop is queued, and the cell is not stopping")
		}
	}}
	s := New(&Plan{Cells: []Static{{ID: 1, Name: "cell", Build: func(uint32) actor.Machine { return scripted{} }}}}, d)
	c := s.Lookup(1)
	c.Mail.Rest()
	s.RequestStop(c, d.now)
	if !told {
		t.Error("the cell is not woken")
	}
}

// Deadline panics after a step that asked and spawned. What the step wanted has been done,
// so the death must not undo it: the question is open and gets its answer.
func TestL11ADeadlineThatPanicsUndoesNothing(t *testing.T) {
	var ports actor.Ports
	ask := actor.Connect[query](&ports, "ask", actor.Ref[answerer](2), 1, time.Minute)
	var ends []error
	var calls []actor.Call[reply]
	d := &byHand{now: time.Unix(100, 0)}
	s := New(&Plan{Cells: []Static{
		{ID: 1, Name: "asker", Ports: ports.Specs, Build: func(gen uint32) actor.Machine {
			asked := false
			return scripted{
				step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
					switch in.Body.(type) {
					case actor.Start:
						if gen == 0 {
							_, asked = ask.Ask(out, 0, query{})
						}
					case reply, actor.Freed:
						ends = append(ends, in.Err)
					}
				},
				deadline: func() time.Time {
					if asked {
						panic("no deadline")
					}
					return time.Time{}
				},
			}
		}},
		{ID: 2, Name: "answerer", Build: func(uint32) actor.Machine {
			return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
				if q, ok := in.Body.(query); ok {
					calls = append(calls, q.Call(in))
				}
			}}
		}},
	}}, d)
	s.Start(d.now)
	turn(s, d, 1)
	c := s.Lookup(1)
	if got := c.Stats(); got.Deaths != 1 || c.Mail.Free(0) != 0 {
		t.Fatalf("%d deaths, %d free slots, want a death and the question open", got.Deaths, c.Mail.Free(0))
	}
	turn(s, d, 2)
	if len(calls) != 1 || !s.reply(s.Lookup(2), calls[0].Raw(), reply{}, nil, d.now) {
		t.Fatalf("%d questions arrived", len(calls))
	}
	turn(s, d, 1)
	if fmt.Sprint(ends) != "[<nil>]" || c.Mail.Free(0) != 1 {
		t.Errorf("the successor has seen %v, and has %d free slots, want the slot freed once", ends, c.Mail.Free(0))
	}
}

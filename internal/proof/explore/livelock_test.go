package explore

import (
	"math"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
)

// said is the value of an echo's topic.
type said struct{ N int }

// echo answers each value of the other echo with the next value.
type echo struct {
	Mine  actor.State[said]
	Begin time.Duration // after which it says something unasked; zero: never
	Count int           // of its values; after the last comes the first
	Stops bool          // after the last comes none
	At    time.Time
}

func (m *echo) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		if m.Begin > 0 {
			m.At = now.Add(m.Begin)
		}
	case actor.Tick:
		m.At = time.Time{}
		m.Mine.Set(out, 0, said{0})
	case said:
		if next := (b.N + 1) % m.Count; next > 0 || !m.Stops {
			m.Mine.Set(out, 0, said{next})
		}
	}
}
func (m *echo) Deadline() time.Time { return m.At }
func (m *echo) Check() error        { return nil }

// echoes are two cells that hear each other. The first begins when the clock jumps, or,
// without a jump, at rest.
func echoes(count, jumps int, stops bool) *Scenario {
	return &Scenario{
		Name: "two cells that answer each other",
		Plan: func(*World) *cell.Plan {
			build := func(mine actor.TopicID, begin time.Duration) func(uint32) actor.Machine {
				return func(uint32) actor.Machine {
					return &echo{Mine: actor.State[said]{ID: mine}, Begin: begin, Count: count, Stops: stops}
				}
			}
			return &cell.Plan{
				Cells: []cell.Static{
					{ID: askerID, Name: "one", Build: build(1, time.Second)},
					{ID: otherID, Name: "two", Build: build(2, 0)},
				},
				Topics: []bus.Topic{
					{ID: 1, Name: "of one", Kind: actor.StateTopic, Subs: []actor.ID{otherID}},
					{ID: 2, Name: "of two", Kind: actor.StateTopic, Subs: []actor.ID{askerID}},
				},
			}
		},
		Env:   func() Env { return &nothing{} },
		Jumps: jumps, Settle: 3 * (1 - jumps),
	}
}

// Cells that keep each other busy for ever never come to rest, and what is checked there
// is never checked. So moves that may be repeated for ever are a violation, however many
// they are.
func TestWhatIsRepeatedForEverIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		sc   *Scenario
		says string
	}{
		{"two values", echoes(2, 1, false), "2 moves lead back"},
		{"six values", echoes(6, 1, false), "6 moves lead back"},
		{"after a deadline at rest", echoes(6, 0, false), "when deadlines come"},
		{"it ends", echoes(6, 1, true), ""},
		{"it ends, after a deadline at rest", echoes(6, 0, true), ""},
	} {
		r := Explore(c.sc, Bounds{States: 1000})
		if c.says == "" && (r.Violation != "" || !r.Complete || r.Rests == 0) {
			t.Errorf("%s: found %q (%v)", c.name, r.Violation, r)
		}
		if !strings.Contains(r.Violation, c.says) {
			t.Errorf("%s: found %q (%v), want %q", c.name, r.Violation, r, c.says)
		}
	}
}

// The trace goes to where the ring begins, and once around it.
func TestTheTraceOfARingGoesOnceAround(t *testing.T) {
	r := Explore(echoes(4, 1, false), Bounds{})
	for i, line := range r.Trace[max(0, len(r.Trace)-4):] {
		cell := []string{"one", "two"}[i%2]
		if !strings.Contains(line, cell+" takes explore.said") {
			t.Errorf("%q, want that %s hears the other", line, cell)
		}
	}
	if len(r.Trace) != 5+4 || r.Steps != 5+4 {
		t.Errorf("%d moves, want 5 and once around the 4:\n%s", r.Steps, strings.Join(r.Trace, "\n"))
	}
}

// Cells that ask each other for ever come to no state twice, since no ticket is used
// twice. Such a search has no end and reaches its bound.
func TestQuestionsForEverHaveNoEnd(t *testing.T) {
	sc := asking(false, 2, func(a *asker, _ *target) { a.Left = math.MaxInt })
	sc.Jumps, sc.Crashes, sc.Stop = 0, 0, false
	if r := Explore(sc, Bounds{States: 1000}); r.Complete || r.Violation != "" {
		t.Errorf("found %q (%v), want no end", r.Violation, r)
	}
}

package live

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// A step that panics kills only its cell. Its askers get ErrGone. The cell is rebuilt and
// answers again. Three deaths in a minute stop the node.
func TestL11AComponentMayDie(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, get := duet(0)
		n := New(&logs{}).Wire(plan)
		n.Start()
		for death := 1; death < maxDeaths; death++ {
			if _, err := ask(n, left, flag{}, pong{}); err != nil {
				t.Fatal(err)
			}
			if _, err := ask(n, left, ping{}, pong{}); !errors.Is(err, actor.ErrGone) {
				t.Fatalf("death %d: the asker gets %v, want ErrGone", death, err)
			}
			if _, err := ask(n, left, ping{}, pong{}); err != nil {
				t.Fatalf("death %d: the cell that was rebuilt says %v", death, err)
			}
			if _, err := ask(n, right, ping{}, pong{}); err != nil {
				t.Fatalf("death %d: the other cell says %v", death, err)
			}
			if n.Err() != nil {
				t.Fatalf("halted after %d deaths: %v", death, n.Err())
			}
		}
		if g := get(left).start; len(g) != 1 || g[0].Generation != maxDeaths-1 {
			t.Errorf("the last machine's starts: %v", g)
		}
		ask(n, left, flag{}, pong{})
		ask(n, left, ping{}, pong{})
		<-n.Halted() // three deaths in a minute
		if _, err := ask(n, left, ping{}, pong{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("the cell that has died of too many deaths says %v, want ErrGone", err)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// A component that cannot be rebuilt dies at each attempt. Questions to it end, the
// others live, and the node stops in order.
func TestL11AMachineThatCannotBeBuilt(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		build := plan.Cells[0].Build
		plan.Cells[0].Build = func(gen uint32) actor.Machine {
			if gen > 0 {
				panic("no such machine")
			}
			return build(gen)
		}
		n := New(&logs{}).Wire(plan)
		n.Start()
		if _, err := ask(n, left, flag{}, pong{}); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(n, left, ping{}, pong{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("the asker of the cell that dies gets %v", err)
		}
		<-n.Halted()
		if err := n.Err(); !strings.Contains(err.Error(), "cell 1") {
			t.Errorf("halted for %v", err)
		}
		if _, err := ask(n, right, ping{}, pong{}); err != nil {
			t.Errorf("the other cell says %v", err)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// confused is a chatter that cannot say its deadline once it has been flagged.
type confused struct{ chatter }

func (c *confused) Deadline() time.Time {
	if c.tripped {
		panic("tripped")
	}
	return time.Time{}
}

// A panic in Deadline is a death like any other. The questions of the last step are not
// asked again. The cell is rebuilt and goes on.
func TestADeadlineThatPanicsIsADeath(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Cells[0].Build = func(uint32) actor.Machine { return &confused{} }
		n := New(&logs{}).Wire(plan)
		n.Start()
		if _, err := ask(n, left, flag{}, pong{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := ask(n, left, ping{}, pong{}); err != nil {
			t.Errorf("the cell that was rebuilt says %v", err)
		}
		if n.Err() != nil || n.System().Lookup(left).Stats().Deaths != 1 {
			t.Errorf("%v after %d deaths", n.Err(), n.System().Lookup(left).Stats().Deaths)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// leaver is a machine that asks with all that its port allows, and then dies in
// that step, twice.
type leaver struct {
	ask actor.Port[ping, pong]
	got *int
	gen uint32
}

func (l *leaver) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		l.gen = e.Generation
		for l.ask.Free(out) > 0 {
			l.ask.Ask(out, 0, ping{})
		}
		if l.gen < 2 {
			panic("boom")
		}
	case pong:
		*l.got++
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (l *leaver) Deadline() time.Time { return time.Time{} }
func (l *leaver) Check() error        { return nil }

// The questions of a step that died were never sent. Their slots are free for the next
// generation.
func TestACrashedStepKeepsNoSlot(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		var ports actor.Ports
		var got int
		p := actor.Connect[ping](&ports, "ask", actor.Ref[chat](left), 3, time.Minute)
		plan.Cells = append(plan.Cells, cell.Static{ID: 4, Name: "leaver", Ports: ports.Specs,
			Build: func(uint32) actor.Machine { return &leaver{ask: p, got: &got} }})
		plan.Askers = nil
		n := New(&logs{}).Wire(plan)
		n.Start()
		synctest.Wait()
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
		if got != 3 {
			t.Errorf("the third generation has %d answers on a window of 3", got)
		}
	})
}

// A node may be halted for several reasons. The first one is the cause.
func TestTheFirstReasonToHaltCounts(t *testing.T) {
	n := New(&logs{})
	first := errors.New("first")
	n.Halt(first)
	n.Halt(errors.New("second"))
	if n.Err() != first {
		t.Errorf("halted for %v", n.Err())
	}
}

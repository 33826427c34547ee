package live

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// Two components flood each other through inboxes of the size of their windows,
// the shape in which btcd deadlocks. Here both make progress for ever, and a
// third party is answered while they do.
func TestL1NoComponentWaitsForAnother(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(1)
		n := New(&logs{}).Wire(plan)
		n.Start()
		// The client asks how many answers each has had until both have had
		// a thousand; that this loop ends is the test.
		for _, id := range []actor.ID{left, right} {
			for got := 0; got < 1000; {
				a, err := ask(n, id, ping{}, pong{})
				if err != nil {
					t.Fatal(err)
				}
				got = a.(pong).N
			}
		}
		if err := n.Stop(time.Second); err != nil {
			t.Fatal(err)
		}
	})
}

// The same two components with bounded channels and blocking sends: this test's
// own negative control. Each is in the middle of a send to the other.
func TestL1ControlBlockingSendsDeadlock(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		a, b, stop := make(chan int, 1), make(chan int, 1), make(chan struct{})
		var progress [2]atomic.Int64
		loop := func(in, out chan int, n *atomic.Int64) {
			for {
				for range 2 { // an answer, and a question of its own
					select {
					case out <- 1:
					case <-stop: // only so that the test can end
						return
					}
				}
				<-in
				n.Add(1)
			}
		}
		go loop(a, b, &progress[0])
		go loop(b, a, &progress[1])
		synctest.Wait() // every goroutine of the bubble waits for another one
		l, r := progress[0].Load(), progress[1].Load()
		time.Sleep(time.Hour) // of virtual time
		if progress[0].Load() != l || progress[1].Load() != r {
			t.Error("the blocking topology makes progress: it does not control for anything")
		}
		close(stop)
	})
}

// Stop passes a flood. The clock of the bubble stands still while the cells are
// busy, so a Stop that is starved does not miss its bound here: it hangs the test.
func TestL8StopUnderLoad(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(64)
		n := New(&logs{}).Wire(plan)
		n.Start()
		for range 100 {
			ask(n, left, ping{}, pong{})
		}
		if err := n.Stop(time.Second); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(n, left, ping{}, pong{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("a stopped cell answers with %v, want ErrGone", err)
		}
	})
}

// A cell whose step does not return is named when the bound of Stop has passed,
// and does not keep the others from stopping.
func TestL12StuckCellIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		plan, _ := duet(0)
		plan.Cells = append(plan.Cells, cell.Static{ID: 4, Name: "the stuck one",
			Build: func(uint32) actor.Machine { return stuck{release} }})
		n := New(&logs{}).Wire(plan)
		n.Start()
		err := n.Stop(time.Second)
		if !errors.Is(err, ErrStuck) || !strings.Contains(err.Error(), "the stuck one (busy with actor.Start)") {
			t.Errorf("stop says: %v", err)
		}
		close(release)
	})
}

// stuck is a machine that breaks law L1.
type stuck struct{ release chan struct{} }

func (s stuck) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	if _, ok := in.Body.(actor.Start); ok {
		<-s.release
	}
	if _, ok := in.Body.(actor.Stop); ok {
		out.Finish("")
	}
}
func (s stuck) Deadline() time.Time { return time.Time{} }
func (s stuck) Check() error        { return nil }

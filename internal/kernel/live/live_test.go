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
	"acyclic/internal/kernel/mailbox"
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

// Stop passes a flood. It is queued from inside the flood, and at most the rest of the batch
// under way, which the shares of the lanes bound, comes before it. A driver that looks at
// control more rarely is the broken variant.
func TestL8StopUnderLoad(t *testing.T) {
	shares := mailbox.DefaultShares
	batch := shares.Answers + shares.Events + shares.Questions + shares.Inbound
	if before := inputsBeforeStop(t, 0); before > batch {
		t.Errorf("%d inputs come before Stop, want at most a batch's %d", before, batch)
	}
	if before := inputsBeforeStop(t, 2*batch); before <= batch {
		t.Errorf("the check does not notice a Stop that comes two batches late: %d inputs before it", before)
	}
}

// inputsBeforeStop counts what a flooded cell is given between the queueing of Stop and
// Stop. late is for how many inputs more the broken driver keeps Stop back.
func inputsBeforeStop(t *testing.T, late int) (before int) {
	bubble.Run(t, func(t *testing.T) {
		plan, get := duet(64)
		n := New(&logs{})
		build := plan.Cells[0].Build
		plan.Cells[0].Build = func(gen uint32) actor.Machine {
			build(gen)
			return &flooded{chatter: get(left), n: n, late: late, before: &before}
		}
		n.Wire(plan).Start()
		<-n.Halted()
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
		if _, err := ask(n, left, ping{}, pong{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("a stopped cell answers with %v, want ErrGone", err)
		}
	})
	return before
}

// flooded is a chatter that has itself stopped in the middle of its flood, and halts the
// node when it is given Stop.
type flooded struct {
	*chatter
	n       *Node
	inputs  int
	stopped bool // Stop has been queued
	held    bool // Stop has come, and the broken driver keeps it back
	late    int
	before  *int
}

func (f *flooded) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if f.inputs++; f.inputs == 5000 {
		f.stopped = true
		f.n.sys.RequestStop(f.n.sys.Lookup(left), now)
	}
	if _, stop := in.Body.(actor.Stop); stop && !f.held {
		f.held = true
	} else if f.stopped {
		*f.before++
	}
	if f.held && *f.before >= f.late {
		out.Halt(errors.New("flooded"))
		out.Finish("stopped")
		return
	}
	if _, stop := in.Body.(actor.Stop); !stop {
		f.chatter.Step(now, in, out)
	}
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

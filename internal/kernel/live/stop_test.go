package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// scripted does what its test says.
type scripted struct {
	step     func(now time.Time, in actor.Input, out *actor.Outbox)
	deadline func() time.Time
}

func (m scripted) Step(now time.Time, in actor.Input, out *actor.Outbox) { m.step(now, in, out) }
func (m scripted) Deadline() time.Time {
	if m.deadline != nil {
		return m.deadline()
	}
	return time.Time{}
}
func (scripted) Check() error { return nil }

// Cells stop in their order. Each ends before the next is told. Adapters work until the
// last cell has ended, and subscribers hear until then.
func TestL8CellsStopInOrderAndAdaptersLast(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var events []string // of one goroutine at a time: each waits for the last one
		news := actor.Stream[string]{ID: 1}
		plan := &cell.Plan{
			Adapters: []cell.Adapter{{ID: outside, Name: "adapter", Workers: 1,
				Handler: adapter.HandlerFunc(func(ctx context.Context, in actor.Input) any {
					time.Sleep(time.Millisecond) // of virtual time: the subscriber has heard the news
					if ctx.Err() != nil {
						t.Error("the adapter is stopped before the cells")
					}
					return pong{}
				})}},
			Subscribers: []cell.Subscriber{{ID: 10, Name: "listener"}},
			Topics:      []bus.Topic{{ID: 1, Name: "news", Kind: actor.StreamTopic, Cap: 8, Subs: []actor.ID{10}}},
		}
		for i, stop := range []int{2, 3, 1, 2} {
			var ports actor.Ports
			p := actor.Connect[ping](&ports, "ask", actor.Ref[chat](outside), 1, time.Second)
			plan.Cells = append(plan.Cells, cell.Static{ID: actor.ID(i + 1), Name: fmt.Sprint("cell ", i), Stop: stop, Ports: ports.Specs,
				Build: func(uint32) actor.Machine {
					return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
						switch in.Body.(type) {
						case actor.Stop: // it needs the adapter to end
							news.Publish(out, fmt.Sprint("stop ", stop))
							p.Ask(out, 0, ping{})
						case pong:
							if in.Err != nil {
								t.Errorf("a cell that stops is answered with %v", in.Err)
							}
							news.Publish(out, fmt.Sprint("end ", stop))
							out.Finish("stopped")
						}
					}}
				}})
		}
		n := New(&logs{}).Wire(plan)
		n.Start()
		sub := n.Subscriber(10)
		heard := make(chan struct{})
		go func() {
			defer close(heard)
			for {
				e, err := sub.Next(context.Background())
				if err != nil {
					return
				}
				events = append(events, e.(string))
			}
		}()
		synctest.Wait()
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
		<-heard
		want := []string{"stop 1", "end 1", "stop 2", "stop 2", "end 2", "end 2", "stop 3"}
		if len(events) < len(want) || !slices.Equal(events[:len(want)], want) {
			t.Errorf("it was heard %q, want %q first", events, want)
		}
	})
}

// A question that times out before the machine's deadline ends at its time, and a deadline
// before the timeout is kept too.
func TestL9TheFirstClockWakes(t *testing.T) {
	for _, c := range []struct{ deadline, timeout time.Duration }{
		{10 * time.Second, time.Second}, {time.Second, 10 * time.Second}, {0, time.Second},
	} {
		bubble.Run(t, func(t *testing.T) {
			var ports actor.Ports
			p := actor.Connect[hold](&ports, "ask", actor.Ref[chat](right), 1, c.timeout)
			plan, _ := duet(0)
			begin := time.Now()
			var due time.Time
			if c.deadline > 0 {
				due = begin.Add(c.deadline)
			}
			seen := map[string]time.Duration{}
			plan.Cells[0].Ports = ports.Specs
			plan.Cells[0].Build = func(uint32) actor.Machine {
				return scripted{
					step: func(now time.Time, in actor.Input, out *actor.Outbox) {
						switch in.Body.(type) {
						case actor.Start:
							p.Ask(out, 0, hold{})
						case actor.Tick:
							seen["tick"] = now.Sub(begin)
							due = time.Time{}
						case pong:
							seen["timeout"] = now.Sub(begin)
						case actor.Stop:
							out.Finish("stopped")
						}
					},
					deadline: func() time.Time { return due },
				}
			}
			n := New(&logs{}).Wire(plan)
			n.Start()
			time.Sleep(time.Minute)
			synctest.Wait()
			if seen["tick"] != c.deadline || seen["timeout"] != c.timeout {
				t.Errorf("deadline %v, timeout %v: they came after %v", c.deadline, c.timeout, seen)
			}
			n.Stop(time.Second)
		})
	}
}

// Two questions come while two workers sleep. Both wake: the handlers end only when they
// work side by side.
func TestL1EachQuestionWakesAWorker(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		busy := make(chan struct{})
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 2,
			Handler: adapter.HandlerFunc(func(ctx context.Context, in actor.Input) any {
				select { // the two meet
				case busy <- struct{}{}:
				case <-busy:
				case <-ctx.Done():
				}
				return pong{}
			})}}
		var ports actor.Ports
		p := actor.Connect[ping](&ports, "ask", actor.Ref[chat](outside), 2, time.Second)
		var ends []error
		plan.Cells[0].Ports = ports.Specs
		plan.Cells[0].Control = 1
		plan.Cells[0].Build = func(uint32) actor.Machine {
			return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
				switch in.Body.(type) {
				case work:
					p.Ask(out, 0, ping{})
					p.Ask(out, 0, ping{})
				case pong:
					ends = append(ends, in.Err)
				case actor.Stop:
					out.Finish("stopped")
				}
			}}
		}
		n := New(&logs{}).Wire(plan)
		n.Start()
		synctest.Wait() // both workers sleep
		n.Deliver(0, left, actor.Control, work{}, 0)
		time.Sleep(time.Minute)
		synctest.Wait()
		if fmt.Sprint(ends) != "[<nil> <nil>]" {
			t.Errorf("the questions end with %v, want two answers", ends)
		}
		n.Stop(time.Second)
	})
}

// The bound is that of the whole stop, not of each group of the stop order: whatever
// hangs, the process ends in time. All that hangs is named.
func TestL8AStopHasOneBound(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan := &cell.Plan{}
		for i := range 3 {
			plan.Cells = append(plan.Cells, cell.Static{ID: actor.ID(i + 1), Name: fmt.Sprint("cell ", i), Stop: i, Control: 1,
				Build: func(uint32) actor.Machine {
					return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
						if in.Body == any(work{}) { // and not when it is told to stop
							out.Finish("stopped")
						}
					}}
				}})
		}
		n := New(&logs{}).Wire(plan)
		n.Start()
		begin := time.Now()
		err := n.Stop(time.Second)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("the stop took %v, its bound is a second", took)
		}
		for _, c := range plan.Cells {
			if err == nil || !strings.Contains(err.Error(), c.Name) {
				t.Errorf("the stop says %v, and not that %s hangs", err, c.Name)
			}
			n.Deliver(0, c.ID, actor.Control, work{}, 0)
		}
	})
}

// A stop waits for adapters' workers, within its bound.
func TestL12AWorkerThatHangsIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		gate := make(chan struct{})
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 1,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { <-gate; return pong{} })}}
		var ports actor.Ports
		actor.Connect[ping](&ports, "ask", actor.Ref[chat](outside), 1, time.Second)
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		n := New(&logs{}).Wire(plan)
		n.Start()
		n.Asker(10).Ask(context.Background(), 0, outside, ping{}, pong{})
		if work := n.System().Lookup(outside).Work(nil); len(work) != 1 || work[0].With.String() != "live.ping" {
			t.Errorf("the worker shows %v", work)
		}
		begin := time.Now()
		if err := n.Stop(time.Second); err == nil || time.Since(begin) != time.Second {
			t.Errorf("after %v of a second the stop says %v, not that a worker is left behind", time.Since(begin), err)
		}
		close(gate)
		synctest.Wait()
		if work := n.System().Lookup(outside).Work(nil); len(work) != 0 {
			t.Errorf("the worker is done, and shows %v", work)
		}
	})
}

// A read pump without credit waits until its connection's cell ends, or until it is told
// to stop.
func TestL5APumpWithoutCreditEnds(t *testing.T) {
	for name, end := range map[string]func(*Node, actor.ID, chan struct{}){
		"the cell dies":   func(n *Node, peer actor.ID, _ chan struct{}) { n.Deliver(outside, peer, actor.Control, boom{}, 0) },
		"the pump's stop": func(_ *Node, _ actor.ID, stop chan struct{}) { close(stop) },
	} {
		bubble.Run(t, func(t *testing.T) {
			plan, s := connection()
			n := New(&logs{}).Wire(plan)
			n.Start()
			peer := <-s.child
			for i := range 4 { // all its credit: the sink holds it
				n.Deliver(outside, peer, actor.Inbound, work{i}, 10)
			}
			synctest.Wait()
			over := make(chan bool, 1)
			stop := make(chan struct{})
			go func() { over <- n.AwaitCredit(peer, stop) }()
			synctest.Wait()
			end(n, peer, stop)
			select {
			case ok := <-over:
				if ok {
					t.Errorf("%s: there is credit", name)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s: the pump waits on", name)
			}
			close(s.gate)
			n.Stop(time.Second)
		})
	}
}

// A wake-up is kept for each worker, cell or pump that has found nothing and does not yet
// nap.
func TestL1AWakeUpIsKeptForEachWorker(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 2,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { return pong{} })}}
		n := New(&logs{}).Wire(plan)
		n.Start()
		synctest.Wait()
		of := func(id actor.ID) *local { return n.System().Lookup(id).Local.(*local) }
		if kept := cap(of(outside).wake); kept != 2 {
			t.Errorf("%d wake-ups are kept for 2 workers", kept)
		}
		if cell, pump := cap(of(left).wake), cap(of(left).credit.wake); cell != 1 || pump != 1 {
			t.Errorf("%d wake-ups are kept for a cell, %d for its pump, want one each", cell, pump)
		}
		n.Stop(time.Second)
	})
}

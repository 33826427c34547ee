package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
)

// The messages of the cells of these tests.
type (
	ping struct { // how many answers have you had?
		actor.Asks[pong, chat]
		N int
	}
	pong struct{ N int }
	work struct{ n int }
	boom struct{}
	hold struct{ actor.Asks[pong, chat] } // never answered
	flag struct{ actor.Asks[pong, chat] } // flags the cell to crash at its next input
	tell struct{ actor.Asks[pong, chat] } // the adapter answers it wrongly
	note struct{ text string }
	chat struct{} // answers them
)

const (
	left, right, client actor.ID = 1, 2, 3
	outside             actor.ID = 9
)

// chatter is a component that asks its neighbour as often as its window allows,
// and answers what it is asked: two of them are btcd's server and sync manager.
type chatter struct {
	Ports   struct{ Ask actor.Port[ping, pong] }
	asked   int
	got     int
	failed  int
	start   []actor.Start
	topics  topics
	told    []string
	tripped bool
}

type topics struct {
	life    actor.Ledger[note, note]
	weather actor.State[string]
}

func (c *chatter) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if c.tripped {
		panic("tripped")
	}
	switch e := in.Body.(type) {
	case actor.Start:
		c.start = append(c.start, e)
		c.talk(out)
	case pong:
		if c.got++; in.Err != nil {
			c.failed++
		}
		c.talk(out)
	case ping:
		e.Call(in).Answer(out, pong{N: c.got})
	case hold:
	case flag:
		c.tripped = true
		e.Call(in).Answer(out, pong{})
	case boom:
		panic("boom")
	case string:
		c.told = append(c.told, e)
	case actor.Stop:
		out.Finish("stopped")
	}
}

func (c *chatter) talk(out *actor.Outbox) {
	for c.Ports.Ask.To != 0 && c.Ports.Ask.Free(out) > 0 {
		c.Ports.Ask.Ask(out, 0, ping{N: c.asked})
		c.asked++
	}
}
func (c *chatter) Deadline() time.Time { return time.Time{} }
func (c *chatter) Check() error        { return nil }

// logs counts records.
type logs struct{ n atomic.Int64 }

func (l *logs) Record(string, actor.ID, actor.Record) { l.n.Add(1) }

// maxDeaths in a minute stop the node.
const maxDeaths = 3

// duet is a plan of two chatters and a client; window 0 keeps a side silent.
func duet(window int) (*cell.Plan, func(actor.ID) *chatter) {
	made := map[actor.ID]*chatter{}
	plan := &cell.Plan{Deaths: cell.Deaths{Max: maxDeaths, Within: time.Minute}}
	for _, id := range []actor.ID{left, right} {
		var ports actor.Ports
		var p struct{ Ask actor.Port[ping, pong] }
		if window > 0 {
			p.Ask = actor.Connect[ping](&ports, "ask", actor.Ref[chat](left+right-id), window, time.Minute)
		}
		plan.Cells = append(plan.Cells, cell.Static{
			ID: id, Name: fmt.Sprintf("cell %d", id), Ports: ports.Specs,
			Build: func(uint32) actor.Machine {
				m := &chatter{Ports: p}
				made[id] = m
				return m
			},
		})
	}
	var ports actor.Ports
	actor.Connect[ping](&ports, "client", actor.Ref[chat](0), 4, time.Second)
	for i := range plan.Cells { // the client may have 4 questions at each
		actor.Connect[ping](&ports, "client", actor.Ref[chat](plan.Cells[i].ID), 4, time.Second)
	}
	plan.Askers = []cell.Asker{{ID: client, Name: "client", Ports: ports.Specs}}
	return plan, func(id actor.ID) *chatter { return made[id] }
}

var portOf = map[actor.ID]int{left: 1, right: 2}

func ask(n *Node, to actor.ID, q, none any) (any, error) {
	return n.Asker(client).Ask(context.Background(), portOf[to], to, q, none)
}

// Two components flood each other through inboxes of the size of their windows,
// the shape in which btcd deadlocks. Here both make progress for ever, and a
// third party is answered while they do.
func TestL1NoComponentWaitsForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

// A step that panics kills only its cell. Its askers get ErrGone. The cell is rebuilt and
// answers again. Three deaths in a minute stop the node.
func TestL11AComponentMayDie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

// A question that is never answered ends in ErrTimeout, at its time. Its slot stays
// taken, and the next askers get ErrBusy.
func TestL2TimeoutEndsAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan, _ := duet(0)
		n := New(&logs{}).Wire(plan)
		n.Start()
		for range 4 {
			before := time.Now()
			if _, err := ask(n, left, hold{}, pong{}); !errors.Is(err, actor.ErrTimeout) {
				t.Fatalf("%v, want ErrTimeout", err)
			}
			if d := time.Since(before); d != time.Second {
				t.Errorf("it took %v of virtual time, want a second", d)
			}
		}
		if _, err := ask(n, left, hold{}, pong{}); !errors.Is(err, actor.ErrBusy) {
			t.Errorf("a fifth question over a window of four: %v, want ErrBusy", err)
		}
		n.Stop(time.Second)
	})
}

// An adapter's workers answer side by side. One that panics, or that answers with
// another type than the question asks for, is an ErrGone for its asker. An adapter
// that hangs delays only its askers.
func TestAdaptersAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Adapters = append(plan.Adapters, cell.Adapter{ID: outside, Name: "adapter", Workers: 2,
			Handler: adapter.HandlerFunc(func(ctx context.Context, in actor.Input) any {
				switch q := in.Body.(type) {
				case ping:
					return pong{N: q.N}
				case hold:
					<-ctx.Done()
					return pong{}
				case tell:
					return "no pong"
				}
				panic("boom")
			})})
		var ports actor.Ports
		p := actor.Connect[ping](&ports, "ping", actor.Ref[chat](outside), 1, time.Second)
		h := actor.Connect[hold](&ports, "hold", actor.Ref[chat](outside), 1, time.Second)
		f := actor.Connect[flag](&ports, "flag", actor.Ref[chat](outside), 1, time.Second)
		w := actor.Connect[tell](&ports, "tell", actor.Ref[chat](outside), 1, time.Second)
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		n := New(&logs{}).Wire(plan)
		n.Start()
		a, ctx := n.Asker(10), context.Background()
		if _, err := adapter.Ask(ctx, a, h, hold{}); !errors.Is(err, actor.ErrTimeout) {
			t.Errorf("a worker that hangs: %v", err)
		}
		if got, err := adapter.Ask(ctx, a, p, ping{N: 5}); err != nil || got.N != 5 {
			t.Errorf("the other worker says %v, %v", got, err)
		}
		if _, err := adapter.Ask(ctx, a, f, flag{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("a worker that panics: %v", err)
		}
		if _, err := adapter.Ask(ctx, a, w, tell{}); !errors.Is(err, actor.ErrGone) {
			t.Errorf("a worker that answers with another type: %v", err)
		}
		if deaths := n.System().Lookup(outside).Stats().Deaths; deaths != 2 {
			t.Errorf("%d deaths of the adapter, want those of the panic and of the wrong answer", deaths)
		}
		if _, err := adapter.Ask(ctx, a, p, ping{}); err != nil {
			t.Errorf("the adapter after a panic: %v", err)
		}
		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// The slots of questions that were given up come free with their answers, also if all
// slots of a port are taken. A client that hangs up again and again while the node is
// busy is answered when the node is not.
func TestGivenUpQuestionsKeepNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		plan, _ := duet(0)
		plan.Adapters = append(plan.Adapters, cell.Adapter{ID: outside, Name: "adapter", Workers: 1,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { <-gate; return pong{} })})
		var ports actor.Ports
		p := actor.Connect[ping](&ports, "ping", actor.Ref[chat](outside), 2, time.Minute)
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		n := New(&logs{}).Wire(plan)
		n.Start()
		a := n.Asker(10)
		for range 2 {
			ctx, hangUp := context.WithTimeout(context.Background(), time.Second)
			if _, err := adapter.Ask(ctx, a, p, ping{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			hangUp()
		}
		if _, err := adapter.Ask(context.Background(), a, p, ping{}); !errors.Is(err, actor.ErrBusy) {
			t.Errorf("a third question over a window of two: %v, want ErrBusy", err)
		}
		close(gate)
		synctest.Wait()
		if _, err := adapter.Ask(context.Background(), a, p, ping{}); err != nil {
			t.Errorf("the earlier questions have been answered, and a new one gets %v", err)
		}
		n.Stop(time.Second)
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
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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

package live

import (
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/proof/bubble"
)

// diary is a Logger that keeps what it is given.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) Record(subsystem string, id actor.ID, rec actor.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, _, _ := strings.Cut(rec.Msg, "\n")
	d.lines = append(d.lines, fmt.Sprintf("%s %v: %s", subsystem, id, first))
}

// What a cell logs reaches the logger, and so does the death of a cell or of a worker, with
// what it panicked of.
func TestL12TheLoggerIsTold(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Cells[0].Control = 2
		plan.Cells[0].Build = func(uint32) actor.Machine {
			return scripted{step: func(_ time.Time, in actor.Input, out *actor.Outbox) {
				switch in.Body.(type) {
				case work:
					out.Log(actor.Info, "hello")
				case boom:
					panic("it dies")
				case actor.Stop:
					out.Finish("stopped")
				}
			}}
		}
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 1,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { panic("the disk is gone") })}}
		var ports actor.Ports
		p := actor.Connect[ping](&ports, "ping", actor.Ref[chat](outside), 1, time.Second)
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		d := &diary{}
		n := New(d).Wire(plan)
		n.Start()
		for _, body := range []any{work{}, boom{}} {
			n.Deliver(0, left, actor.Control, body, 0)
			synctest.Wait()
		}
		adapter.Ask(context.Background(), n.Asker(10), p, ping{})
		n.Stop(time.Second)
		want := "[cell 1 1: hello cell 1 1: a step panicked: it dies adapter 9: a step panicked: the disk is gone]"
		if got := fmt.Sprint(d.lines); got != want {
			t.Errorf("the logger is told %s, want %s", got, want)
		}
	})
}

// A connection logs under the name of its kind.
func TestL12AConnectionLogsAsItsKind(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, s := connection()
		close(s.gate)
		d := &diary{}
		n := New(d).Wire(plan)
		n.Start()
		peer := n.System().Lookup(<-s.child)
		n.Log(peer, actor.Record{Msg: "hello"})
		if want := []string{fmt.Sprintf("peer %v: hello", peer.ID)}; !slices.Equal(d.lines, want) {
			t.Errorf("the logger is told %q, want %q", d.lines, want)
		}
		n.Stop(time.Second)
	})
}

// What adapters deliver has the time at which it came.
func TestL12WhatIsDeliveredHasItsTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Cells[0].Control = 1
		n := New(&logs{}).Wire(plan) // it does not run: nothing is taken
		n.Deliver(outside, left, actor.Control, work{}, 0)
		now := time.Now()
		time.Sleep(time.Minute)
		if got := n.System().Lookup(left).Stats().Oldest; got != mailbox.Stamp(now) {
			t.Errorf("it came at %v, want %v", got, mailbox.Stamp(now))
		}
	})
}

// A pump waits when all bytes of its credit are spent, as when all messages are.
func TestL5APumpWaitsForBytes(t *testing.T) {
	for _, c := range []struct {
		bytes int
		waits bool
	}{{999, false}, {1000, true}, {1001, true}} {
		bubble.Run(t, func(t *testing.T) {
			plan, s := connection()
			n := New(&logs{}).Wire(plan)
			n.Start()
			peer := <-s.child
			n.Deliver(outside, peer, actor.Inbound, work{1}, c.bytes)
			synctest.Wait()
			credit := make(chan bool, 1)
			go func() { credit <- n.AwaitCredit(peer, nil) }()
			synctest.Wait()
			if waits := len(credit) == 0; waits != c.waits {
				t.Errorf("%d of 1000 bytes are spent, and the pump waits: %v", c.bytes, waits)
			}
			close(s.gate)
			if !<-credit {
				t.Errorf("%d bytes are back, and the pump has no credit", c.bytes)
			}
			n.Stop(time.Second)
		})
	}
}

// The goroutines of cells and workers have their names in profiles and tracebacks.
func TestL12GoroutinesHaveNames(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "the adapter", Workers: 1,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { return pong{} })}}
		n := New(&logs{}).Wire(plan)
		n.Start()
		synctest.Wait()
		var all strings.Builder
		if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`"cell":"cell 1", "id":"1"`, `"cell":"cell 2", "id":"2"`, `"cell":"the adapter", "id":"9"`} {
			if !strings.Contains(all.String(), want) {
				t.Errorf("no goroutine is labelled %s", want)
			}
		}
		n.Stop(time.Second)
	})
}

// A cell that sleeps keeps nothing alive of what it was given.
func TestASleepingCellKeepsNoInput(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		plan.Cells[0].Control = 1
		n := New(&logs{}).Wire(plan)
		n.Start()
		type large struct{ bytes [1 << 10]byte }
		given := func() weak.Pointer[large] {
			body := &large{}
			n.Deliver(outside, left, actor.Control, body, 0)
			return weak.Make(body)
		}()
		synctest.Wait()
		runtime.GC()
		if given.Value() != nil {
			t.Error("it has been handled, and is kept")
		}
		n.Stop(time.Second)
	})
}

// Each worker shows what it does while it does it.
func TestL12EachWorkerShowsItsQuestion(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		gate := make(chan struct{})
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 2,
			Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { <-gate; return pong{} })}}
		for id := range actor.ID(2) {
			var ports actor.Ports
			actor.Connect[ping](&ports, "ping", actor.Ref[chat](outside), 1, time.Minute)
			plan.Askers = append(plan.Askers, cell.Asker{ID: 10 + id, Name: fmt.Sprint("asker ", id), Ports: ports.Specs})
		}
		n := New(&logs{}).Wire(plan)
		n.Start()
		busy := func() int { return len(n.System().Lookup(outside).Work(nil)) }
		for id := range actor.ID(2) {
			go n.Asker(10+id).Ask(context.Background(), 0, outside, ping{}, pong{})
			synctest.Wait()
			if busy() != int(id)+1 {
				t.Errorf("%d questions are asked, and %d workers are busy", id+1, busy())
			}
		}
		for left := 1; left >= 0; left-- {
			gate <- struct{}{}
			synctest.Wait()
			if busy() != left {
				t.Errorf("%d questions are left, and %d workers are busy", left, busy())
			}
		}
		n.Stop(time.Second)
	})
}

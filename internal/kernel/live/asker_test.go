package live

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// A question that is never answered ends in ErrTimeout, at its time. Its slot stays
// taken, and the next askers get ErrBusy.
func TestL2TimeoutEndsAQuestion(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
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

// Each port of an asker has its own patience: a handler of RPC waits for a read as long as
// reads may take, whatever its other ports allow.
func TestL2EachPortHasItsOwnTime(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		times := []time.Duration{time.Second, time.Minute, 5 * time.Second}
		var ports actor.Ports
		for _, within := range times {
			actor.Connect[hold](&ports, "ask", actor.Ref[chat](left), 1, within)
		}
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		n := New(&logs{}).Wire(plan)
		n.Start()
		for port, within := range times {
			begin := time.Now()
			_, err := n.Asker(10).Ask(context.Background(), port, left, hold{}, pong{})
			if took := time.Since(begin); took != within || !errors.Is(err, actor.ErrTimeout) {
				t.Errorf("port %d: %v after %v, want ErrTimeout after %v", port, err, took, within)
			}
		}
		n.Stop(time.Second)
	})
}

// The slots of questions that were given up come free with their answers, also if all
// slots of a port are taken. A client that hangs up again and again while the node is
// busy is answered when the node is not.
func TestGivenUpQuestionsKeepNoSlot(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
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

// The answer to a question that was given up is not taken for that of the next one.
func TestL2ALateAnswerIsNotThatOfTheNextQuestion(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		plan, _ := duet(0)
		next := make(chan struct{})
		plan.Adapters = []cell.Adapter{{ID: outside, Name: "adapter", Workers: 2,
			Handler: adapter.HandlerFunc(func(_ context.Context, in actor.Input) any {
				q := in.Body.(ping)
				if q.N == 1 {
					<-next // its client has hung up, and has asked again
				} else {
					close(next)
					time.Sleep(time.Second)
				}
				return pong{N: q.N}
			})}}
		var ports actor.Ports
		p := actor.Connect[ping](&ports, "ping", actor.Ref[chat](outside), 2, time.Minute)
		plan.Askers = append(plan.Askers, cell.Asker{ID: 10, Name: "asker", Ports: ports.Specs})
		n := New(&logs{}).Wire(plan)
		n.Start()
		a := n.Asker(10)
		ctx, hangUp := context.WithTimeout(context.Background(), time.Second)
		defer hangUp()
		if _, err := adapter.Ask(ctx, a, p, ping{N: 1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if got, err := adapter.Ask(context.Background(), a, p, ping{N: 2}); err != nil || got.N != 2 {
			t.Errorf("the second question is answered with %v, %v", got, err)
		}
		n.Stop(time.Second)
	})
}

package live

import (
	"context"
	"errors"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

// An adapter's workers answer side by side. One that panics, or that answers with
// another type than the question asks for, is an ErrGone for its asker. An adapter
// that hangs delays only its askers.
func TestAdaptersAnswer(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
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

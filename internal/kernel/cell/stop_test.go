package cell_test

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/sim"
)

// poison makes a moody machine panic.
type poison struct{}

// moody is a machine that dies of poison, and of Stop if it is sad.
type moody struct{ sad bool }

func (m moody) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case poison:
		panic("poison")
	case actor.Stop:
		if m.sad {
			panic("it will not go")
		}
		out.Finish("stopped")
	}
}
func (moody) Deadline() time.Time { return time.Time{} }
func (moody) Check() error        { return nil }

// A cell that dies is rebuilt with an empty mailbox. If it had been told to stop, it must
// end all the same, whether the Stop was lost with the rest or it died of the Stop.
// Otherwise the node would wait for it until its bound.
func TestL8ADyingCellStopsAllTheSame(t *testing.T) {
	const id = actor.ID(1)
	for name, tc := range map[string]struct {
		sad    bool
		before []any // what stands in the mailbox before Stop
	}{
		"it is well":                            {},
		"it dies while Stop is queued":          {before: []any{poison{}}},
		"it dies twice while Stop is queued":    {before: []any{poison{}, poison{}}},
		"it dies of Stop":                       {sad: true},
		"it dies before, and would die of Stop": {sad: true, before: []any{poison{}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := sim.New(1)
			n := w.Add("node", &cell.Plan{Cells: []cell.Static{
				{ID: id, Name: "moody", Build: func(uint32) actor.Machine { return moody{tc.sad} }},
			}})
			if err := w.Run(time.Second, nil); err != nil {
				t.Fatal(err)
			}
			for _, body := range tc.before {
				n.Sys.Deliver(0, id, actor.Control, body, 0)
			}
			n.Sys.RequestStop(n.Sys.Lookup(id), w.Now)
			if err := w.Run(time.Second, nil); err != nil {
				t.Fatal(err)
			}
			if !n.Sys.Lookup(id).Ended() {
				t.Errorf("it lives, after %d deaths", n.Deaths)
			}
		})
	}
}

// A death alone is no reason to end.
func TestL11ACellIsBuiltAnew(t *testing.T) {
	w := sim.New(1)
	n := w.Add("node", &cell.Plan{Cells: []cell.Static{
		{ID: 1, Name: "moody", Build: func(uint32) actor.Machine { return moody{} }},
	}})
	n.Sys.Deliver(0, 1, actor.Control, poison{}, 0)
	if err := w.Run(time.Second, nil); err != nil {
		t.Fatal(err)
	}
	if n.Deaths != 1 || n.Sys.Lookup(1).Ended() {
		t.Errorf("%d deaths, ended %v", n.Deaths, n.Sys.Lookup(1).Ended())
	}
}

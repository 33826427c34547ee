package cell

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// What the explorer saves of a cell it gets back, in a node that has not seen it.
func TestASavedCellComesBack(t *testing.T) {
	for name, act := range map[string]func(g *stage, peer actor.ID){
		"at rest":     func(*stage, actor.ID) {},
		"with inputs": func(g *stage, peer actor.ID) { g.Deliver(outside, peer, actor.Inbound, "message", 30) },
		"stopping":    func(g *stage, peer actor.ID) { g.RequestStop(g.Lookup(peer), g.now) },
		"ordered to end": func(g *stage, peer actor.ID) {
			g.let(component, func(out *actor.Outbox) { out.End(peer, "why", false) })
		},
		"the component has ended": func(g *stage, peer actor.ID) {
			g.let(component, func(out *actor.Outbox) { out.Finish("it ends") })
		},
		"closed, and not ended":                  func(g *stage, peer actor.ID) { g.Lookup(peer).Mail.Close() },
		"the component is of another generation": func(g *stage, peer actor.ID) { g.let(component, dies) },
	} {
		g := newStage()
		peer := g.spawn()
		act(g, peer)
		other := newStage()
		for _, id := range []actor.ID{component, peer} {
			saved := g.Lookup(id).Save()
			c := other.Load(saved)
			if c != other.Lookup(id) || c.Machine() == nil {
				t.Errorf("%s: %v is not found", name, id)
			}
			got := c.Save()
			if show(got) != show(saved) || c.Mail.Stats() != g.Lookup(id).Mail.Stats() {
				t.Errorf("%s: it comes back as\n%s\nwant\n%s", name, show(got), show(saved))
			}
		}
		if g.credit(peer) != other.credit(peer) {
			t.Errorf("%s: the credit comes back as %s, want %s", name, other.credit(peer), g.credit(peer))
		}
		// A later state in which the cell is not: it is forgotten, and can come again.
		saved := g.Lookup(peer).Save()
		if other.Forget(peer); other.Lookup(peer) != nil {
			t.Errorf("%s: it is forgotten, and found", name)
		}
		if other.Load(saved); other.Lookup(peer) == nil {
			t.Errorf("%s: it comes again, and is not found", name)
		}
	}
}

// show is a snapshot without what cannot be compared.
func show(s Snapshot) string {
	return fmt.Sprint(s.ID, s.Closed, s.Gen, s.Ended, s.Stopping, s.EndSent, s.Msgs, s.Bytes, s.Box.Stats())
}

// The explorer goes back in time: the next step may be earlier, and the taker sleeps.
func TestRewind(t *testing.T) {
	g := newStage()
	g.spawn()
	c := g.Lookup(component)
	before := g.now.Add(-time.Hour)
	c.Rewind(before)
	woken := 0
	g.woken = func(*Cell) { woken++ }
	g.now = before
	g.let(component, func(*actor.Outbox) {})
	if woken != 1 || !c.now.Equal(before) {
		t.Errorf("its step is at %v, want %v; it was woken %d times", c.now, before, woken)
	}
}

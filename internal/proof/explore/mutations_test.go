package explore

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/node"
	"acyclic/internal/proof/golden"
	"acyclic/peer"
)

// inside reaches an unexported field of the kernel, to break it.
func inside(p reflect.Value, path ...string) reflect.Value {
	for _, name := range path {
		f := p.FieldByName(name)
		p = reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
	}
	return p
}

func boxOf(c *cell.Cell) reflect.Value {
	box, _ := c.Mail.Save()
	return reflect.ValueOf(box).Elem()
}

// without drops what a cell is given when drop says so.
func without(id actor.ID, drop func(e *mailbox.Envelope) bool) func(*World, *cell.Cell, []mailbox.Envelope) []mailbox.Envelope {
	return func(_ *World, c *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope {
		return slices.DeleteFunc(batch, func(e mailbox.Envelope) bool { return c.ID == id && drop(&e) })
	}
}

// losing loses answers that wait at a cell, between two of its runs, and frees their
// slots. To the mailbox these questions have had their end.
func losing(id actor.ID, lost func(e *mailbox.Envelope) bool) func(*World, *cell.Cell) {
	return func(w *World, ran *cell.Cell) {
		c := w.Sys.Lookup(id)
		box, _ := c.Mail.Save()
		answers := box.Queued(actor.Answers)
		if ran.ID != id && len(box.Queued(actor.Control)) == 0 && len(answers) > 0 && lost(&answers[0]) {
			box.TakeFirst(0)
			w.touched[id] = true
		}
	}
}

// doubled queues an answer a second time, between two runs of its asker.
func doubled(id actor.ID) func(*World, *cell.Cell) {
	return func(w *World, _ *cell.Cell) {
		c := w.Sys.Lookup(id)
		box, _ := c.Mail.Save()
		if answers := box.Queued(actor.Answers); len(answers) == 1 {
			box.Put(answers[0])
			w.touched[id] = true
		}
	}
}

// freeAtTimeout frees the slot of a question when it times out.
func freeAtTimeout(_ *World, c *cell.Cell) {
	const zombie = 4
	slots := inside(boxOf(c), "slots")
	all := inside(slots, "all")
	for i := range all.Len() {
		if s := all.Index(i); inside(s, "state").Uint() == zombie {
			port := inside(s, "port").Int()
			s.Set(reflect.Zero(s.Type()))
			inside(s, "port").SetInt(port)
			free := inside(inside(slots, "ports").Index(int(port)), "free")
			free.Set(reflect.Append(free, reflect.ValueOf(int32(i))))
		}
	}
}

// shareless takes the share of a lane away.
func shareless(id actor.ID, lane actor.Lane) func(*World, *cell.Cell) {
	return func(_ *World, c *cell.Cell) {
		if c.ID == id {
			inside(boxOf(c), "share").Index(int(lane)).SetInt(0)
		}
	}
}

// swapped puts the end of a cell before its beginning if both are queued.
func swapped(w *World, _ *cell.Cell) {
	c := w.Sys.Lookup(listenerID)
	box, _ := c.Mail.Save()
	q := box.Queued(actor.Control)
	for i := 1; i < len(q); i++ {
		if q[i].Ledger && q[i].Last && q[i-1].Ledger && !q[i-1].Last && q[i].In.From == q[i-1].In.From {
			ring := boxOf(c).FieldByName("lanes").Index(int(actor.Control))
			ring = reflect.NewAt(ring.Type(), unsafe.Pointer(ring.UnsafeAddr())).Elem()
			buf := inside(ring, "buf")
			head := int(inside(ring, "head").Int())
			for k, e := range []mailbox.Envelope{q[i], q[i-1]} {
				buf.Index((head + i - 1 + k) % buf.Len()).Set(reflect.ValueOf(e))
			}
			w.touched[c.ID] = true
		}
	}
}

// freeAtDeath frees the seat of a dead cell before its end was seen.
func freeAtDeath(w *World, _ *cell.Cell) {
	for _, l := range w.Sys.Bus().Lives() {
		if l.Dead {
			w.Sys.Bus().Drained(listenerID, l.ID, false)
			w.Sys.Bus().Drained(parentID, l.ID, true)
		}
	}
}

// shuffler keeps its list in the order of a map.
type shuffler struct{ Kids []actor.ID }

func (m *shuffler) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	if b, ok := in.Body.(born); ok {
		set := map[actor.ID]bool{b.ID: true, 1: true, 2: true, 3: true}
		m.Kids = nil
		for id := range set {
			m.Kids = append(m.Kids, id)
		}
	}
	if _, ok := in.Body.(actor.Stop); ok {
		out.Finish("stopped")
	}
}
func (m *shuffler) Deadline() time.Time { return time.Time{} }
func (m *shuffler) Check() error        { return nil }

// mutation is one law, broken in one way.
type mutation struct {
	law, what string
	scenario  func() *Scenario
	says      string // in the violation
}

var mutations = []mutation{
	{"L2", "a component answers twice", func() *Scenario {
		return asking(false, 3, func(_ *asker, m *target) { m.Twice = true })
	}, "twice"},
	{"L2", "a component never answers", func() *Scenario {
		return asking(false, 3, func(_ *asker, m *target) { m.Never = true })
	}, "given up"},
	{"L2", "an answer is lost on its way", func() *Scenario {
		sc := asking(false, 3, nil)
		sc.Deliver = without(askerID, func(e *mailbox.Envelope) bool { return e.Lane == actor.Answers && e.In.Err == nil })
		return sc
	}, "law L2"},
	{"L2", "an answer is delivered twice", func() *Scenario {
		sc := asking(false, 3, nil)
		sc.Deliver = func(_ *World, _ *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope {
			if len(batch) > 0 && batch[0].Lane == actor.Answers {
				batch = append(batch, batch[0])
			}
			return batch
		}
		return sc
	}, "law L2"},
	{"L2", "every second answer is lost where it waits", func() *Scenario {
		sc := asking(false, 3, nil)
		sc.Mutate = losing(askerID, func(e *mailbox.Envelope) bool { return e.In.Ticket%2 == 0 && e.In.Err == nil })
		return sc
	}, "law L2"},
	{"L2", "an answer is queued twice where it waits", func() *Scenario {
		sc := asking(false, 3, nil)
		sc.Mutate = doubled(askerID)
		return sc
	}, "slots that expect one"},
	{"L11", "askers do not hear of the death of their target", func() *Scenario {
		sc := asking(true, 3, nil)
		sc.Deliver = without(askerID, func(e *mailbox.Envelope) bool { return errors.Is(e.In.Err, actor.ErrGone) })
		return sc
	}, "law L2"},
	{"L11", "the death of a target is lost where it waits", func() *Scenario {
		sc := asking(true, 3, nil)
		sc.Mutate = losing(askerID, func(e *mailbox.Envelope) bool { return errors.Is(e.In.Err, actor.ErrGone) })
		return sc
	}, "law L2"},
	{"L3", "a slot is free at its timeout", func() *Scenario {
		sc := asking(true, 3, nil)
		sc.Mutate = freeAtTimeout
		return sc
	}, "no room"},
	{"L4", "a cell's seat is free before its end was seen", func() *Scenario {
		sc := coming(3, 1, 1)
		sc.Mutate = freeAtDeath
		return sc
	}, "law L4"},
	{"L5", "an adapter reads without credit: an unbounded queue", func() *Scenario {
		sc := coming(1, 1, 8)
		env := sc.Env
		sc.Env = func() Env { e := env().(*connections); e.Greedy = true; return e }
		return sc
	}, "law L5"},
	{"L5", "an adapter counts messages and not bytes", func() *Scenario {
		sc := coming(1, 1, 4)
		plan, env := sc.Plan, sc.Env
		sc.Plan = func(w *World) *cell.Plan {
			p := plan(w)
			p.Kinds[0].Credit = cell.Credit{Msgs: 9, Bytes: 2}
			return p
		}
		sc.Env = func() Env { e := env().(*connections); e.Counts = true; return e }
		return sc
	}, "bytes more on its account"},
	{"L5", "credit is not given back", func() *Scenario {
		sc := coming(1, 1, 2)
		sc.Deliver = without(listenerID, func(e *mailbox.Envelope) bool { return e.Lane == actor.Inbound })
		return sc
	}, "law L5"},
	{"L6", "a lifecycle event is dropped", func() *Scenario {
		sc := coming(1, 1, 1)
		sc.Deliver = without(listenerID, func(e *mailbox.Envelope) bool { return e.Ledger && e.Last })
		return sc
	}, "law L6"},
	{"L11", "a rebuilt subscriber is not told what stands", func() *Scenario {
		sc := coming(1, 1, 1)
		sc.Deliver = func(_ *World, c *cell.Cell, batch []mailbox.Envelope) []mailbox.Envelope {
			return slices.DeleteFunc(batch, func(e mailbox.Envelope) bool {
				return c.ID == listenerID && c.Save().Gen > 0 && e.Ledger && !e.Last
			})
		}
		return sc
	}, "law L6"},
	{"L7", "the end of a peer is told before its beginning", func() *Scenario {
		sc := coming(1, 1, 1)
		sc.Mutate = swapped
		return sc
	}, "law L7"},
	{"L7", "traffic overtakes the beginning of its peer", func() *Scenario {
		sc := coming(1, 1, 2)
		sc.Mutate = func(w *World, c *cell.Cell) { // to the kernel all are open
			open := inside(boxOf(w.Sys.Lookup(listenerID)), "open")
			open.SetMapIndex(reflect.ValueOf(actor.Child(parentID, 1)), reflect.ValueOf(true))
			w.touched[listenerID] = true
		}
		return sc
	}, "law L7"},
	{"L8", "a lane without a share", func() *Scenario {
		sc := coming(1, 1, 2)
		sc.Whole = true
		sc.Mutate = shareless(listenerID, actor.Inbound)
		return sc
	}, "repeated for ever"},
	{"L8", "Stop is lost", func() *Scenario {
		sc := coming(1, 1, 1)
		sc.Deliver = without(listenerID, func(e *mailbox.Envelope) bool { _, stop := e.In.Body.(actor.Stop); return stop })
		return sc
	}, "law L8"},
	{"L9", "a machine counts on an answer to free its slot", func() *Scenario {
		return asking(true, 3, func(a *asker, _ *target) { a.Latch = true })
	}, "law L9"},
	{"L9", "Freed is lost", func() *Scenario {
		sc := asking(true, 3, nil)
		sc.Deliver = without(askerID, func(e *mailbox.Envelope) bool { _, freed := e.In.Body.(actor.Freed); return freed })
		return sc
	}, "law L9"},
	{"L9", "two cells that answer each other for ever", func() *Scenario { return echoes(4, 1, false) }, "4 moves lead back"},
	{"L10", "the order of a map has an effect", func() *Scenario {
		sc := coming(1, 1, 1)
		sc.Twice, sc.Rest = true, nil
		plan := sc.Plan
		sc.Plan = func(w *World) *cell.Plan {
			p := plan(w)
			p.Cells[1].Build = func(uint32) actor.Machine { return &shuffler{} }
			return p
		}
		return sc
	}, "law L10"},
	{"L6", "netsync is not told that a peer is gone (the node)", func() *Scenario {
		sc := nodeScenario("", 1, 1, 0, nil, node.Chain)
		sc.Deliver = without(node.Netsync, func(e *mailbox.Envelope) bool { _, gone := e.In.Body.(peer.Gone); return gone })
		return sc
	}, "law L6"},
	{"L2", "relay's Send ends with no answer (the node)", func() *Scenario {
		sc := nodeScenario("", 1, 1, 1, nil, node.Netsync)
		sc.Deliver = without(node.Relay, func(e *mailbox.Envelope) bool { _, sent := e.In.Body.(peer.Sent); return sent })
		return sc
	}, "law L2"},
	{"L2", "relay's Send is answered and the answer lost (the node)", func() *Scenario {
		sc := nodeScenario("", 1, 1, 1, nil, node.Netsync)
		sc.Mutate = losing(node.Relay, func(e *mailbox.Envelope) bool { _, sent := e.In.Body.(peer.Sent); return sent })
		return sc
	}, "law L2"},
}

// btcdShapes are two loops that wait for each other, as btcd's do.
var btcdShapes = []struct {
	what string
	top  func() *Topology
}{
	{"two loops that wait for an answer (btcd, IsCurrent)", func() *Topology { return btcd(1, true, "B") }},
	{"two loops that wait in bounded channels (btcd #2258)", func() *Topology { return btcd(1, false, "B", "ii", "ii") }},
}

// A check that cannot fail proves nothing. Each mutation breaks one law in the kernel or
// in a component, and the explorer must say so. MUTATIONS.md lists them. The flag -v
// prints the states and moves of the shortest trace.
func TestMutationsAreCaught(t *testing.T) {
	var page strings.Builder
	page.WriteString("# What the explorer catches\n\nMade by `go test ./internal/proof/explore -run Mutations -update`. Each row is a broken kernel or component. The explorer\nmust find it and say this; `-v` prints how many states that took.\n\n| law | broken | found |\n| --- | --- | --- |\n")
	for _, m := range btcdShapes {
		r := ExploreBlocking(m.top(), Bounds{Time: time.Minute})
		if !strings.HasPrefix(r.Violation, "deadlock") {
			t.Errorf("L1 %s: found %q", m.what, r.Violation)
		}
		t.Logf("%-4s %-55s %6d states, %d moves: %s", "L1", m.what, r.States, r.Steps, r.Violation)
		fmt.Fprintf(&page, "| L1 | %s | deadlock |\n", m.what)
	}
	for _, m := range slices.Concat(mutations, blockMutations, txMutations) {
		sc := m.scenario()
		r := Explore(sc, Bounds{Time: time.Minute})
		fmt.Fprintf(&page, "| %s | %s | %s |\n", m.law, m.what, m.says)
		if !strings.Contains(r.Violation, m.says) {
			t.Errorf("%s %s: found %q (%v), want %q", m.law, m.what, r.Violation, r, m.says)
			continue
		}
		t.Logf("%-4s %-55s %6d states, %d moves: %s", m.law, m.what, r.States, r.Steps, r.Violation)
	}
	golden.Equal(t, "MUTATIONS.md", []byte(page.String()))
}

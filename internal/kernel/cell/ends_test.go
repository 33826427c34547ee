package cell

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// However a cell ends, what it owed ends too, the credit of what it had queued is back, and
// it is found no more.
func TestL11AnEndedCellOwesNothing(t *testing.T) {
	for name, end := range map[string]do{
		"it finishes": func(out *actor.Outbox) { out.Finish("it ends") },
		"it dies":     dies,
	} {
		g := newStage(func(p *Plan) { p.Deaths = Deaths{Max: 1} })
		peer := g.spawn()
		g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
		g.turn(listener)
		g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
		g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") })
		c := g.Lookup(listener)
		g.Run(c, g.now, []mailbox.Envelope{{In: actor.Input{Body: end}}}) // two questions and the traffic stay
		g.turn(component)
		const gone = "reply: the other side is gone"
		if !g.saw(component, "do", "do", gone, gone) || g.credit(peer) != "8 100" {
			t.Errorf("%s: the asker sees %q, the credit is %s", name, g.seen[component], g.credit(peer))
		}
		if !c.Ended() || len(g.built) != 0 {
			t.Errorf("%s: ended: %v; built: %q", name, c.Ended(), g.built)
		}
		// What comes later comes to nothing.
		g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") })
		if g.credit(peer) != "8 100" || g.Deliver(outside, listener, actor.Control, "late", 0) {
			t.Errorf("%s: the credit is %s", name, g.credit(peer))
		}
		if want := map[bool]string{true: "listener ended: it ends", false: "listener ended: crashed: it dies"}[name == "it finishes"]; g.log[len(g.log)-1] != want {
			t.Errorf("%s: %q", name, g.log)
		}
	}
}

// A spawned cell that has ended is gone. Its parent hears of it once, with the reason.
func TestL11AnEndedPeerIsGone(t *testing.T) {
	for name, end := range map[string]do{
		"it ends":          func(out *actor.Outbox) { out.Finish("it ends") },
		"crashed: it dies": dies,
	} {
		g := newStage()
		peer := g.spawn()
		c := g.Lookup(peer)
		var reasons []string
		g.on[component] = func(in actor.Input, _ *actor.Outbox) {
			if e, ok := in.Body.(actor.Ended); ok && e.Child == peer {
				reasons = append(reasons, e.Reason)
			}
		}
		g.let(peer, end)
		if g.Lookup(peer) != nil || slices.Contains(g.Cells(), c) || !c.Ended() {
			t.Errorf("%s: it is still found", name)
		}
		g.turn(component)
		if g.turn(component); fmt.Sprint(reasons) != fmt.Sprint([]string{name}) || !g.saw(component, "gone", "Ended") {
			t.Errorf("%s: the parent hears %q for %q", name, g.seen[component], reasons)
		}
		if g.Deliver(outside, peer, actor.Inbound, "late", 10) || g.Deliver(outside, peer, actor.Control, "late", 0) {
			t.Errorf("%s: something is delivered to it", name)
		}
		if g.log[len(g.log)-1] != c.Name+" ended: "+name {
			t.Errorf("%s: the driver is told %q", name, g.log)
		}
	}
}

// A connection's input kills a component. The connection is ordered to end, whatever it
// was that killed: its traffic, its Ready, or an answer.
func TestL11TheCulpritIsEnded(t *testing.T) {
	for name, c := range map[string]struct {
		act  func(g *stage, peer actor.ID)
		on   string
		ends bool
	}{
		"traffic": {func(g *stage, peer actor.ID) {
			g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") })
		}, "piece", true},
		"its Gone": {func(g *stage, peer actor.ID) {
			g.let(peer, func(out *actor.Outbox) { life.Close(out, "close") })
		}, "close", true},
		"an answer": {func(g *stage, peer actor.ID) {
			g.let(listener, func(out *actor.Outbox) { g.askOf.Ask(out, actor.Ref[answerer](peer), 0, query{}) })
			g.turn(peer)
			g.let(peer, func(out *actor.Outbox) { g.calls[0].Answer(out, reply{}) })
		}, "reply", true},
		"its own bug": {func(g *stage, peer actor.ID) {
			g.let(component, func(out *actor.Outbox) { weather.Set(out, 0, "value") })
		}, "value", false},
	} {
		g := newStage(func(p *Plan) { p.Deaths = Deaths{Max: 1, Within: time.Minute} })
		peer := g.spawn()
		g.on[listener] = func(in actor.Input, _ *actor.Outbox) {
			if says(in) == c.on {
				panic("it dies of it")
			}
		}
		c.act(g, peer)
		g.forget()
		g.turn(listener)
		g.turn(peer)
		if ends := slices.Contains(g.seen[peer], "End"); ends != c.ends || (len(g.halted) == 0) != c.ends {
			t.Errorf("%s: the peer sees %q; halted for %v", name, g.seen[peer], g.halted)
		}
	}
}

// One order to end is given, the first one. A component is never ordered to end.
func TestL4OneOrderToEnd(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	g.let(component, func(out *actor.Outbox) {
		out.End(listener, "why", false)
		out.End(actor.Child(component, 99), "nobody", false)
	})
	for range 3 {
		g.let(component, func(out *actor.Outbox) { out.End(peer, "why", true) })
	}
	g.turn(peer)
	g.turn(listener)
	if !g.saw(peer, "End") || !g.saw(listener) || len(g.halted) > 0 {
		t.Errorf("the peer sees %q, the listener %q; halted for %v", g.seen[peer], g.seen[listener], g.halted)
	}
}

// Max deaths within the time stop the node. Those of long ago, of a connection, and of
// what a connection sent do not count.
func TestL11TheWindowOfDeaths(t *testing.T) {
	const within = time.Minute
	for _, c := range []struct {
		at   []time.Duration // of each death
		last []bool
	}{
		{[]time.Duration{0, 1, 2, 3}, []bool{false, false, true, true}},
		{[]time.Duration{0, 1, within}, []bool{false, false, true}},
		{[]time.Duration{0, 1, within + 1, within + 2}, []bool{false, false, false, false}},
		{[]time.Duration{0, 1, within + 2, within + 3, within + 4}, []bool{false, false, false, false, true}},
	} {
		g := newStage(func(p *Plan) { p.Deaths = Deaths{Max: 3, Within: within} })
		peer := g.spawn()
		a := g.Lookup(helper)
		halts := 0
		for i, at := range c.at {
			g.now = time.Unix(100, 0).Add(at)
			if g.Died(g.Lookup(peer), "trace", 0) || g.Died(a, "trace", peer) {
				t.Errorf("%v: the death of a connection, or by one, is the last", c.at)
			}
			if last := g.Died(a, "trace", 0); last != c.last[i] {
				t.Errorf("%v: death %d is the last: %v", c.at, i, last)
			}
			if c.last[i] {
				halts++
			}
			if len(g.halted) != halts || len(g.deaths) > 2 {
				t.Errorf("%v: after %d the node has been halted %d times, want %d; %d are kept", c.at, i, len(g.halted), halts, len(g.deaths))
			}
		}
		if n := a.Stats().Deaths; n != uint32(2*len(c.at)) {
			t.Errorf("%v: %d deaths are counted", c.at, n)
		}
	}
	g := newStage()
	for range 100 {
		if g.Died(g.Lookup(helper), "trace", 0) || len(g.deaths) > 0 {
			t.Fatal("no number of deaths stops a node without a rule")
		}
	}
}

// The death that stops the node ends its cell: it is not built again.
func TestL11TheLastDeathEndsTheCell(t *testing.T) {
	g := newStage(func(p *Plan) { p.Deaths = Deaths{Max: 2, Within: time.Minute} })
	g.spawn()
	g.let(listener, dies)
	if g.let(listener, dies); !g.halts("2 components died within 1m0s, the last was listener") || fmt.Sprint(g.built) != "[2 again 1]" || !g.Lookup(listener).Ended() {
		t.Errorf("halted for %v; built %q", g.halted, g.built)
	}
}

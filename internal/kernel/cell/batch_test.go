package cell

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// Each batch has one Tick if the deadline has come, behind the answers: whoever waits for
// an answer that is there has not waited too long.
func TestL9ATickComesBehindTheAnswers(t *testing.T) {
	for _, c := range []struct {
		due  time.Duration
		late []string // what stands behind the answer
		want []string
	}{
		{-time.Hour, []string{"weather", "query"}, []string{"do", "reply", "Tick", "weather", "query"}},
		{0, []string{"weather", "query"}, []string{"do", "reply", "Tick", "weather", "query"}},
		{0, nil, []string{"do", "reply", "Tick"}},
		{1, []string{"weather", "query"}, []string{"do", "reply", "weather", "query"}},
		{1, nil, []string{"do", "reply"}},
	} {
		g := newStage()
		peer := g.spawn()
		g.let(listener, func(out *actor.Outbox) { g.askOf.Ask(out, actor.Ref[answerer](peer), 0, query{}) })
		g.turn(peer)
		g.let(peer, func(out *actor.Outbox) { g.calls[0].Answer(out, reply{}) })
		if c.late != nil {
			g.let(component, func(out *actor.Outbox) {
				weather.Set(out, 0, "weather")
				g.ask.Ask(out, 0, query{})
			})
		}
		g.Deliver(outside, listener, actor.Control, do(func(*actor.Outbox) {}), 0)
		g.forget()
		g.due[listener] = g.now.Add(c.due)
		g.turn(listener)
		if !g.saw(listener, c.want...) {
			t.Errorf("due in %v: it sees %q, want %q", c.due, g.seen[listener], c.want)
		}
	}
}

// A cell without a deadline has no Tick.
func TestL9NoDeadlineNoTick(t *testing.T) {
	g := newStage()
	g.spawn()
	g.turn(listener)
	if !g.saw(listener) {
		t.Errorf("it sees %q", g.seen[listener])
	}
}

// Time does not go back for a machine, whatever the driver's clock does.
func TestTimeDoesNotGoBack(t *testing.T) {
	var times []time.Duration
	begin := time.Unix(100, 0)
	d := &byHand{now: begin}
	s := New(&Plan{Cells: []Static{{ID: 1, Name: "cell", Control: 9, Build: func(uint32) actor.Machine {
		return scripted{step: func(now time.Time, _ actor.Input, _ *actor.Outbox) { times = append(times, now.Sub(begin)) }}
	}}}}, d)
	for _, at := range []time.Duration{0, 5, 3, 5, 6} {
		d.now = begin.Add(at)
		s.Deliver(0, 1, actor.Control, do(nil), 0)
		turn(s, d, 1)
	}
	for i, want := range []time.Duration{0, 5, 5, 5, 6} {
		if times[i] != want {
			t.Fatalf("its steps are at %v", times)
		}
	}
}

// The successor of a dead cell sees nothing of its batch, whether it died of an input, of
// a Tick or in Deadline. The credit of what it had taken is back.
func TestL11TheBatchDiesWithTheCell(t *testing.T) {
	for name, c := range map[string]struct {
		arm  func(g *stage)
		seen []string
	}{
		"an input": {func(g *stage) { g.Deliver(outside, listener, actor.Control, do(dies), 0) }, []string{"do"}},
		"a Tick": {func(g *stage) {
			g.due[listener] = g.now
			g.on[listener] = func(in actor.Input, _ *actor.Outbox) {
				if _, tick := in.Body.(actor.Tick); tick {
					g.due[listener] = time.Time{}
					panic("no time")
				}
			}
		}, []string{"Tick"}},
		"Deadline": {func(g *stage) {
			m := g.Lookup(listener).machine.(scripted)
			m.deadline = func() time.Time { panic("no time") }
			g.Lookup(listener).machine = m
		}, nil},
		"all is well": {func(*stage) {}, []string{"first", "second"}},
	} {
		g := newStage()
		peer := g.spawn()
		g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "first") })
		g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "second") })
		if got := g.credit(peer); got != "6 80" {
			t.Fatalf("%s: two messages are on their way, and its credit is %s", name, got)
		}
		c.arm(g)
		g.forget()
		g.turn(listener)
		if !g.saw(listener, c.seen...) || g.credit(peer) != "8 100" {
			t.Errorf("%s: it sees %q, and the credit is %s", name, g.seen[listener], g.credit(peer))
		}
		g.turn(listener)
		if name != "all is well" && !g.saw(listener, append(c.seen, "Start", "ready")...) {
			t.Errorf("%s: its successor sees %q", name, g.seen[listener])
		}
	}
}

// A cell that has ended sees nothing of the rest of its batch.
func TestTheBatchEndsWithTheCell(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") })
	g.Deliver(outside, listener, actor.Control, do(func(out *actor.Outbox) { out.Finish("it ends") }), 0)
	if g.turn(listener); !g.saw(listener, "do") || g.credit(peer) != "8 100" {
		t.Errorf("it sees %q, and the credit is %s", g.seen[listener], g.credit(peer))
	}
}

// The last input of a batch kills, and no Tick is given to the successor out of turn.
func TestL11NoTickAfterADeath(t *testing.T) {
	g := newStage()
	g.spawn()
	g.due[listener] = g.now
	g.let(listener, dies)
	if !g.saw(listener, "do") {
		t.Errorf("it sees %q", g.seen[listener])
	}
	g.turn(listener)
	if !g.saw(listener, "do", "Start", "ready", "Tick") {
		t.Errorf("its successor sees %q", g.seen[listener])
	}
}

// What a cell is busy with shows while it steps, and not afterwards.
func TestL12BusyWhileItSteps(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	var other actor.ID
	g.let(component, func(out *actor.Outbox) { other, _ = out.Spawn(peers, nil) })
	g.turn(other)
	busy := func(id actor.ID) string { return g.Lookup(id).Stats().BusyWith }
	for name, c := range map[string]struct {
		id   actor.ID
		last func(*actor.Outbox)
	}{
		"a step":    {component, nil},
		"a Finish":  {peer, func(out *actor.Outbox) { out.Finish("it ends") }},
		"its death": {other, dies},
	} {
		cell := g.Lookup(c.id)
		g.let(c.id, func(out *actor.Outbox) {
			if busy(c.id) != "cell.do" {
				t.Errorf("%s: it is busy with %q", name, busy(c.id))
			}
			if c.last != nil {
				c.last(out)
			}
		})
		if st := cell.Stats(); st.BusyWith != "" || st.BusySince != 0 {
			t.Errorf("%s: it has done all, and is busy with %q since %d", name, st.BusyWith, st.BusySince)
		}
	}
}

// A subscriber has handled a peer's end, and the peer's seat is free.
func TestL4ASeatIsFreeWhenAllHaveSeenTheEnd(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") })
	free := func() int { return g.Lookup(component).Seats(peers) }
	for _, c := range []struct {
		id   actor.ID
		want int
	}{{peer, 11}, {listener, 11}, {component, 12}} {
		if c.id != peer {
			g.turn(c.id)
		}
		if free() != c.want {
			t.Errorf("after %v: %d seats are free, want %d", c.id, free(), c.want)
		}
	}
	if !g.saw(listener, "gone") || !g.saw(component, "gone", "Ended") {
		t.Errorf("they see %q and %q", g.seen[listener], g.seen[component])
	}
}

package cell

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/mailbox"
)

// queued is all that waits for a cell.
func (g *stage) queued(id actor.ID) (all []mailbox.Envelope) {
	box, _ := g.Lookup(id).Mail.Save()
	for lane := range actor.NumLanes {
		all = append(all, box.Queued(actor.Lane(lane))...)
	}
	return all
}

// Each input says who sent it and since when it waits, whoever sent it.
func TestL12EachInputSaysWhoAndWhen(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	begin := g.now
	for name, c := range map[string]struct {
		act  func()
		to   actor.ID
		body string
		from actor.ID
	}{
		"a word":   {func() { g.Deliver(outside, component, actor.Control, "word", 0) }, component, "word", outside},
		"a stop":   {func() { g.RequestStop(g.Lookup(component), g.now) }, component, "Stop", 0},
		"a value":  {func() { g.let(component, func(out *actor.Outbox) { weather.Set(out, 0, "value") }) }, listener, "nil", 0},
		"a ledger": {func() { g.let(peer, func(out *actor.Outbox) { life.Close(out, "close") }) }, listener, "close", peer},
		"traffic": {func() { g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") }) },
			listener, "piece", peer},
		"a question": {func() { g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) }) }, listener, "query", component},
		"an order":   {func() { g.let(component, func(out *actor.Outbox) { out.End(peer, "why", false) }) }, peer, "End", component},
		"an answer": {func() {
			g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
			g.turn(listener)
			g.let(listener, func(out *actor.Outbox) { g.calls[0].Answer(out, reply{}) })
		}, component, "reply", listener},
		"the asker's answer": {func() {
			call, _ := g.Lookup(client).Reserve(0, listener, 0, g.now.Add(time.Second), reply{})
			g.Ask(g.Lookup(client), call, listener, query{})
			g.turn(listener)
			g.Reply(g.Lookup(listener), call, reply{}, nil)
		}, client, "reply", listener},
		"the debts of the dead": {func() {
			g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
			g.let(listener, dies)
		}, component, "reply: the other side is gone", listener},
		"a start":     {func() { g.let(listener, dies) }, listener, "Start", 0},
		"what stands": {func() { g.let(listener, dies) }, listener, "ready", peer},
		"a child":     {func() { g.let(component, dies) }, component, "Alive", peer},
		"the first start": {func() { g.let(component, func(out *actor.Outbox) { out.Spawn(peers, nil) }) },
			actor.Child(component, 2), "Start", 0},
		"an end":   {func() { g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") }) }, component, "Ended", peer},
		"its gone": {func() { g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") }) }, component, "gone", peer},
	} {
		g = newStage()
		peer = g.spawn()
		g.now = begin.Add(time.Minute)
		c.act()
		found := false
		for _, e := range g.queued(c.to) {
			body := says(e.In)
			if body == "<nil>" {
				body = "nil" // the token of a value
			}
			if body == c.body {
				found = true
				if e.In.From != c.from || e.Queued != mailbox.Stamp(g.now) {
					t.Errorf("%s: from %v at %d, want from %v at %d", name, e.In.From, e.Queued, c.from, mailbox.Stamp(g.now))
				}
			}
		}
		if !found {
			t.Errorf("%s: it is not among %+v", name, g.queued(c.to))
		}
	}
}

// A question may be refused, and a refusal is an answer.
func TestL2ARefusal(t *testing.T) {
	g := newStage()
	g.spawn()
	g.let(component, func(out *actor.Outbox) { g.ask.Ask(out, 0, query{}) })
	g.turn(listener)
	g.let(listener, func(out *actor.Outbox) { g.calls[0].Refuse(out) })
	if g.turn(component); !g.saw(component, "do", "reply: the other side is busy") {
		t.Errorf("the asker sees %q", g.seen[component])
	}
}

// Each subscriber of a piece of traffic holds the credit of its message until it has
// handled it.
func TestL5EachSubscriberHoldsTheCredit(t *testing.T) {
	g := newStage(func(p *Plan) { p.Topics[1].Subs = []actor.ID{component, listener} })
	peer := g.spawn()
	g.receive(peer, func(out *actor.Outbox) { traffic.Publish(out, "piece") })
	for _, c := range []struct {
		turn actor.ID
		want string
	}{{peer, "6 80"}, {component, "7 90"}, {listener, "8 100"}} {
		if c.turn != peer {
			g.turn(c.turn)
		}
		if got := g.credit(peer); got != c.want {
			t.Errorf("after %v the credit is %s, want %s", c.turn, got, c.want)
		}
	}
}

// A component dies of the end of a connection, which cannot be ended again. That does not
// count either: the remote peer has chosen when it ends.
func TestL11TheEndOfAConnectionMayKill(t *testing.T) {
	g := newStage(func(p *Plan) { p.Deaths = Deaths{Max: 1, Within: time.Minute} })
	peer := g.spawn()
	g.on[component] = func(in actor.Input, _ *actor.Outbox) {
		if _, ended := in.Body.(actor.Ended); ended {
			panic("it dies of it")
		}
	}
	g.let(peer, func(out *actor.Outbox) { out.Finish("it ends") })
	g.turn(component)
	g.turn(component)
	if !g.saw(component, "gone", "Ended", "Start") || len(g.halted) > 0 {
		t.Errorf("it sees %q; halted for %v", g.seen[component], g.halted)
	}
	if g.turn(listener); g.Lookup(component).Seats(peers) != 12 {
		t.Errorf("%d seats are free, want all", g.Lookup(component).Seats(peers))
	}
}

// What a mailbox must hold besides its lanes is in its spec too.
func TestL4SpecsAreWhole(t *testing.T) {
	ports := []actor.PortSpec{{Name: "port", To: 2, Window: 3, Timeout: time.Second}}
	kind := Kind{Kind: bus.Kind{ID: 1, Seats: 3}, Parent: 1, Ports: ports, Latest: 4}
	plan := &Plan{
		Cells: []Static{{ID: 1, Ports: ports}},
		Kinds: []Kind{kind},
		Topics: []bus.Topic{
			{ID: 5, Kind: actor.StreamTopic, Cap: 7, Subs: []actor.ID{1}},
			{ID: 6, Kind: actor.StreamTopic, Cap: 9, Subs: []actor.ID{2}},
			{ID: 7, Kind: actor.StateTopic, Subs: []actor.ID{1}},
		},
	}
	static, spawned := plan.Spec(1, ports), plan.KindSpec(kind)
	if fmt.Sprint(static.Ports) != fmt.Sprint(ports) || fmt.Sprint(static.Streams) != fmt.Sprint([]mailbox.Stream{{Topic: 5, Cap: 7}}) || static.States != 1 {
		t.Errorf("a static cell: %+v", static)
	}
	if fmt.Sprint(spawned.Ports) != fmt.Sprint(ports) || len(spawned.Streams) != 0 || spawned.States != 4 {
		t.Errorf("a spawned cell: %+v", spawned)
	}
}

// A rebuilt parent is told what it had given to each child.
func TestL11AliveSaysWithWhatItWasMade(t *testing.T) {
	g := newStage()
	peer := g.spawn()
	var told []any
	g.on[component] = func(in actor.Input, _ *actor.Outbox) {
		switch in.Body.(type) {
		case actor.Start, actor.Alive:
			told = append(told, in.Body)
		}
	}
	g.let(component, dies)
	g.turn(component)
	if want := []any{actor.Start{Generation: 1}, actor.Alive{Child: peer, Arg: "arg"}}; !slices.Equal(told, want) {
		t.Errorf("it is told %+v, want %+v", told, want)
	}
}

// Of each adapter a connection sees the latest value.
func TestL6TheLatestOfEachAdapter(t *testing.T) {
	g := newStage(func(p *Plan) { p.Kinds[0].Latest = 2 })
	peer := g.spawn()
	for _, e := range []struct {
		from actor.ID
		body string
		want bool
	}{{helper, "older", true}, {writer, "other", true}, {helper, "newer", true}, {outside, "one too many", false}} {
		if got := g.Deliver(e.from, peer, actor.Events, e.body, 0); got != e.want {
			t.Errorf("%s of %v is taken: %v", e.body, e.from, got)
		}
	}
	if g.turn(peer); !g.saw(peer, "newer", "other") {
		t.Errorf("it sees %q", g.seen[peer])
	}
}

package cell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
)

// The cells of a stage. The component spawns, the listener subscribes.
const (
	component actor.ID = 1
	listener  actor.ID = 2
	helper    actor.ID = 4 // an adapter with two workers
	writer    actor.ID = 5 // an adapter that is told
	client    actor.ID = 6 // an asker
	hearer    actor.ID = 7 // a subscriber
	outside   actor.ID = 9 // not in the plan

	peers actor.Kind = 1
)

var (
	life    = actor.Ledger[string, string]{ID: 1}
	traffic = actor.Traffic[any]{ID: 2}
	weather = actor.State[string]{ID: 3}
)

// do is an input that says what its cell does.
type do func(out *actor.Outbox)

// stage is a node of which the test runs each cell and says what it does.
type stage struct {
	byHand
	*System
	plan  Plan
	ask   actor.Port[query, reply]             // of the component, to the listener
	askOf actor.PortOf[query, reply, answerer] // of the listener, to a peer
	seen  map[actor.ID][]string                // inputs
	due   map[actor.ID]time.Time               // deadlines
	on    map[actor.ID]func(in actor.Input, out *actor.Outbox)
	calls []actor.Call[reply] // questions that nobody has answered
	built []string
	log   []string // what the driver and the writer are told
}

func newStage(change ...func(*Plan)) *stage {
	g := &stage{byHand: byHand{now: time.Unix(100, 0)}, seen: map[actor.ID][]string{},
		due: map[actor.ID]time.Time{}, on: map[actor.ID]func(actor.Input, *actor.Outbox){}}
	var mine, others, peer actor.Ports
	g.ask = actor.Connect[query](&mine, "ask", actor.Ref[answerer](listener), 2, time.Second)
	g.askOf = actor.ConnectOf[query](&others, "ask a peer", 3, time.Second)
	actor.Connect[query](&peer, "of a client", actor.Ref[answerer](listener), 1, time.Second)
	g.plan = Plan{
		Cells: []Static{
			{ID: component, Name: "component", Ports: mine.Specs, Control: 9, Stop: 3, Build: g.static(component)},
			{ID: listener, Name: "listener", Ports: others.Specs, Control: 9, Stop: 4, Build: g.static(listener)},
		},
		Kinds: []Kind{{Kind: bus.Kind{ID: peers, Name: "peer", Seats: 12}, Parent: component, Questions: 2, Control: 9, Stop: 1,
			Credit: Credit{Msgs: 8, Bytes: 100}, Build: func(id actor.ID, arg any) actor.Machine { return g.machine(id, fmt.Sprint(id, " ", arg)) }}},
		Adapters: []Adapter{
			{ID: helper, Name: "helper", Workers: 2, Handler: adapter.HandlerFunc(func(context.Context, actor.Input) any { return nil })},
			{ID: writer, Name: "writer", Teller: g},
		},
		Askers:      []Asker{{ID: client, Name: "client", Ports: peer.Specs}},
		Subscribers: []Subscriber{{ID: hearer, Name: "hearer"}},
		Topics: []bus.Topic{
			{ID: 1, Name: "life", Kind: actor.LedgerTopic, Subs: []actor.ID{component, listener},
				Closed: func(actor.ID, any, string) any { return "gone" }},
			{ID: 2, Name: "traffic", Kind: actor.TrafficTopic, Subs: []actor.ID{listener}},
			{ID: 3, Name: "weather", Kind: actor.StateTopic, Subs: []actor.ID{listener, hearer}},
		},
	}
	for _, c := range change {
		c(&g.plan)
	}
	g.System = New(&g.plan, g)
	return g
}

func (g *stage) static(id actor.ID) func(uint32) actor.Machine {
	return func(gen uint32) actor.Machine { return g.machine(id, fmt.Sprintf("%v again %d", id, gen)) }
}

func (g *stage) machine(id actor.ID, what string) actor.Machine {
	g.built = append(g.built, what)
	return scripted{
		step: func(now time.Time, in actor.Input, out *actor.Outbox) {
			g.seen[id] = append(g.seen[id], says(in))
			switch e := in.Body.(type) {
			case do:
				e(out)
			case query:
				g.calls = append(g.calls, e.Call(in))
			case actor.Stop:
				out.Finish("stopped")
			}
			if on := g.on[id]; on != nil {
				on(in, out)
			}
		},
		deadline: func() time.Time { return g.due[id] },
	}
}

// says names an input.
func says(in actor.Input) string {
	name := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", in.Body), "actor."), "cell.")
	if s, ok := in.Body.(string); ok {
		name = s
	}
	if in.Err != nil {
		name += ": " + in.Err.Error()
	}
	return name
}

func (g *stage) Crashed(c *Cell, trace string) {
	first, _, _ := strings.Cut(trace, "\n")
	g.log = append(g.log, c.Name+" died: "+first)
}
func (g *stage) Adopt(c *Cell)               { g.log = append(g.log, "adopt "+c.Name) }
func (g *stage) Spawned(c *Cell)             { g.log = append(g.log, "run "+c.Name) }
func (g *stage) Log(c *Cell, r actor.Record) { g.log = append(g.log, c.Subsystem()+" logs "+r.Msg) }
func (g *stage) Tell(from actor.ID, body any) {
	g.log = append(g.log, fmt.Sprint(from, " tells ", body))
}
func (g *stage) Ended(c *Cell, reason string) { g.log = append(g.log, c.Name+" ended: "+reason) }
func (g *stage) turn(id actor.ID)             { turn(g.System, &g.byHand, id) }

// let makes a cell do something in a step of its own.
func (g *stage) let(id actor.ID, what do) {
	g.Deliver(outside, id, actor.Control, what, 0)
	g.turn(id)
}

// receive makes a peer do something with a message of ten bytes.
func (g *stage) receive(id actor.ID, what do) {
	g.Deliver(outside, id, actor.Inbound, what, 10)
	g.turn(id)
}

// spawn starts all, and makes the component spawn a peer that has said it is ready.
func (g *stage) spawn() (peer actor.ID) {
	g.System.Start(g.now)
	g.let(component, func(out *actor.Outbox) { peer, _ = out.Spawn(peers, "arg") })
	g.turn(peer)
	g.let(peer, func(out *actor.Outbox) { life.Open(out, "ready") })
	g.turn(component)
	g.turn(listener)
	g.forget()
	return peer
}

func (g *stage) forget() {
	clear(g.seen)
	g.log, g.built = nil, nil
}

// saw says whether a cell has been given exactly these inputs since forget.
func (g *stage) saw(id actor.ID, want ...string) bool { return slices.Equal(g.seen[id], want) }

func (g *stage) credit(id actor.ID) string {
	msgs, bytes := g.Lookup(id).CreditLeft()
	return fmt.Sprint(msgs, " ", bytes)
}

func dies(*actor.Outbox) { panic("it dies") }

package explore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
)

// The cells of the kernel's scenarios have the smallest machines that ask, owe, spawn
// and listen. Mailboxes, bus and cells are the production ones.
const (
	askerID actor.ID = iota + 1
	otherID
	targetID
	parentID
	listenerID
	adapterID
)

const (
	life1   actor.TopicID = 1
	chatter actor.TopicID = 2
	kidKind actor.Kind    = 1
)

type (
	question struct {
		actor.Asks[reply, answerer]
		N int
	}
	reply    struct{ N int }
	answerer struct{} // the target of question

	born   struct{ ID actor.ID }
	ended  struct{ ID actor.ID }
	talk   struct{ N int }
	packet struct{ N int }
	hangup struct{}
)

// asker asks a number of questions, as many at a time as it has slots.
type asker struct {
	Port  actor.Port[question, reply]
	Left  int
	Asked int  // in all
	Ended int  // of these
	Latch bool // broken: it counts on an answer to free a slot
}

func (m *asker) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Start:
	case actor.Freed:
		if m.Latch {
			return
		}
	case reply:
		m.Ended++
	case actor.Stop:
		*m = asker{} // all dead ones are alike
		out.Finish("stopped")
		return
	}
	for m.Left > 0 {
		if _, ok := m.Port.Ask(out, 0, question{N: m.Left}); !ok {
			return // an answer, or Freed, brings us back
		}
		m.Left--
		m.Asked++
	}
}
func (m *asker) Deadline() time.Time { return time.Time{} }
func (m *asker) Check() error {
	if m.Ended > m.Asked {
		return fmt.Errorf("law L2: %d questions asked, %d ended", m.Asked, m.Ended)
	}
	return nil
}

// target answers at once. A slow one holds its questions until their time is up.
type target struct {
	Slow bool
	Held []actor.Call[reply]
	Due  time.Time
	// Broken variants.
	Twice, Never bool
}

func (m *target) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case question:
		call := b.Call(in)
		switch {
		case m.Never:
		case m.Slow:
			m.Held = append(m.Held, call)
			m.Due = now.Add(5 * time.Second)
			return
		default:
			call.Answer(out, reply{b.N})
			if m.Twice {
				call.Answer(out, reply{b.N})
			}
		}
	case actor.Tick:
		for _, call := range m.Held {
			call.Answer(out, reply{})
		}
		m.Held, m.Due = nil, time.Time{}
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (m *target) Deadline() time.Time { return m.Due }
func (m *target) Check() error        { return nil }

// parent spawns a kid when the environment brings a connection and a seat is free.
type parent struct{ Kids int }

func (m *parent) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case packet:
		if _, ok := out.Spawn(kidKind, nil); ok {
			m.Kids++
		}
	case actor.Alive:
		m.Kids++
	case actor.Ended:
		if m.Kids--; m.Kids < 0 {
			panic("a kid ends that was not there")
		}
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (m *parent) Deadline() time.Time { return time.Time{} }
func (m *parent) Check() error        { return nil }

// kid is a connection. It opens with its first packet, passes on the others, and closes
// when the other side hangs up.
type kid struct {
	ID   actor.ID
	Open bool
}

var (
	kids  = actor.Ledger[born, ended]{ID: life1}
	talks = actor.Traffic[talk]{ID: chatter}
)

func (m *kid) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case packet:
		if !m.Open {
			m.Open = true
			kids.Open(out, born{m.ID})
			return
		}
		talks.Publish(out, talk{b.N})
	case hangup, actor.Stop:
		if m.Open {
			kids.Close(out, ended{m.ID})
		}
		out.Finish("hung up")
	}
}
func (m *kid) Deadline() time.Time { return time.Time{} }
func (m *kid) Check() error        { return nil }

// listener hears of kids.
type listener struct{ Kids []actor.ID }

func (m *listener) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case born:
		m.Kids = append(m.Kids, b.ID)
	case ended:
		for i, id := range m.Kids {
			if id == b.ID {
				m.Kids = append(m.Kids[:i], m.Kids[i+1:]...)
				return
			}
		}
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (m *listener) Deadline() time.Time { return time.Time{} }
func (m *listener) Check() error        { return nil }

// nothing is an environment in which nothing happens.
type nothing struct{}

func (*nothing) Moves(*World) []Move                      { return nil }
func (*nothing) Do(*World, Move)                          {}
func (*nothing) Tell(*World, actor.ID, actor.ID, any)     {}
func (*nothing) Serve(*World, actor.ID, any) (answer any) { return reply{} }
func (*nothing) Answered(*World, actor.ID, actor.Input)   {}
func (*nothing) Name(Move) string                         { return "" }

// connections come, bring packets within their credit, and hang up.
type connections struct {
	Left    int // to come
	Packets int // of each
	Kids    []connection
	Greedy  bool // a broken adapter: it ignores the credit
	Counts  bool // a broken adapter: it ignores the credit's bytes
}

type connection struct {
	ID   actor.ID
	Left int
	Over bool
}

const (
	moveConnect = iota
	movePacket
	moveHangup
)

func (e *connections) Moves(w *World) (all []Move) {
	for id := actor.Child(parentID, 1); w.Sys.Lookup(id) != nil || int(uint32(id)) <= len(e.Kids); id++ {
		i := int(uint32(id)) - 1
		if w.Sys.Lookup(id) == nil || i < len(e.Kids) && e.Kids[i].Over {
			continue
		}
		msgs, bytes := w.Sys.Lookup(id).CreditLeft()
		if !e.Greedy && (msgs <= 0 || bytes <= 0 && !e.Counts) {
			continue
		}
		if i >= len(e.Kids) || e.Kids[i].Left > 0 {
			all = append(all, Move{Kind: Act, Cell: id, N: movePacket})
		}
		all = append(all, Move{Kind: Act, Cell: id, N: moveHangup})
	}
	if e.Left > 0 {
		all = append(all, Move{Kind: Act, N: moveConnect})
	}
	return all
}

func (e *connections) Do(w *World, m Move) {
	if m.N == moveConnect {
		e.Left--
		w.Sys.Deliver(adapterID, parentID, actor.Control, packet{}, 0)
		return
	}
	i := int(uint32(m.Cell)) - 1
	for len(e.Kids) <= i {
		e.Kids = append(e.Kids, connection{Left: e.Packets})
	}
	k := &e.Kids[i]
	if m.N == moveHangup {
		k.Over = true
		w.Sys.Deliver(adapterID, m.Cell, actor.Inbound, hangup{}, 0)
		return
	}
	k.Left--
	w.Sys.Deliver(adapterID, m.Cell, actor.Inbound, packet{N: k.Left}, 1)
}
func (e *connections) Tell(*World, actor.ID, actor.ID, any)     {}
func (e *connections) Serve(*World, actor.ID, any) (answer any) { return reply{} }
func (e *connections) Answered(*World, actor.ID, actor.Input)   {}
func (e *connections) Name(m Move) string {
	return fmt.Sprintf("%s %v", [...]string{"a connection comes", "a packet for", "the other side hangs up on"}[m.N], m.Cell)
}

var served = adapter.HandlerFunc(func(context.Context, actor.Input) any { return nil })

// asking is the scenario of questions: two askers of one target, which may be slow and
// may die.
func asking(slow bool, asks int, build func(a *asker, t *target)) *Scenario {
	return &Scenario{
		Name: fmt.Sprintf("kernel, ask and answer: %d and %d questions, slow target: %v", asks, asks-1, slow),
		Plan: func(*World) *cell.Plan {
			var ap, op actor.Ports
			a := actor.Connect[question](&ap, "asker.ask", actor.Ref[answerer](targetID), 2, 3*time.Second)
			o := actor.Connect[question](&op, "other.ask", actor.Ref[answerer](targetID), 1, 4*time.Second)
			return &cell.Plan{Cells: []cell.Static{
				{ID: askerID, Name: "asker", Ports: ap.Specs, Build: func(uint32) actor.Machine {
					m := &asker{Port: a, Left: asks}
					if build != nil {
						build(m, &target{})
					}
					return m
				}},
				{ID: otherID, Name: "other", Ports: op.Specs, Build: func(uint32) actor.Machine { return &asker{Port: o, Left: asks - 1} }},
				{ID: targetID, Name: "target", Stop: 1, Build: func(uint32) actor.Machine {
					m := &target{Slow: slow}
					if build != nil {
						build(&asker{}, m)
					}
					return m
				}},
			}}
		},
		Env:   func() Env { return &nothing{} },
		Jumps: 2, Crashes: 1, Stop: true, Settle: 30,
		Rest: func(w *World) error {
			for _, id := range []actor.ID{askerID, otherID} {
				m := w.Machine(id).(*asker)
				if m.Left > 0 {
					return fmt.Errorf("law L9: cell %v waits for ever to ask %d questions", id, m.Left)
				}
				if m.Ended != m.Asked {
					return fmt.Errorf("law L2: cell %v asked %d questions, %d ended", id, m.Asked, m.Ended)
				}
			}
			return nil
		},
	}
}

// coming is the scenario of spawned cells: connections come and go, and a listener hears
// of them.
func coming(conns, seats, packets int) *Scenario {
	return &Scenario{
		Name: fmt.Sprintf("kernel, lifecycle: %d connections, %d seats, %d packets each", conns, seats, packets),
		Plan: func(*World) *cell.Plan {
			return &cell.Plan{
				Cells: []cell.Static{
					{ID: parentID, Name: "parent", Build: func(uint32) actor.Machine { return &parent{} }},
					{ID: listenerID, Name: "listener", Stop: 2, Build: func(uint32) actor.Machine { return &listener{} }},
				},
				Kinds: []cell.Kind{{
					Kind: bus.Kind{ID: kidKind, Name: "kid", Seats: seats}, Parent: parentID, Control: 1, Latest: 1, Stop: 1,
					Build:  func(id actor.ID, _ any) actor.Machine { return &kid{ID: id} },
					Credit: cell.Credit{Msgs: 2, Bytes: 2},
				}},
				Topics: []bus.Topic{
					{ID: life1, Name: "kids", Kind: actor.LedgerTopic, Subs: []actor.ID{listenerID},
						Closed: func(id actor.ID, _ any, _ string) any { return ended{id} }},
					{ID: chatter, Name: "chatter", Kind: actor.TrafficTopic, Subs: []actor.ID{listenerID}},
				},
				Adapters: []cell.Adapter{{ID: adapterID, Name: "adapter", Handler: served}},
			}
		},
		Env:     func() Env { return &connections{Left: conns, Packets: packets} },
		Crashes: 1, Stop: true, Settle: 1, Message: 1,
		Rest: func(w *World) error {
			heard := len(w.Machine(listenerID).(*listener).Kids)
			open := 0
			for _, l := range w.Sys.Bus().Lives() {
				if l.Opened {
					open++
				}
			}
			if heard != open {
				return errors.New("the listener does not know the cells that live")
			}
			return nil
		},
	}
}

package cell

import (
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/mailbox"
)

// Plan is the wiring as a table: every cell, kind, adapter, port and subscription.
// Capacities are not in it: they are derived from it.
type Plan struct {
	Cells    []Static
	Kinds    []Kind
	Adapters []Adapter
	Askers   []Asker
	Topics   []bus.Topic
	Deaths   Deaths
}

// Static is a cell that lives as long as the node. When it dies it is built
// anew (law L11).
type Static struct {
	ID    actor.ID
	Name  string
	Build func(generation uint32) actor.Machine
	Ports []actor.PortSpec
	// Stop is the cell's turn when the node stops: lower ones first.
	Stop int
}

// Kind is a kind of cell that is spawned at run time and ends for good.
type Kind struct {
	bus.Kind
	Build     func(id actor.ID, arg any) actor.Machine
	Ports     []actor.PortSpec
	Questions int // questions one such cell may have queued; a further one is ErrBusy
	Credit    Credit
	Stop      int
}

// Credit bounds the peer traffic of one connection that is queued anywhere in
// the program; when it is spent, the socket is not read (law L5).
type Credit struct {
	Msgs  int
	Bytes int
}

// Adapter is a part that may wait. Cells tell it (Teller), ask it (Handler, served
// by Workers goroutines), or both.
type Adapter struct {
	ID      actor.ID
	Name    string
	Teller  adapter.Teller
	Handler adapter.Handler
	Workers int
	// Build makes the machine that plays this adapter in the simulator; the
	// other fields are then not used.
	Build func() actor.Machine
	Ports []actor.PortSpec // of that machine
}

// Asker is an adapter that asks cells: one question at a time.
type Asker struct {
	ID    actor.ID
	Name  string
	Ports []actor.PortSpec
}

// extra is room in each control lane for the driver's own inputs: Start, Stop.
const extra = 4

// Spec derives the capacities of the mailbox of a static cell, adapter or asker.
func (p *Plan) Spec(id actor.ID, ports []actor.PortSpec) mailbox.Spec {
	s := mailbox.Spec{Ports: ports, Control: extra, Questions: p.questions(id)}
	for _, k := range p.Kinds {
		// As a parent: an Ended each, and after a rebuild an Alive each.
		s.Control += 2 * k.Seats
	}
	for _, t := range p.Topics {
		for _, sub := range t.Subs {
			if sub == id {
				p.subscribe(&s, t)
			}
		}
	}
	return s
}

// questions is the sum of what all callers may have outstanding at id.
func (p *Plan) questions(id actor.ID) int {
	n := 0
	add := func(ports []actor.PortSpec) {
		for _, port := range ports {
			if port.To == id {
				n += port.Window
			}
		}
	}
	for _, c := range p.Cells {
		add(c.Ports)
	}
	for _, e := range p.Adapters {
		add(e.Ports)
	}
	for _, a := range p.Askers {
		add(a.Ports)
	}
	for _, k := range p.Kinds {
		for range k.Seats {
			add(k.Ports)
		}
	}
	return n
}

// subscribe adds the room that a topic needs at one subscriber.
func (p *Plan) subscribe(s *mailbox.Spec, t bus.Topic) {
	switch t.Kind {
	case actor.StateTopic:
		s.States++ // all State topics of the node have one key
	case actor.StreamTopic:
		s.Streams = append(s.Streams, mailbox.Stream{Topic: t.ID, Cap: t.Cap})
	case actor.LedgerTopic:
		for _, k := range p.Kinds {
			s.Control += 2 * k.Seats // Open and Close
		}
	case actor.TrafficTopic:
		for _, k := range p.Kinds {
			// Every message of a connection's credit may fan out.
			s.Inbound += k.Seats * (k.Credit.Msgs + 1) * actor.MaxFanout
		}
	}
}

// KindSpec derives the capacities of the mailbox of a spawned cell.
func (p *Plan) KindSpec(k Kind) mailbox.Spec {
	return mailbox.Spec{
		Ports:     k.Ports,
		Control:   extra + 2, // Broken and its like, once each
		Questions: k.Questions,
		Inbound:   k.Credit.Msgs + 1, // and the end of the stream
		States:    len(p.Adapters),   // the latest of each adapter
	}
}

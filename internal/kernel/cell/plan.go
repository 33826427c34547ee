package cell

import (
	"slices"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/mailbox"
)

// Plan is the wiring as a table: every cell, kind, adapter, port and
// subscription. Capacities are not in it: they are derived from it.
type Plan struct {
	Cells       []Static
	Kinds       []Kind
	Adapters    []Adapter
	Askers      []Asker
	Subscribers []Subscriber
	Topics      []bus.Topic
	Deaths      Deaths
}

// Static is a cell that lives as long as the node. When it dies it is rebuilt
// (law L11).
type Static struct {
	ID    actor.ID
	Name  string
	Build func(generation uint32) actor.Machine
	Ports []actor.PortSpec
	// Control is how many inputs adapters may have in its control lane.
	Control int
	// Stop is the cell's number in the stop order: lower numbers stop first.
	Stop int
}

// Kind is a kind of cell that is spawned at run time and ends for good.
type Kind struct {
	bus.Kind
	Parent    actor.ID // the only cell that spawns it
	Build     func(id actor.ID, arg any) actor.Machine
	Ports     []actor.PortSpec
	Questions int // questions one such cell may have queued; a further one is ErrBusy
	Control   int // inputs that adapters may have in its control lane
	Latest    int // adapters whose latest value its events lane holds
	Credit    Credit
	Stop      int // as of Static
}

// Credit bounds the peer traffic of one connection that is queued anywhere in
// the program. When it is spent, the socket is not read (law L5).
type Credit struct {
	Msgs  int
	Bytes int
}

// Adapter is a part that may wait. Cells tell it (Teller), ask it (Handler,
// served by Workers goroutines), or both.
type Adapter struct {
	ID      actor.ID
	Name    string
	Teller  adapter.Teller
	Handler adapter.Handler
	Workers int
}

// Asker is an adapter that asks cells: one question at a time.
type Asker struct {
	ID    actor.ID
	Name  string
	Ports []actor.PortSpec
}

// Subscriber is an adapter that hears the State and Stream topics which have it
// among their subscribers.
type Subscriber struct {
	ID   actor.ID
	Name string
}

// Spec derives the capacities of the mailbox of a static cell, an adapter, an
// asker or a subscriber. Their control lanes hold what Control says at most.
func (p *Plan) Spec(id actor.ID, ports []actor.PortSpec) mailbox.Spec {
	s := mailbox.Spec{Ports: ports, Control: p.control(id), Questions: p.questions(id)}
	for _, t := range p.Topics {
		if slices.Contains(t.Subs, id) {
			p.subscribe(&s, t)
		}
	}
	return s
}

// The inputs that the driver puts into a control lane. A static cell that crashes
// while it is being told to stop may be told twice (see crash).
const (
	starts = 1
	stops  = 1
	ends   = 1 // see endCell
)

// control is the sum of what can be in the control lane of a cell, its ledgers
// left out. Adapters, askers and subscribers are sent nothing there.
func (p *Plan) control(id actor.ID) int {
	i := slices.IndexFunc(p.Cells, func(c Static) bool { return c.ID == id })
	if i < 0 {
		return 0
	}
	n := starts + 2*stops + p.Cells[i].Control
	for _, k := range p.Kinds {
		if k.Parent == id {
			n += 2 * k.Seats // an Ended each and, after a rebuild, an Alive each
		}
	}
	return n
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
		Control:   starts + stops + ends + k.Control,
		Questions: k.Questions,
		Inbound:   k.Credit.Msgs + 1, // and the end of the stream
		States:    k.Latest,
	}
}

package fake

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

// NetConfig says what the network is like. Durations and chances are drawn from
// the seed. Zero means none.
type NetConfig struct {
	// MinLatency and MaxLatency bound the one-way delay of a connection, drawn
	// once for each. Jitter bounds what each message adds to it. The messages
	// of one connection never overtake one another.
	MinLatency, MaxLatency, Jitter time.Duration
	// Bandwidth is that of one direction of a connection in bytes a second.
	// Zero: without bound.
	Bandwidth int
	// Buffer is how many bytes the operating systems hold of one direction:
	// written by one side and not read by the other. A message is taken whole
	// when there is room for any of it.
	Buffer int

	// MeanLife is the mean time until a connection is reset.
	MeanLife time.Duration
	// StallChance is how many of 1,000 messages get stuck, with all behind
	// them, for up to StallFor.
	StallChance int
	StallFor    time.Duration
	// LossChance is how many of 1,000 dials are refused, and how many of 1,000
	// get no answer.
	LossChance int
	// CutEvery is the mean time for which two nodes can reach each other. Then
	// they cannot for up to CutFor, and what is under way waits.
	CutEvery, CutFor time.Duration
}

// The network's own bounds.
const (
	creditRetry    = time.Millisecond       // the first pause before looking for credit again
	maxCreditRetry = 250 * time.Millisecond // the longest one
	goneAfter      = time.Minute            // an owner without credit for so long has ended
	timeout        = 30 * time.Second       // of a dial without an answer, and of a write that is not taken
	firstPort      = 49152                  // the first ephemeral one
)

// Net is the network of a world. Its adapters share it: they all run on the
// simulator's one thread.
type Net struct {
	// Wake is called when one adapter makes something happen at another. The
	// driver must let the other's cell run and then look at its Deadline.
	Wake func(*Adapter)
	// Seen is called with each message that a node writes.
	Seen func(command string, payload []byte)

	cfg      NetConfig
	rng      *rand.Rand
	adapters []*Adapter
	last     peer.ConnID
	port     uint16 // the last ephemeral one
	cuts     map[[2]int]*cut
	down     bool
}

// cut is a time in which two nodes cannot reach each other.
type cut struct{ from, until time.Time }

// NewNet returns a network without nodes.
func NewNet(cfg NetConfig, rng *rand.Rand) *Net {
	return &Net{
		Wake: func(*Adapter) {}, Seen: func(string, []byte) {},
		cfg: cfg, rng: rng, cuts: map[[2]int]*cut{},
	}
}

// Cells is how the network reaches the cells of a node: sim.Node.
type Cells interface {
	Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) bool
	// Credit says how much may still be delivered to a cell's Inbound lane.
	Credit(to actor.ID) (msgs, bytes int)
}

// Adapter is one node's end of the network. It plays internal/adapters/transport.
type Adapter struct {
	// Cells and ID, its own, are set before the world runs.
	Cells Cells
	ID    actor.ID

	net   *Net
	index int
	addr  netip.AddrPort
	admit actor.Port[server.Admit, server.Admitted] // one slot: one connection at a time
	up    bool

	ends    []*end // open ones, oldest first
	dials   []dialing
	backlog []*end // accepted by the operating system, in order; the server was not asked yet
	starved bool   // the port has no slot; an answer or Freed brings the next one
}

// Garble breaks the framing of what a connection's owner says. Strangers use it.
// No peer cell can.
type Garble struct{ Conn peer.ConnID }

// dialing is a Dial and its outcome.
type dialing struct {
	call   actor.Call[server.Dialed]
	at     time.Time
	end    *end // nil if it fails
	answer server.Dialed
}

// Adapter adds a node that listens on addr and dials from that address.
func (n *Net) Adapter(addr netip.AddrPort, admit actor.Port[server.Admit, server.Admitted]) *Adapter {
	e := &Adapter{net: n, index: len(n.adapters), addr: addr, admit: admit}
	n.adapters = append(n.adapters, e)
	return e
}

// Cut keeps two nodes apart from now until a time.
func (n *Net) Cut(a, b *Adapter, now, until time.Time) {
	n.cuts[pair(a, b)] = &cut{now, until}
}

// Calm ends the network's faults: resets, stalls, losses and cuts. What is already
// held up still comes late.
func (n *Net) Calm() {
	n.cfg.MeanLife, n.cfg.StallChance, n.cfg.LossChance, n.cfg.CutEvery = 0, 0, 0, 0
	n.cfg.Jitter, n.cfg.MaxLatency = 0, n.cfg.MinLatency
	clear(n.cuts)
	for _, e := range n.adapters {
		for _, c := range e.ends {
			c.resetAt = time.Time{}
		}
	}
}

// Silence keeps all nodes apart from now until a time. Nothing arrives, and no node
// is told.
func (n *Net) Silence(now, until time.Time) {
	for _, a := range n.adapters {
		for _, b := range n.adapters[:a.index] {
			n.Cut(a, b, now, until)
		}
	}
}

// Down resets all connections and refuses new ones.
func (n *Net) Down(now time.Time) {
	n.down = true
	for _, e := range n.adapters {
		for _, c := range e.ends {
			c.reset(now)
		}
		n.Wake(e)
	}
}

// Up ends Down.
func (n *Net) Up() { n.down = false }

func pair(a, b *Adapter) [2]int { return [2]int{min(a.index, b.index), max(a.index, b.index)} }

// reachable is the first time from at on at which a reaches b.
func (n *Net) reachable(a, b *Adapter, at time.Time) time.Time {
	c := n.cuts[pair(a, b)]
	if c == nil {
		if n.cfg.CutEvery == 0 {
			return at
		}
		c = &cut{until: at}
		n.cuts[pair(a, b)] = c
	}
	for !at.Before(c.until) && n.cfg.CutEvery > 0 {
		c.next(n)
	}
	if !at.Before(c.from) && at.Before(c.until) {
		return c.until
	}
	return at
}

// next draws the next cut.
func (c *cut) next(n *Net) {
	c.from = c.until.Add(draw(n.rng, 2*n.cfg.CutEvery))
	c.until = c.from.Add(1 + draw(n.rng, n.cfg.CutFor))
}

func (n *Net) chance(per1000 int) bool { return per1000 > 0 && n.rng.IntN(1000) < per1000 }

func (n *Net) latency() time.Duration {
	return n.cfg.MinLatency + draw(n.rng, n.cfg.MaxLatency-n.cfg.MinLatency)
}

// listener is the adapter that listens on an address, or nil.
func (n *Net) listener(addr netip.AddrPort) *Adapter {
	i := slices.IndexFunc(n.adapters, func(e *Adapter) bool { return e.up && e.addr == addr })
	if i < 0 {
		return nil
	}
	return n.adapters[i]
}

// Step handles one input.
func (e *Adapter) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start:
		e.up = true
	case actor.Stop:
		e.onStop(now)
		out.Finish("stopped")
		return
	case actor.Tick, actor.Freed:
	case server.Dial:
		e.onDial(now, b.Addr, b.Call(in))
	case server.Admitted:
		if c := e.find(peer.ConnID(in.Key)); c != nil && b.Peer == 0 {
			c.close(now, false)
		}
	case peer.Bind:
		e.onBind(now, in.From, b.Conn)
	case peer.Write:
		if c := e.owned(b.Conn, in.From); c != nil {
			e.net.Seen(b.Command, b.Payload)
			c.write(now, b)
		}
	case Garble:
		if c := e.owned(b.Conn, in.From); c != nil {
			c.other.arrive(now, packet{why: "message of another network", fault: true})
		}
	case peer.Close:
		if c := e.owned(b.Conn, in.From); c != nil {
			c.close(now, b.Drain)
		}
	case server.Refuse:
		if c := e.find(b.Conn); c != nil {
			c.close(now, false)
		}
	default:
		panic(fmt.Sprintf("fake: the network is given a %T", in.Body))
	}
	e.work(now, out)
}

// work does everything that is due.
func (e *Adapter) work(now time.Time, out *actor.Outbox) {
	for _, c := range e.ends {
		c.work(now)
	}
	e.ends = slices.DeleteFunc(e.ends, func(c *end) bool { return c.closed })
	e.answerDials(now, out)
	e.admitNext(now, out)
}

// Deadline is when something happens next.
func (e *Adapter) Deadline() time.Time {
	var next actor.Earliest
	for _, c := range e.ends {
		next.Add(c.deadline())
	}
	for _, d := range e.dials {
		next.Add(d.at)
	}
	if !e.starved && len(e.backlog) > 0 {
		next.Add(e.backlog[0].opened)
	}
	return next.At()
}

// onStop is the end of the process: the operating system closes its sockets.
func (e *Adapter) onStop(now time.Time) {
	e.up = false
	for _, c := range e.ends {
		c.close(now, false)
	}
	e.ends, e.dials, e.backlog = nil, nil, nil
}

func (e *Adapter) onDial(now time.Time, addr netip.AddrPort, call actor.Call[server.Dialed]) {
	n := e.net
	d := dialing{call: call, at: now.Add(2 * n.latency()), answer: server.Dialed{Remote: addr}}
	to := n.listener(addr)
	switch {
	case n.down:
		d.answer.Err = "network is unreachable"
	case n.chance(n.cfg.LossChance):
		d.answer.Err, d.at = "timed out", now.Add(timeout)
	case to == nil, n.chance(n.cfg.LossChance):
		d.answer.Err = "connection refused"
	case n.reachable(e, to, now).Sub(now) >= timeout:
		d.answer.Err, d.at = "timed out", now.Add(timeout)
	default:
		d.end = n.link(e, to, n.reachable(e, to, now))
		d.at = d.end.opened.Add(d.end.delay)
		d.answer.Conn, d.answer.Local = d.end.id, d.end.local
	}
	e.dials = append(e.dials, d)
}

func (e *Adapter) answerDials(now time.Time, out *actor.Outbox) {
	e.dials = slices.DeleteFunc(e.dials, func(d dialing) bool {
		if d.at.After(now) {
			return false
		}
		if d.end != nil {
			d.end.closeAt = now.Add(peer.ClaimTimeout)
		}
		d.call.Answer(out, d.answer)
		return true
	})
}

// admitNext asks the server about the next connection while there is a slot.
func (e *Adapter) admitNext(now time.Time, out *actor.Outbox) {
	for e.admit.Free(out) > 0 && len(e.backlog) > 0 && !e.backlog[0].opened.After(now) {
		c := e.backlog[0]
		e.backlog = e.backlog[1:]
		if !c.closed {
			e.admit.Ask(out, uint64(c.id), server.Admit{Conn: c.id, Remote: c.remote, Local: c.local})
			c.closeAt = now.Add(e.admit.Timeout + peer.ClaimTimeout)
		}
	}
	e.starved = e.admit.Free(out) == 0
}

func (e *Adapter) onBind(now time.Time, from actor.ID, id peer.ConnID) {
	c := e.find(id)
	if c == nil || c.closed || c.owner != 0 {
		e.deliver(from, actor.Control, peer.Broken{Conn: id, Reason: "the connection was lost before it was used"}, 0)
		return
	}
	c.owner, c.probeAt, c.closeAt = from, now.Add(goneAfter), time.Time{}
}

func (e *Adapter) deliver(to actor.ID, lane actor.Lane, body any, bytes int) {
	e.Cells.Deliver(e.ID, to, lane, body, bytes)
}

// find returns the open end of a connection, or nil.
func (e *Adapter) find(id peer.ConnID) *end {
	i := slices.IndexFunc(e.ends, func(c *end) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return e.ends[i]
}

// owned returns the open end of a connection if from owns it, or nil.
func (e *Adapter) owned(id peer.ConnID, from actor.ID) *end {
	if c := e.find(id); c != nil && c.owner == from {
		return c
	}
	return nil
}

// Reaches says whether there is a connection that this node has dialled to an address.
func (e *Adapter) Reaches(addr netip.AddrPort) bool {
	return slices.ContainsFunc(e.ends, func(c *end) bool { return c.remote == addr && !c.closed })
}

// Addr is the address on which the node listens.
func (e *Adapter) Addr() netip.AddrPort { return e.addr }

// Conns counts the open connections.
func (e *Adapter) Conns() int { return len(e.ends) }

// Check verifies that what is under way adds up.
func (e *Adapter) Check() error {
	for _, c := range e.ends {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

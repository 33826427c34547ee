package fake

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

// NetConfig says what the network is like. Durations and chances are drawn from
// the seed. Zero means none.
type NetConfig struct {
	// MinLatency and MaxLatency bound the one-way delay of a connection,
	// drawn once for each; Jitter bounds what each message adds to it. The
	// messages of one connection never overtake one another.
	MinLatency, MaxLatency, Jitter time.Duration
	// Bandwidth is that of one direction of a connection in bytes a second.
	// Zero: without bound.
	Bandwidth int
	// Buffer is how many bytes the operating systems hold of one direction:
	// written by one side and not read by the other. A message is taken whole
	// when there is room for any of it.
	Buffer int

	// MeanLife is how long a connection lasts on average until it is reset.
	MeanLife time.Duration
	// StallChance is how many of 1,000 messages get stuck, for up to
	// StallFor, with all behind them.
	StallChance int
	StallFor    time.Duration
	// LossChance is how many of 1,000 dials are refused, and how many find a
	// black hole and time out.
	LossChance  int
	DialTimeout time.Duration
	// CutEvery is how long two nodes can reach each other on average. Then
	// they cannot for up to CutFor, and what is under way waits.
	CutEvery, CutFor time.Duration

	// WriteTimeout breaks a connection whose other side takes nothing for so
	// long. Default 30 s.
	WriteTimeout time.Duration
}

// The network's own clocks.
const (
	creditRetry    = time.Millisecond       // when credit is looked for again, at first
	maxCreditRetry = 250 * time.Millisecond // and after a while
	goneAfter      = time.Minute            // an owner without credit for so long has ended
	noTimeout      = 30 * time.Second
)

// Net is the network of a world. Its adapters share it: they all run on the
// simulator's one thread.
type Net struct {
	// Wake is called when one adapter causes something to happen at another,
	// whose driver does not know. The driver lets the other's cell run and then
	// looks at its Deadline.
	Wake func(*Adapter)
	// Seen, if set, is called with each message that a node writes.
	Seen func(command string, payload []byte)

	cfg      NetConfig
	rng      *rand.Rand
	adapters []*Adapter
	last     peer.ConnID
	port     uint16 // the last ephemeral one
	cuts     map[[2]int]*cut
	down     bool
}

// cut is whether two nodes can reach each other.
type cut struct {
	from, until time.Time // they cannot in between
}

// NewNet returns a network without nodes.
func NewNet(cfg NetConfig, rng *rand.Rand) *Net {
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = noTimeout
	}
	if cfg.DialTimeout == 0 {
		cfg.DialTimeout = noTimeout
	}
	return &Net{cfg: cfg, rng: rng, port: 49151, cuts: map[[2]int]*cut{}}
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
	admit actor.Port[server.Admit, server.Admitted] // one slot
	up    bool

	ends    []*end // open ones, oldest first
	dials   []dialing
	backlog []*end // accepted by the operating system, not yet asked for; in order
	asking  *end   // the end that Admit is about; nil: none
	ticket  actor.Ticket
	starved bool // the port had no slot: an answer or Freed brings the next one
}

// Garble breaks the framing of what a connection's owner says, as no peer cell
// can. Strangers do.
type Garble struct{ Conn peer.ConnID }

// dialing is a Dial and its outcome.
type dialing struct {
	call actor.Call[server.Dialed]
	addr netip.AddrPort
	at   time.Time
	end  *end   // nil when it fails
	err  string // why
}

// Adapter adds a node that listens on addr, and dials from that address. An
// invalid port (zero) does not listen.
func (n *Net) Adapter(addr netip.AddrPort, admit actor.Port[server.Admit, server.Admitted]) *Adapter {
	e := &Adapter{net: n, index: len(n.adapters), addr: addr, admit: admit}
	n.adapters = append(n.adapters, e)
	return e
}

// Cut keeps two nodes apart from now until a time.
func (n *Net) Cut(a, b *Adapter, now, until time.Time) {
	n.cuts[pair(a, b)] = &cut{now, until}
}

// Calm ends the network's faults: resets, stalls, losses and cuts. What is held up
// already still comes late.
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

// Silence keeps all nodes apart from now until a time: nobody is told that
// anything has happened, nothing arrives.
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
		n.wake(e)
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
		c = &cut{}
		c.next(n, at)
		n.cuts[pair(a, b)] = c
	}
	for !at.Before(c.until) && n.cfg.CutEvery > 0 {
		c.next(n, c.until)
	}
	if !at.Before(c.from) && at.Before(c.until) {
		return c.until
	}
	return at
}

// next draws when the next cut is, after at.
func (c *cut) next(n *Net, at time.Time) {
	c.from = at.Add(draw(n.rng, 2*n.cfg.CutEvery))
	c.until = c.from.Add(1 + draw(n.rng, n.cfg.CutFor))
}

func (n *Net) wake(e *Adapter) {
	if n.Wake != nil {
		n.Wake(e)
	}
}

func (n *Net) chance(per1000 int) bool { return per1000 > 0 && n.rng.IntN(1000) < per1000 }

func (n *Net) latency() time.Duration {
	return n.cfg.MinLatency + draw(n.rng, n.cfg.MaxLatency-n.cfg.MinLatency)
}

// listener is the adapter that listens on an address, or nil.
func (n *Net) listener(addr netip.AddrPort) *Adapter {
	for _, e := range n.adapters {
		if e.up && e.addr == addr && addr.Port() != 0 {
			return e
		}
	}
	return nil
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
		e.onAdmitted(now, in, b)
	case peer.Bind:
		e.onBind(now, in.From, b.Conn)
	case peer.Write:
		if c := e.owned(b.Conn, in.From); c != nil {
			if e.net.Seen != nil {
				e.net.Seen(b.Command, b.Payload)
			}
			c.write(now, b)
		}
	case Garble:
		if c := e.owned(b.Conn, in.From); c != nil {
			c.peer.arrive(now, packet{why: "message of another network", fault: true})
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

// work does everything whose time has come.
func (e *Adapter) work(now time.Time, out *actor.Outbox) {
	for _, c := range e.ends {
		c.work(now)
	}
	open := e.ends[:0]
	for _, c := range e.ends {
		if !c.closed {
			open = append(open, c)
		}
	}
	clear(e.ends[len(open):])
	e.ends = open
	e.answerDials(now, out)
	e.admitNext(now, out)
}

// Deadline is when something happens next.
func (e *Adapter) Deadline() time.Time {
	var at time.Time
	for _, c := range e.ends {
		at = sooner(at, c.deadline())
	}
	for _, d := range e.dials {
		at = sooner(at, d.at)
	}
	if e.asking == nil && !e.starved && len(e.backlog) > 0 {
		at = sooner(at, e.backlog[0].opened)
	}
	return at
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// onStop is the end of the process: the operating system closes its sockets.
func (e *Adapter) onStop(now time.Time) {
	e.up = false
	for _, c := range e.ends {
		c.close(now, false)
	}
	e.ends, e.dials, e.backlog, e.asking = nil, nil, nil, nil
}

func (e *Adapter) onDial(now time.Time, addr netip.AddrPort, call actor.Call[server.Dialed]) {
	n := e.net
	d := dialing{call: call, addr: addr, at: now.Add(2 * n.latency())}
	to := n.listener(addr)
	switch {
	case n.down:
		d.err = "network is unreachable"
	case n.chance(n.cfg.LossChance):
		d.err, d.at = "timed out", now.Add(n.cfg.DialTimeout)
	case to == nil, n.chance(n.cfg.LossChance):
		d.err = "connection refused"
	case n.reachable(e, to, now).Sub(now) >= n.cfg.DialTimeout:
		d.err, d.at = "timed out", now.Add(n.cfg.DialTimeout)
	default:
		d.end = n.link(e, to, n.reachable(e, to, now))
		d.at = d.end.opened.Add(d.end.delay)
	}
	e.dials = append(e.dials, d)
}

func (e *Adapter) answerDials(now time.Time, out *actor.Outbox) {
	left := e.dials[:0]
	for _, d := range e.dials {
		switch {
		case d.at.After(now):
			left = append(left, d)
		case d.end == nil:
			d.call.Answer(out, server.Dialed{Remote: d.addr, Err: d.err})
		default:
			d.end.claimBy = now.Add(peer.ClaimTimeout)
			d.call.Answer(out, server.Dialed{Conn: d.end.id, Local: d.end.local, Remote: d.end.remote})
		}
	}
	clear(e.dials[len(left):])
	e.dials = left
}

// admitNext asks the server about the next connection, one at a time.
func (e *Adapter) admitNext(now time.Time, out *actor.Outbox) {
	e.starved = false
	for e.asking == nil && len(e.backlog) > 0 && !e.backlog[0].opened.After(now) {
		c := e.backlog[0]
		if c.closed {
			e.backlog = e.backlog[1:]
			continue
		}
		t, ok := e.admit.Ask(out, 0, server.Admit{Conn: c.id, Remote: c.remote, Local: c.local})
		if !ok {
			e.starved = true
			return
		}
		e.backlog = e.backlog[1:]
		e.asking, e.ticket = c, t
		c.claimBy = now.Add(e.admit.Timeout + peer.ClaimTimeout)
	}
}

func (e *Adapter) onAdmitted(now time.Time, in actor.Input, a server.Admitted) {
	c := e.asking
	if c == nil || in.Ticket != e.ticket {
		return
	}
	e.asking = nil
	if in.Err != nil || a.Peer == 0 {
		c.close(now, false)
	}
}

func (e *Adapter) onBind(now time.Time, from actor.ID, id peer.ConnID) {
	c := e.find(id)
	if c == nil || c.closed || c.owner != 0 {
		e.deliver(from, actor.Control, peer.Broken{Conn: id, Reason: "the connection was lost before it was used"}, 0)
		return
	}
	c.owner, c.probeAt = from, now.Add(goneAfter)
	c.claimBy = time.Time{}
}

func (e *Adapter) deliver(to actor.ID, lane actor.Lane, body any, bytes int) {
	e.Cells.Deliver(e.ID, to, lane, body, bytes)
}

func (e *Adapter) find(id peer.ConnID) *end {
	for _, c := range e.ends {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (e *Adapter) owned(id peer.ConnID, from actor.ID) *end {
	if c := e.find(id); c != nil && c.owner == from {
		return c
	}
	return nil
}

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

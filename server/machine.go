package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"acyclic/chain"
	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// KindPeer is the kind of cell that the server spawns, with a peer.Arg.
const KindPeer actor.Kind = 1

// Config is what the server is told by the user, and its bounds.
type Config struct {
	Bounds

	// ConnectOnly are the peers of --connect: nothing else is dialled.
	ConnectOnly []string
	// AddPeers are the peers of --addpeer. As in btcd they are not dialled
	// when there is a --connect.
	AddPeers []string

	// DNSSeeds are the host names of the network's DNS seeds.
	DNSSeeds []string
	// NoDNSSeed leaves them alone.
	NoDNSSeed bool
	// DefaultPort is the network's, for addresses without one.
	DefaultPort uint16
}

// Ports are the server's rights to ask.
type Ports struct {
	// Transport is the adapter that owns the sockets, to be told Refuse.
	Transport actor.ID

	Dial    actor.Port[Dial, Dialed]
	Pick    actor.Port[Pick, Picked]
	Sample  actor.Port[Sample, Sampled]
	Note    actor.Port[Note, Noted]
	Resolve actor.Port[Resolve, Resolved]
	Send    actor.PortOf[peer.Send, peer.Sent, peer.Peer]
}

// The server's clocks.
const (
	// settleTime is how long a rebuilt server waits before it dials, so that
	// it has been told who is still connected.
	settleTime = time.Second
	// statusInterval is the least time between two Status events.
	statusInterval = time.Second
)

// Machine is the connection manager.
type Machine struct {
	cfg    Config
	ports  Ports
	topics Topics
	rng    *rand.Rand

	stopping bool
	settled  time.Time // no dial before
	height   int32     // of our best block
	known    int       // addresses in the book; -1: not known yet

	slots  []slot // in order of ID
	dials  []dial // in order of asking
	named  []named
	auto   outbound
	seeds  seeding
	bans   bans
	gossip gossip
	status reporter
}

// names are the peers that the user has named in the configuration.
func (c *Config) names() []string {
	if len(c.ConnectOnly) > 0 {
		return c.ConnectOnly
	}
	return c.AddPeers
}

// New returns a server that waits for Start.
func New(cfg Config, ports Ports, topics Topics, rng *rand.Rand) *Machine {
	m := &Machine{cfg: cfg, ports: ports, topics: topics, rng: rng, known: -1}
	m.bans.until = map[netip.Prefix]time.Time{}
	for _, name := range cfg.names() {
		if t, ok := hostport.Parse(name, cfg.DefaultPort); ok && m.findNamed(t) < 0 {
			m.named = append(m.named, named{target: t, keep: true})
		}
	}
	return m
}

// Step handles one input.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch body := in.Body.(type) {
	case actor.Start:
		m.onStart(now, body, out)
	case actor.Stop:
		m.stopping = true
		out.Finish("stopped")
	case actor.Tick, actor.Freed:
		// Whatever is due and possible is done below.
	case actor.Alive:
		m.onAlive(now, body)
	case actor.Ended:
		m.onEnded(now, body, out)

	case peer.Ready:
		m.onReady(now, body, out)
	case peer.Gone:
		m.onGone(now, body, out)
	case peer.AddrsReceived:
		m.onAddrsReceived(now, body)
	case peer.AddrsWanted:
		m.onAddrsWanted(body)
	case chain.Tips:
		m.height = body.Block.Height

	case Dialed:
		m.onDialed(now, in, body, out)
	case Picked:
		m.onPicked(now, in, body, out)
	case Resolved:
		m.onResolved(now, in, body, out)
	case Sampled:
		m.onSampled(in, body)
	case Noted:
		m.onNoted(now, in, body)
	case peer.Sent:
		m.onSent(in)

	case Admit:
		m.onAdmit(now, body, body.Call(in), out)
	case AddNode:
		m.onAddNode(now, body, body.Call(in), out)
	case DisconnectNode:
		m.onDisconnectNode(body, body.Call(in), out)
	case GetPeers:
		body.Call(in).Answer(out, Peers{Peers: m.peers()})
	case GetStatus:
		body.Call(in).Answer(out, m.currentStatus())

	default:
		panic(fmt.Sprintf("server: unknown input %T", in.Body))
	}
	m.pump(now, out)
}

// onStart begins a life. A rebuilt server hears of its living peers in the
// steps that follow; until it has, it must not dial them a second time.
func (m *Machine) onStart(now time.Time, start actor.Start, out *actor.Outbox) {
	for _, name := range m.cfg.names() {
		if _, ok := hostport.Parse(name, m.cfg.DefaultPort); !ok {
			out.Log(actor.Error, "not a peer's address: "+strconv.Quote(name)+"; want host, host:port or [ipv6]:port")
		}
	}
	m.settled = now
	if start.Generation > 0 {
		m.settled = now.Add(settleTime)
	}
	m.auto.lonelySince = now
}

// pump does everything that is due and possible. It runs after every input and
// decides from the state alone, so nothing hangs on a particular event (L9).
func (m *Machine) pump(now time.Time, out *actor.Outbox) {
	if m.stopping {
		return
	}
	m.expireBans(now)
	if !now.Before(m.settled) {
		m.tendNamed(now, out)
		m.tendSeeds(now, out)
		m.tendOutbound(now, out)
	}
	m.tendGossip(out)
	m.publishStatus(now, out)
}

// Deadline is the earliest time at which pump has something new to do.
func (m *Machine) Deadline() time.Time {
	if m.stopping {
		return time.Time{}
	}
	var d deadline
	d.at(m.bans.first())
	d.atLeast(m.settled, m.namedDue())
	d.atLeast(m.settled, m.seedsDue())
	d.atLeast(m.settled, m.outboundDue())
	d.at(m.statusDue())
	return d.t
}

// deadline collects the earliest of some times; the zero time is none.
type deadline struct{ t time.Time }

func (d *deadline) at(t time.Time) {
	if !t.IsZero() && (d.t.IsZero() || t.Before(d.t)) {
		d.t = t
	}
}

func (d *deadline) atLeast(floor, t time.Time) {
	if !t.IsZero() {
		d.at(later(floor, t))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

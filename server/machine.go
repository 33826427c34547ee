package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// Machine is the connection manager: a switch over passive trackers. What one
// tracker must know of another is handed to it.
type Machine struct {
	cfg    Config
	ports  Ports
	topics Topics
	rng    *rand.Rand

	stopping bool
	settles  time.Time // a rebuilt server dials nothing before; zero: it may dial
	height   int32     // of our best block

	remotes  remotes
	dials    dials
	named    named
	seeds    seeds
	outbound outbound
	gossip   gossip
	bans     bans
	alone    alone
	status   reporter
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
	m := &Machine{
		cfg: cfg, ports: ports, topics: topics, rng: rng,
		named:    named{configured: len(cfg.names()), maxAdded: cfg.MaxAdded},
		outbound: outbound{most: cfg.OutboundTarget},
		gossip:   gossip{most: cfg.MaxNotes, known: -1},
		bans:     newBans(cfg.BanDuration, cfg.MaxBans),
	}
	if !cfg.NoDNSSeed {
		m.seeds = seeds{hosts: cfg.DNSSeeds, port: cfg.DefaultPort}
	}
	for _, name := range cfg.names() {
		if t, ok := hostport.Parse(name, cfg.DefaultPort); ok && m.named.called(t) == nil {
			m.named.add(namedPeer{target: t, keep: true})
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
	case actor.Tick, actor.Freed, peer.Sent:
		// Whatever is due and possible is done below. A message that was not
		// taken is not sent again: getaddr and its answer are favours.
	case actor.Alive:
		m.onAlive(now, body)
	case actor.Ended:
		m.onEnded(now, body, out)

	case peer.Ready:
		m.onReady(body, out)
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

	case Admit:
		m.onAdmit(now, body, body.Call(in), out)
	case AddNode:
		m.onAddNode(now, body, body.Call(in), out)
	case DisconnectNode:
		m.onDisconnectNode(body, body.Call(in), out)
	case GetPeers:
		body.Call(in).Answer(out, Peers{Peers: m.remotes.connections()})
	case GetStatus:
		s := m.seats()
		body.Call(in).Answer(out, m.figures(&s))

	default:
		panic(fmt.Sprintf("server: unknown input %T", in.Body))
	}
	m.advance(now, out)
}

// onStart begins a life. A rebuilt server hears of its living peers in the steps
// that follow. Until then it must not dial them a second time.
func (m *Machine) onStart(now time.Time, start actor.Start, out *actor.Outbox) {
	for _, name := range m.cfg.names() {
		if _, ok := hostport.Parse(name, m.cfg.DefaultPort); !ok {
			out.Log(actor.Error, "not a peer's address: "+strconv.Quote(name)+"; want host, host:port or [ipv6]:port")
		}
	}
	if start.Generation > 0 {
		m.settles = now.Add(settleTime)
	}
}

// advance does everything that is due and possible. It runs after every input and
// decides from the state alone, so nothing hangs on a particular event (law L9).
func (m *Machine) advance(now time.Time, out *actor.Outbox) {
	if m.stopping {
		return
	}
	m.bans.expire(now)
	if !m.settles.After(now) {
		m.settles = time.Time{}
		m.connectNamed(now, out)
		s := m.seats()
		m.seeds.watch(now, &s)
		m.seeds.ask(now, m.gossip.known, m.ports.Resolve, out)
		m.seekPeers(now, s, out)
		m.status.publish(now, m.figures(&s), m.topics.Status, out)
	}
	m.named.forget()
	m.gossip.tell(m.ports.Note, out)
	m.remotes.serveAddrs(&m.ports, out)
}

// Deadline is the earliest time at which advance has something new to do.
func (m *Machine) Deadline() time.Time {
	if m.stopping {
		return time.Time{}
	}
	var first actor.Earliest
	first.Add(m.settles, m.bans.due())
	if m.settles.IsZero() {
		s := m.seats()
		first.Add(m.named.due(s.full()), m.seeds.due(m.gossip.known), m.outbound.due(&s), m.status.due(m.figures(&s)))
	}
	return first.At()
}

// Check verifies the invariants.
func (m *Machine) Check() error {
	s := m.seats()
	err := errors.Join(
		s.check(m.cfg.OutboundTarget),
		m.remotes.check(),
		m.dials.check(m.remotes),
		m.named.check(&m.dials, m.remotes),
		m.seeds.check(),
		m.outbound.check(),
		m.gossip.check(),
		m.bans.check(),
		checkGroups(m.remotes, &m.dials),
	)
	if err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package netsync

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Ports are the questions netsync may ask.
type Ports struct {
	Headers actor.Port[chain.SubmitHeaders, chain.HeadersVerdict]
	Block   actor.Port[chain.SubmitBlock, chain.Verdict]
	Locator actor.Port[chain.GetLocator, chain.Locator]
	Path    actor.Port[chain.GetPath, chain.Path]
	Forks   actor.Port[chain.GetForks, chain.Forks]
	Send    actor.PortOf[peer.Send, peer.Sent, peer.Peer]
}

// Machine is the sync manager.
type Machine struct {
	cfg    Bounds
	ports  Ports
	topics Topics
	rng    *rand.Rand

	now     time.Time
	stopped bool
	tips    chain.Tips

	ready []*peerState // in order of ID: whom Ready has named and Gone has not
	byID  map[actor.ID]*peerState

	headerQueue []actor.ID // peers whose headers wait to be submitted, in order

	target chain.Point // the best point with more work than our best block that a peer has proved
	aside  asideList   // what is tried last, because its blocks did not come
	route  route
	forks  forksQuestion
	w      window

	inFlight int     // orders of all peers
	avgSize  float64 // of the last blocks, bytes of memory

	submits     []submission // in the order asked
	submitBytes int
	submitAfter time.Time // chain is left alone until then; zero: it is not
	unserved    time.Time // since when nobody can serve the block that all wait for
	awaited     awaited   // ... which is this
	hastenAt    time.Time // a second peer is asked for a late block then; zero: for none

	stats stats
}

// New returns a machine that knows no peers.
func New(cfg Bounds, ports Ports, topics Topics, rng *rand.Rand) *Machine {
	return &Machine{
		cfg: cfg, ports: ports, topics: topics, rng: rng,
		byID: map[actor.ID]*peerState{},
		w:    newWindow(),
	}
}

// Step implements actor.Machine.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	m.now = now
	if m.stopped {
		return
	}
	switch b := in.Body.(type) {
	case actor.Start:
		m.stats.started = now
	case actor.Stop:
		m.stopped = true
		out.Finish("stopped")
		return
	case actor.Tick: // advance looks at the clock
	case actor.Freed: // advance asks what found no slot

	case peer.Ready:
		m.onReady(now, b)
	case peer.Gone:
		m.onGone(b)

	case peer.HeadersReceived:
		m.onHeaders(now, b, out)
	case peer.InvReceived:
		m.onInv(now, b)
	case peer.BlockReceived:
		m.onBlock(now, b)
	case peer.NotFoundReceived:
		m.onNotFound(now, b, out)

	case chain.Tips:
		m.onTips(now, b)
	case chain.Locator:
		m.onLocator(now, in, b)
	case chain.HeadersVerdict:
		m.onHeadersVerdict(now, in, b, out)
	case chain.Forks:
		m.onForks(now, in, b)
	case chain.Path:
		m.onPath(now, in, b, out)
	case chain.Verdict:
		m.onVerdict(now, in, b, out)

	case peer.Sent:
		m.onSent(now, in, out)

	case GetStatus:
		b.Call(in).Answer(out, m.status(now))
	case GetPeers:
		b.Call(in).Answer(out, m.peers())

	default:
		panic(fmt.Sprintf("netsync: unexpected input %T", in.Body))
	}
	m.advance(now, out)
}

// advance looks at the state and starts whatever should be under way. It runs
// at the end of every step, so that nothing depends on which input came: an
// event that was missed costs time, never progress (law L9).
func (m *Machine) advance(now time.Time, out *actor.Outbox) {
	m.expireHeaders(now, out)
	m.expireOrders(now, out)
	m.submitHeaders(out)
	m.setLateAside(now, out)
	m.chooseTarget(now)
	m.planRoute(now, out)
	m.submitBlocks(now, out)
	m.planHeaders(now, out)
	m.assign(now, out)
	m.flush(now, out)
	m.publishStatus(now, out)
}

// Deadline implements actor.Machine: the earliest moment that a clock can
// change what advance does.
func (m *Machine) Deadline() time.Time {
	if m.stopped {
		return time.Time{}
	}
	d := earliest{after: m.now}
	d.add(m.submitAfter)
	d.add(m.route.retryAt)
	d.add(m.forks.retryAt)
	d.add(m.statusDue())
	d.add(m.hastenAt)
	d.add(m.headDue())
	for _, b := range m.aside.blocks {
		d.add(b.until)
	}
	if !m.unserved.IsZero() {
		d.add(m.unserved.Add(m.cfg.OrderTimeout))
	}
	for _, p := range m.ready {
		if p.leaving {
			continue
		}
		d.add(p.pausedUntil)
		d.add(p.restUntil)
		d.add(p.askDeadline)
		if p.ask == askIdle {
			d.add(p.askAt)
		}
		if len(p.orders) > 0 {
			d.add(m.orderDue(p))
		}
	}
	return d.at
}

// earliest collects deadlines. Those that have passed are left out: advance has
// seen them, and what keeps them from having an effect has a deadline or an
// answer of its own.
type earliest struct{ after, at time.Time }

func (e *earliest) add(t time.Time) {
	if !t.IsZero() && t.After(e.after) && (e.at.IsZero() || t.Before(e.at)) {
		e.at = t
	}
}

// Check implements actor.Machine.
func (m *Machine) Check() error {
	if err := m.w.check(); err != nil {
		return fmt.Errorf("window: %w", err)
	}
	return errors.Join(m.checkPeers(), m.checkOrders(), m.checkSubmits())
}

// onTips notes chain's tips: they move by our blocks, but also by RPC.
func (m *Machine) onTips(now time.Time, t chain.Tips) {
	m.stats.dirty = true
	if t.Block.Hash != m.tips.Block.Hash && m.w.len() > 0 && !m.ours(t.Block.Hash) {
		m.route.rebuild(now)
	}
	m.tips = t
	if m.route.stale {
		m.route.retryAt = now
	}
	m.submitAfter = time.Time{}
}

// ours says whether chain can have got a block from us.
func (m *Machine) ours(h chainhash.Hash) bool {
	if s := m.w.find(h); s != nil && (s.state == handed || s.state == done) {
		return true
	}
	for _, r := range m.stats.recent {
		if r == h {
			return true
		}
	}
	return false
}

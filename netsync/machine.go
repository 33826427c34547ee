package netsync

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

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

// Machine is the sync manager: a switch over passive trackers. Each tracker has
// its part of the state, and a check and deadlines where it needs them. It looks at
// the facts, which all share, and at the trackers that its first fields name.
type Machine struct {
	*facts
	ports   Ports
	topics  Topics
	stopped bool

	headers *headers // which peers are asked for headers, and what waits to be judged
	span    *span    // the next blocks
	route   *route   // the target, and the path there
	orders  *orders  // which peers were asked for which blocks
	submits *submits // what chain is judging
	sends   *sends   // what goes out to the peers
	report  *report  // what the Status shows
}

// New returns a machine that knows no peers.
func New(cfg Bounds, ports Ports, topics Topics, rng *rand.Rand) *Machine {
	m := &Machine{facts: &facts{cfg: cfg}, ports: ports, topics: topics}
	m.headers = &headers{facts: m.facts, rng: rng}
	m.span = newSpan()
	m.route = &route{facts: m.facts, span: m.span}
	m.orders = &orders{facts: m.facts, span: m.span, route: m.route}
	m.submits = &submits{facts: m.facts, span: m.span, route: m.route}
	m.sends = &sends{facts: m.facts, headers: m.headers, orders: m.orders}
	m.report = &report{facts: m.facts, headers: m.headers, span: m.span, route: m.route, orders: m.orders, submits: m.submits}
	return m
}

// Step implements actor.Machine.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	m.now = now
	if m.stopped {
		return
	}
	switch b := in.Body.(type) {
	case actor.Start:
		m.report.started = now
	case actor.Stop:
		m.stopped = true
		out.Finish("stopped")
		return
	case actor.Tick, actor.Freed: // advance looks at the clock, and asks what found no slot

	case peer.Ready:
		m.onReady(b)
	case peer.Gone:
		m.sends.onGone(b)

	case peer.HeadersReceived:
		m.headers.onHeaders(b)
	case peer.InvReceived:
		m.headers.onInv(b, m.span)
	case peer.BlockReceived:
		if p := m.orders.onBlock(b); p != nil {
			m.headers.announce(p, b)
		}
	case peer.NotFoundReceived:
		m.orders.onNotFound(b)
	case peer.Sent:
		m.sends.onSent(in)

	case chain.Tips:
		m.route.onTips(b, m.submits.gave(b.Block.Hash))
		m.submits.after = time.Time{}
		m.tips = b
	case chain.Locator:
		m.headers.onLocator(in, b)
	case chain.HeadersVerdict:
		if p := m.headers.onVerdict(in, b); p != nil {
			m.route.proved(p)
		}
	case chain.Forks:
		m.route.onForks(b)
	case chain.Path:
		m.route.onPath(in, b, out)
	case chain.Verdict:
		m.submits.onVerdict(in, b)

	case GetStatus:
		b.Call(in).Answer(out, m.report.status())
	case GetPeers:
		b.Call(in).Answer(out, m.report.peers())

	default:
		panic(fmt.Sprintf("netsync: unexpected input %T", in.Body))
	}
	m.advance(out)
}

// advance looks at the state and starts whatever should be under way. It runs at
// the end of every step, so nothing depends on which input came. An event that was
// missed costs time, never progress (law L9).
func (m *Machine) advance(out *actor.Outbox) {
	m.headers.expire()
	m.orders.expire()
	m.sends.endDropped(out)
	m.headers.submit(m.ports.Headers, out)
	m.route.aim(out)
	m.route.plan(&m.ports, len(m.submits.list) == 0, out)
	m.submits.plan(m.ports.Block, out)
	m.headers.plan(m.ports.Locator, out)
	m.orders.plan()
	m.sends.flush(m.ports.Send, out)
	m.route.watchHead() // it counts what has been asked for
	m.report.publish(m.topics, out)
}

// Deadline implements actor.Machine: the earliest moment at which a clock can
// change what advance does. Deadlines that have passed are left out. Advance has
// seen them, and what keeps them from having an effect ends with a deadline, an
// answer or Freed.
func (m *Machine) Deadline() time.Time {
	if m.stopped {
		return time.Time{}
	}
	d := actor.EarliestAfter(m.now)
	m.headers.deadlines(&d)
	m.route.deadlines(&d)
	m.orders.deadlines(&d)
	m.submits.deadlines(&d)
	m.sends.deadlines(&d)
	d.Add(m.report.due())
	return d.At()
}

// Check implements actor.Machine.
func (m *Machine) Check() error {
	return errors.Join(m.facts.check(), m.headers.check(), m.route.check(), m.orders.check(), m.submits.check())
}

package relay

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Ports are what relay may ask. Send needs one slot per peer. A Send that has
// timed out ends the connection, so its timeout must be longer than the
// transport's write deadline. The reads need MaxReads slots each.
type Ports struct {
	Headers actor.Port[chain.GetHeaders, chain.Headers]
	Hashes  actor.Port[chain.GetHashes, chain.Hashes]
	Block   actor.Port[chain.GetBlock, chain.Block]
	Tips    actor.Port[chain.GetTips, chain.Tips] // one slot
	Send    actor.PortOf[peer.Send, peer.Sent, peer.Peer]
}

// Machine is the relay component.
type Machine struct {
	cfg   Bounds
	ports Ports

	peers []*remote // in the order of their IDs

	reads    int      // outstanding, those for peers that are gone included
	lastRead actor.ID // the peer that was given the last read
	starved  bool     // in the last step something found no slot

	tip       chain.Point // the best block, as last heard
	resync    resync
	roundAt   time.Time // when the next announcement round is due; zero: none is
	lastRound time.Time

	served [numKinds]uint64 // items
	stats  Status
}

// New returns a relay without peers.
func New(cfg Bounds, ports Ports) *Machine {
	return &Machine{cfg: cfg, ports: ports}
}

// Step handles one input and then begins whatever can be begun.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		m.onStart(e)
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		m.onTick(now)
	case actor.Freed: // advance uses the slot
	case actor.Lagged:
		m.onLagged()

	case peer.Ready:
		m.onReady(e)
	case peer.Gone:
		m.forget(e.Peer)
	case peer.WantsHeaders:
		m.onWantsHeaders(e)
	case peer.Announced:
		m.onAnnounced(e)
	case peer.HeadersWanted:
		m.onHeadersWanted(e)
	case peer.BlocksWanted:
		m.onBlocksWanted(e)
	case peer.DataWanted:
		m.onDataWanted(e, out)
	case peer.Sent:
		m.onSent(now, in, out)

	case chain.BlockConnected:
		m.onConnected(now, e)
	case chain.BlockDisconnected:
		m.onDisconnected(e)
	case chain.TxAccepted, chain.TxRemoved, chain.TxConfirmed: // nothing is done with transactions yet
	case chain.Tips:
		m.onTips(now, in, e)
	case chain.Headers:
		m.onHeaders(now, in, e)
	case chain.Hashes:
		m.onHashes(now, in, e)
	case chain.Block:
		m.onBlock(now, in, e)

	case GetStatus:
		m.onGetStatus(e.Call(in), out)
	default:
		panic(fmt.Sprintf("relay: unknown input %T", in.Body))
	}
	m.advance(out)
}

// advance begins whatever can be begun. It looks at every peer, which takes some 3 µs
// for 125 of them. What finds no slot needs no clock: an answer, or Freed, brings
// the next chance (law L9).
func (m *Machine) advance(out *actor.Outbox) {
	m.starved = false
	for _, p := range m.peers {
		m.send(p, out)
	}
	m.startReads(out)
	m.askTips(out)
}

// Deadline is when the next announcement round or the next retry is due.
func (m *Machine) Deadline() time.Time {
	var first actor.Earliest
	first.Add(m.roundAt, m.resync.retryAt)
	for _, p := range m.peers {
		first.Add(p.retryAt)
	}
	return first.At()
}

// onTick stops the clocks that have come to their time.
func (m *Machine) onTick(now time.Time) {
	if due(m.roundAt, now) {
		m.roundAt, m.lastRound = time.Time{}, now
	}
	if due(m.resync.retryAt, now) {
		m.resync.retryAt = time.Time{}
	}
	for _, p := range m.peers {
		if due(p.retryAt, now) {
			p.retryAt = time.Time{}
		}
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

func (m *Machine) onGetStatus(call actor.Call[Status], out *actor.Outbox) {
	s := m.stats
	s.Peers, s.BlocksServed = len(m.peers), m.served[block]
	call.Answer(out, s)
}

// Check verifies what must hold between two steps.
func (m *Machine) Check() error {
	reading := 0
	for _, p := range m.peers {
		if err := p.check(&m.cfg, !m.roundAt.IsZero(), m.starved); err != nil {
			return fmt.Errorf("relay: peer %v: %w", p.id, err)
		}
		if p.read != noRead {
			reading++
		}
		if p.readable() && m.reads < m.cfg.MaxReads && !m.starved {
			return fmt.Errorf("relay: peer %v waits for a read though %d of %d are outstanding", p.id, m.reads, m.cfg.MaxReads)
		}
	}
	switch {
	case !slices.IsSortedFunc(m.peers, func(p, q *remote) int { return cmp.Compare(p.id, q.id) }):
		return errors.New("relay: the peers are out of order")
	case reading > m.reads || m.reads > m.cfg.MaxReads:
		return fmt.Errorf("relay: %d peers read, %d reads are outstanding, %d are allowed", reading, m.reads, m.cfg.MaxReads)
	case m.resync.due() && !m.starved:
		return errors.New("relay: the tip is wanted and not asked for")
	}
	return nil
}

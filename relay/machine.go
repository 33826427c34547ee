package relay

import (
	"fmt"
	"math/rand/v2"
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

	peers map[actor.ID]*remote
	order []actor.ID // of peers, oldest first

	reads int        // reads outstanding, those of gone peers included
	ring  []actor.ID // peers that wait for a read, the next one first

	parked  []actor.ID // peers with something to retry
	retryAt time.Time  // when to retry; zero: no clock runs
	starved bool       // a port had no slot: retry when one is freed

	tip       chain.Point // the best block, as last heard
	roundAt   time.Time   // when the next announcement round is due; zero: none is
	lastRound time.Time
	resync    bool         // events were missed: the tip is to be asked for
	tipsAsked actor.Ticket // the GetTips outstanding; zero: none

	stats Status
}

// New returns a relay without peers. It leaves nothing to chance: the source of
// randomness is not used.
func New(cfg Bounds, ports Ports, _ *rand.Rand) *Machine {
	return &Machine{
		cfg: cfg, ports: ports,
		peers: map[actor.ID]*remote{},
	}
}

// Step handles one input.
func (m *Machine) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch e := in.Body.(type) {
	case actor.Start:
		m.onStart(e)
	case actor.Stop:
		out.Finish("stopped")
		return
	case actor.Tick:
		m.onTick(now, out)
	case actor.Freed: // retried below
	case actor.Lagged:
		m.onLagged()

	case peer.Ready:
		m.onReady(e)
	case peer.Gone:
		m.onGone(e)
	case peer.WantsHeaders:
		m.onWantsHeaders(e)
	case peer.Announced:
		m.onAnnounced(e)
	case peer.HeadersWanted:
		m.onHeadersWanted(now, e, out)
	case peer.BlocksWanted:
		m.onBlocksWanted(now, e, out)
	case peer.DataWanted:
		m.onDataWanted(now, e, out)
	case peer.Sent:
		m.onSent(now, in, out)

	case chain.BlockConnected:
		m.onConnected(now, e)
	case chain.BlockDisconnected:
		m.onDisconnected(e)
	case chain.Tips:
		m.onTips(now, in, e)
	case chain.Headers:
		m.onHeaders(now, in, e, out)
	case chain.Hashes:
		m.onHashes(now, in, e, out)
	case chain.Block:
		m.onBlock(now, in, e, out)

	case GetStatus:
		m.onGetStatus(e.Call(in), out)
	default:
		panic(fmt.Sprintf("relay: unknown input %T", in.Body))
	}
	if m.starved && freesSlot(in) {
		m.retry(now, out)
	}
	m.startReads(out)
	m.askTips(out)
}

// freesSlot says whether an input leaves a port with a slot more than before.
func freesSlot(in actor.Input) bool {
	_, freed := in.Body.(actor.Freed)
	return freed || in.Ticket != 0
}

// Deadline is when the next announcement round or the next retry is due.
func (m *Machine) Deadline() time.Time {
	if m.roundAt.IsZero() || !m.retryAt.IsZero() && m.retryAt.Before(m.roundAt) {
		return m.retryAt
	}
	return m.roundAt
}

// onStart asks for the tip when relay was rebuilt: a block may have been
// connected while it was dead.
func (m *Machine) onStart(e actor.Start) { m.resync = e.Generation > 0 }

func (m *Machine) onTick(now time.Time, out *actor.Outbox) {
	if due(m.roundAt, now) {
		m.announceRound(now, out)
	}
	if due(m.retryAt, now) {
		m.retry(now, out)
	}
}

func (m *Machine) retry(now time.Time, out *actor.Outbox) {
	m.retryAt, m.starved = time.Time{}, false
	m.askTips(out)
	parked := m.parked
	m.parked = nil
	for _, id := range parked {
		m.peers[id].parked = false
		m.pump(now, m.peers[id], out)
	}
}

func (m *Machine) onGetStatus(call actor.Call[Status], out *actor.Outbox) {
	s := m.stats
	s.Peers = len(m.peers)
	call.Answer(out, s)
}

// retrySoon makes sure that a Tick comes within RetryAfter.
func (m *Machine) retrySoon(now time.Time) {
	if m.retryAt.IsZero() {
		m.retryAt = now.Add(m.cfg.RetryAfter)
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

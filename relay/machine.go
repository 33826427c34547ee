package relay

import (
	"fmt"
	"math/rand/v2"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Config holds relay's bounds.
type Config struct {
	// MaxAnnounce is how many blocks may wait to be announced to one peer;
	// when there are more only the tip is announced. Bitcoin Core: 8.
	MaxAnnounce int
	// MaxKnown is how many of the blocks that a peer knows are remembered, per
	// peer; 32 bytes and a map entry each.
	MaxKnown int
	// MaxWanted is how many items of getdata may wait, per peer; 36 bytes
	// each. One getdata message carries 50,000 at most.
	MaxWanted int
	// MaxLocators is how many getheaders may wait, and how many getblocks,
	// per peer, at least 2: the first may be under way, and a further one
	// replaces the last. 101 hashes each.
	MaxLocators int
	// MaxReads is how many questions to chain may be outstanding on behalf of
	// all peers together.
	MaxReads int
	// ReadAttempts is how often a read is tried before the peer is told
	// notfound.
	ReadAttempts int
	// AnnounceDelay is how long a block waits for others that are connected
	// together with it.
	AnnounceDelay time.Duration
	// AnnounceInterval is the least time between two announcement rounds.
	AnnounceInterval time.Duration
	// MaxTipAge is the age, by its own timestamp, from which a block is no
	// news: the node is still catching up. Bitcoin Core: 24 h.
	MaxTipAge time.Duration
	// RetryAfter is how long to wait after ErrBusy.
	RetryAfter time.Duration
}

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
	cfg   Config
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
func New(cfg Config, ports Ports, _ *rand.Rand) *Machine {
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

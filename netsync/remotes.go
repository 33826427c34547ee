package netsync

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// limitedBlocks is how far below its tip a peer with NODE_NETWORK_LIMITED
// serves blocks (BIP159).
const limitedBlocks = 288

// noShared is the height of a path that shares nothing with a peer's branch.
const noShared = -1

// peerState is what netsync knows of one ready peer.
type peerState struct {
	id      actor.ID
	full    bool // NODE_NETWORK
	limited bool // NODE_NETWORK_LIMITED
	witness bool // NODE_WITNESS
	chosen  bool // we dialled it of our own accord: there are others

	// A peer that is leaving was found wanting. It is given nothing more, and
	// its cell was ordered to end: Gone will come.
	leaving bool

	// One Send at a time is outstanding, so that a slow reader is never
	// overrun; what comes up meanwhile goes into the next one.
	sending      actor.Ticket
	sendTimeouts int
	pausedUntil  time.Time // nothing is sent to it until then

	headerState
	downloadState
}

// headerState is the peer's header sync.
type headerState struct {
	best   chain.Point    // what it has proved with the most work; zero: nothing
	common chain.Point    // where best's branch leaves the best header chain
	behind chainhash.Hash // a block on the way to best that was once set aside; zero: none is known

	ask         askPhase
	locator     []*chainhash.Hash // askReady
	askDeadline time.Time         // askWaiting
	askAt       time.Time         // when it is to be asked next; in the past: as soon as its turn comes
	lastAsk     time.Time

	more      bool             // its last answer was full: it has more for us
	ranOut    bool             // its last answer was not: it has proved its tip
	jumping   bool             // it was asked from our best header rather than from its own
	jumpTo    chain.Point      // ... which is this
	jumped    bool             // ... and that did not help: it is on another branch
	fromBlock bool             // its last answer was empty: ask from our best block
	late      int              // questions in a row without an answer
	strange   int              // headers in a row that did not connect
	useless   int              // full answers in a row that brought nothing new
	batch     receivedHeaders  // waits to be submitted
	judging   submittedHeaders // is being judged by chain
}

// askPhase is where a getheaders is.
type askPhase uint8

const (
	askIdle     askPhase = iota
	askLocating          // chain makes the locator
	askReady             // it goes out with the next Send
	askWaiting           // the peer has been asked
)

// receivedHeaders are consecutive headers of one peer.
type receivedHeaders struct {
	headers []*wire.BlockHeader
	last    chainhash.Hash
	answer  bool // they answer our getheaders
	queued  bool
}

// submittedHeaders is what chain was asked to judge.
type submittedHeaders struct {
	n      int // headers; zero: nothing is being judged
	answer bool
}

// downloadState is what the peer delivers.
type downloadState struct {
	// shared is the height up to which the peer's proved branch and the path
	// are the same: it has these blocks. It holds for the path to sharedTo
	// and was computed from the proved point sharedOf.
	shared             int32
	sharedTo, sharedOf chainhash.Hash

	orders    []order   // in the order asked
	fresh     int       // how many of them, at the end, have not been sent yet
	progress  time.Time // when its last block came, or it was asked after having been idle
	window    int       // how many orders it may have
	rate      rate
	stalls    int       // times in a row that it was late
	restUntil time.Time // no orders until then
	stalled   int       // ... in all
}

// order is one block that a peer was asked for.
type order struct {
	hash   chainhash.Hash
	height int32
	sent   actor.Ticket // the Send that carried it; zero: not sent yet
}

// onReady begins the peer's part in the sync: it is asked for headers when its
// turn comes. What height it claims is of no interest.
func (m *Machine) onReady(now time.Time, r peer.Ready) {
	if m.byID[r.Peer] != nil {
		panic(fmt.Sprintf("netsync: peer %v is ready twice", r.Peer))
	}
	p := &peerState{
		id:      r.Peer,
		full:    r.Services&wire.SFNodeNetwork != 0,
		limited: r.Services&wire.SFNodeNetworkLimited != 0,
		witness: r.Services&wire.SFNodeWitness != 0,
		chosen:  !r.Inbound && !r.Manual,
	}
	p.askAt = now
	p.shared = noShared
	p.window = m.cfg.StartInFlight
	if r.Inbound {
		p.window = m.cfg.MinInFlight // anybody can come, and be many
	}
	m.byID[p.id] = p
	at, _ := slices.BinarySearchFunc(m.ready, p.id, comparePeer)
	m.ready = slices.Insert(m.ready, at, p)
	m.stats.dirty = true
}

func comparePeer(p *peerState, id actor.ID) int {
	switch {
	case p.id < id:
		return -1
	case p.id > id:
		return 1
	}
	return 0
}

// onGone takes back everything that the peer was asked for (law L7). What it
// has proved falls away with it.
func (m *Machine) onGone(g peer.Gone) {
	p := m.byID[g.Peer]
	if p == nil {
		return
	}
	m.takeBackAll(p)
	delete(m.byID, p.id)
	at, _ := slices.BinarySearchFunc(m.ready, p.id, comparePeer)
	m.ready = slices.Delete(m.ready, at, at+1)
	m.stats.dirty = true
}

// active returns the peer unless it is gone or leaving.
func (m *Machine) active(id actor.ID) *peerState {
	if p := m.byID[id]; p != nil && !p.leaving {
		return p
	}
	return nil
}

// about returns the peer that an answered question was about, or nil if it is
// gone.
func (m *Machine) about(in actor.Input) *peerState { return m.byID[actor.ID(in.Key)] }

// drop ends the work with a peer and orders its cell to end.
func (m *Machine) drop(p *peerState, reason string, fault bool, out *actor.Outbox) {
	if p.leaving {
		return
	}
	p.leaving = true
	m.takeBackAll(p)
	p.ask, p.askDeadline, p.locator, p.batch = askIdle, time.Time{}, nil, receivedHeaders{}
	p.more, p.best, p.common = false, chain.Point{}, chain.Point{}
	m.headerQueue = slices.DeleteFunc(m.headerQueue, func(id actor.ID) bool { return id == p.id })
	out.Log(actor.Info, "dropping a peer", "peer", p.id, "reason", reason, "fault", fault)
	out.End(p.id, reason, fault)
}

// flush sends each peer what has come up for it: at most one Send at a time.
func (m *Machine) flush(now time.Time, out *actor.Outbox) {
	for _, p := range m.ready {
		if !p.canSend(now) || p.ask != askReady && p.fresh == 0 {
			continue
		}
		t, ok := m.ports.Send.Ask(out, peer.To(p.id), uint64(p.id), peer.Send{Msgs: p.messages()})
		if !ok {
			m.takeBackFresh(p)
			continue
		}
		p.sending = t
		for i := len(p.orders) - p.fresh; i < len(p.orders); i++ {
			p.orders[i].sent = t
		}
		p.fresh = 0
		if p.ask == askReady {
			p.ask, p.locator = askWaiting, nil
			p.lastAsk, p.askDeadline = now, now.Add(m.cfg.HeadersTimeout)
			p.askAt = m.nextRound(now)
		}
	}
}

// canSend says whether the peer may be sent something now.
func (p *peerState) canSend(now time.Time) bool {
	return !p.leaving && p.sending == 0 && !now.Before(p.pausedUntil)
}

// mayOrder says whether blocks may be ordered from the peer now. One that was
// late with them rests, and can still be asked for headers.
func (p *peerState) mayOrder(now time.Time) bool {
	return p.canSend(now) && !now.Before(p.restUntil)
}

// messages returns what the next Send carries.
func (p *peerState) messages() []wire.Message {
	var msgs []wire.Message
	if p.ask == askReady {
		msgs = append(msgs, &wire.MsgGetHeaders{
			ProtocolVersion:    wire.ProtocolVersion,
			BlockLocatorHashes: p.locator,
		})
	}
	if p.fresh > 0 {
		get := wire.NewMsgGetDataSizeHint(uint(p.fresh))
		for _, o := range p.orders[len(p.orders)-p.fresh:] {
			get.InvList = append(get.InvList, wire.NewInvVect(wire.InvTypeWitnessBlock, &o.hash))
		}
		msgs = append(msgs, get)
	}
	return msgs
}

// onSent takes note that the peer may be sent more, or that it did not get what
// it was sent.
func (m *Machine) onSent(now time.Time, in actor.Input, out *actor.Outbox) {
	p := m.about(in)
	if p == nil {
		return
	}
	p.sending = 0
	if in.Err == nil {
		p.sendTimeouts = 0
		return
	}
	if p.leaving {
		return
	}
	if p.ask == askReady || p.ask == askWaiting {
		p.ask, p.askDeadline, p.locator = askIdle, time.Time{}, nil
		p.askAt = now.Add(m.cfg.Pause)
	}
	if in.Err == actor.ErrBusy {
		// Only this Send was lost.
		p.pausedUntil = now.Add(m.cfg.Retry)
		m.takeBackIf(p, func(o order) bool { return o.sent == in.Ticket })
		return
	}
	m.takeBackAll(p)
	p.pausedUntil = now.Add(m.cfg.Pause)
	if in.Err == actor.ErrTimeout {
		// The peer does not read. Its slot stays taken until it does, so it
		// may not take many.
		if p.sendTimeouts++; p.sendTimeouts >= 2 {
			m.drop(p, "does not read what it is sent", false, out)
		}
	}
}

// checkPeers verifies the list of peers and what is noted of each.
func (m *Machine) checkPeers() error {
	for i, p := range m.ready {
		if m.byID[p.id] != p || i > 0 && m.ready[i-1].id >= p.id {
			return fmt.Errorf("the list of ready peers is not in order at %v", p.id)
		}
		if (p.ask == askWaiting) != !p.askDeadline.IsZero() {
			return fmt.Errorf("peer %v: phase %d with deadline %v", p.id, p.ask, p.askDeadline)
		}
		if p.batch.queued != slices.Contains(m.headerQueue, p.id) || p.batch.queued != (len(p.batch.headers) > 0) {
			return fmt.Errorf("peer %v: %d headers wait, queued: %v", p.id, len(p.batch.headers), p.batch.queued)
		}
		if p.leaving && (len(p.orders) > 0 || p.ask != askIdle) {
			return fmt.Errorf("peer %v is leaving with %d orders in phase %d", p.id, len(p.orders), p.ask)
		}
		if len(p.batch.headers) > wire.MaxBlockHeadersPerMsg {
			return fmt.Errorf("peer %v: %d headers wait", p.id, len(p.batch.headers))
		}
	}
	if len(m.byID) != len(m.ready) {
		return fmt.Errorf("%d peers, %d ready", len(m.byID), len(m.ready))
	}
	return nil
}

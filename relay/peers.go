package relay

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// remote is what relay keeps of one peer.
type remote struct {
	id      actor.ID
	phase   phase
	headers bool // it sent sendheaders (BIP130)
	known   known
	pending []news // to announce, in the order of the chain
	wants   wants

	out    *message     // being sent, or waiting for its retry; nil: none
	ticket actor.Ticket // of the Send of out; zero: not asked

	read readKind // what chain is asked for this peer
	held *message // the outcome of a read, waiting for out; nil: none

	inRing bool // it waits in Machine.ring for a read
	parked bool // it waits in Machine.parked for retryAt

	reason  string // why it is leaving
	leaving bool   // Disconnect was asked and is not known to have failed
}

// phase is where a peer is in its life here.
type phase uint8

const (
	serving phase = iota
	leaving       // nothing is sent any more; Gone will come
)

// message is one Send and what it counts for once it was taken.
type message struct {
	send     peer.Send
	blocks   int // served
	headers  int // served
	notFound int
}

func (m *Machine) onReady(e peer.Ready) {
	if m.peers[e.Peer] != nil {
		panic("relay: Ready twice")
	}
	m.peers[e.Peer] = &remote{id: e.Peer, known: newKnown(m.cfg.MaxKnown)}
	m.order = append(m.order, e.Peer)
}

// onGone forgets the peer. What chain still owes on its behalf keeps its place
// in reads until the answer comes.
func (m *Machine) onGone(e peer.Gone) {
	if m.peers[e.Peer] == nil {
		return
	}
	delete(m.peers, e.Peer)
	m.order = without(m.order, e.Peer)
	m.ring = without(m.ring, e.Peer)
	m.parked = without(m.parked, e.Peer)
}

// becomeLeaving drops everything that was to be done for the peer. The reason
// is shown in its Gone; "" when the peer cell has gone already.
func (m *Machine) becomeLeaving(p *remote, reason string) {
	if p.phase != serving {
		panic("relay: a peer leaves twice")
	}
	p.phase = leaving
	p.reason, p.leaving = reason, reason == ""
	p.pending, p.wants, p.held = nil, wants{}, nil
	if p.ticket == 0 {
		p.out = nil
	}
	m.ring = without(m.ring, p.id)
	p.inRing = false
}

// serving returns the peer if it is known and not about to leave.
func (m *Machine) serving(id actor.ID) *remote {
	if p := m.peers[id]; p != nil && p.phase == serving {
		return p
	}
	return nil
}

// pump begins whatever can be begun for a peer. Every handler that changes what
// a peer is owed ends here.
func (m *Machine) pump(now time.Time, p *remote, out *actor.Outbox) {
	if p.parked {
		return
	}
	if p.phase == leaving {
		m.disconnect(now, p, out)
		return
	}
	if p.out == nil {
		p.out = m.nextMessage(p)
	}
	if p.out != nil && p.ticket == 0 {
		m.send(now, p, out)
	}
	if m.readable(p) && !p.inRing {
		p.inRing = true
		m.ring = append(m.ring, p.id)
	}
}

// nextMessage takes the most urgent message of a peer: the answer it waits for,
// unless that is a block, then news, then blocks.
func (m *Machine) nextMessage(p *remote) *message {
	held := p.held
	switch {
	case held != nil && held.blocks == 0:
		p.held = nil
		return held
	case len(p.pending) > 0 && m.roundAt.IsZero():
		return m.announcement(p)
	case held != nil:
		p.held = nil
		return held
	case p.wants.continued:
		p.wants.continued = false
		return send1(blockInv(m.tip.Hash))
	}
	return p.wants.settle()
}

// send asks the peer cell to send p.out.
func (m *Machine) send(now time.Time, p *remote, out *actor.Outbox) {
	t, ok := m.ports.Send.AskOf(out, p.id, p.out.send)
	if !ok {
		m.park(now, p)
		return
	}
	p.ticket = t
	m.sends[t] = p.id
}

// onSent is the end of a Send. After ErrBusy the same message is tried again.
// After ErrTimeout the place would stay taken for as long as the peer cell does
// not answer, so the connection is ended rather than a second place used.
func (m *Machine) onSent(now time.Time, in actor.Input, out *actor.Outbox) {
	p := m.peers[m.sends[in.Ticket]]
	delete(m.sends, in.Ticket)
	if p == nil {
		return
	}
	p.ticket = 0
	if p.phase == leaving {
		p.out = nil
		return
	}
	switch in.Err {
	case nil:
		m.count(p.out)
		p.out = nil
		m.pump(now, p, out)
	case actor.ErrBusy:
		m.park(now, p)
	case actor.ErrGone:
		m.becomeLeaving(p, "")
	default:
		m.becomeLeaving(p, "it does not take what it asked for")
		m.pump(now, p, out)
	}
}

func (m *Machine) count(msg *message) {
	m.stats.BlocksServed += uint64(msg.blocks)
	m.stats.HeadersServed += uint64(msg.headers)
	m.stats.NotFound += uint64(msg.notFound)
}

// disconnect asks the peer cell to end the connection, unless that was done.
func (m *Machine) disconnect(now time.Time, p *remote, out *actor.Outbox) {
	if p.leaving {
		return
	}
	t, ok := m.ports.Disconnect.AskOf(out, p.id, peer.Disconnect{Reason: p.reason})
	if !ok {
		m.park(now, p)
		return
	}
	p.leaving = true
	m.closes[t] = p.id
}

// onPeerDisconnected makes sure that a Disconnect that was not taken is asked
// again.
func (m *Machine) onPeerDisconnected(now time.Time, in actor.Input) {
	p := m.peers[m.closes[in.Ticket]]
	delete(m.closes, in.Ticket)
	if p != nil && (in.Err == actor.ErrBusy || in.Err == actor.ErrTimeout) {
		p.leaving = false
		m.park(now, p)
	}
}

// park keeps a peer for the next retry.
func (m *Machine) park(now time.Time, p *remote) {
	if !p.parked {
		p.parked = true
		m.parked = append(m.parked, p.id)
	}
	m.retrySoon(now)
}

// known is a bounded set of blocks that a peer knows; the oldest is forgotten
// first. The value says whether the peer has the header: false when it was only
// told the hash by an inv of ours.
type known struct {
	has  map[chainhash.Hash]bool
	ring []chainhash.Hash // the members, in a circle
	next int              // the place in ring that is overwritten next
	max  int
}

func newKnown(max int) known {
	return known{has: map[chainhash.Hash]bool{}, max: max}
}

func (k *known) contains(h chainhash.Hash) bool  { _, ok := k.has[h]; return ok }
func (k *known) hasHeader(h chainhash.Hash) bool { return k.has[h] }

func (k *known) add(h chainhash.Hash, header bool) {
	if old, ok := k.has[h]; ok {
		k.has[h] = old || header
		return
	}
	if len(k.ring) < k.max {
		k.ring = append(k.ring, h)
	} else {
		delete(k.has, k.ring[k.next])
		k.ring[k.next] = h
		k.next = (k.next + 1) % k.max
	}
	k.has[h] = header
}

func without(ids []actor.ID, id actor.ID) []actor.ID {
	if i := slices.Index(ids, id); i >= 0 {
		return slices.Delete(ids, i, i+1)
	}
	return ids
}

// send1 is a message of one wire message.
func send1(msg wire.Message) *message {
	return &message{send: peer.Send{Msgs: []wire.Message{msg}}}
}

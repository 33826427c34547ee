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

// onGone forgets the peer. What the readers still owe on its behalf counts among
// the reads until the answer comes.
func (m *Machine) onGone(e peer.Gone) {
	if m.peers[e.Peer] == nil {
		return
	}
	delete(m.peers, e.Peer)
	m.order = without(m.order, e.Peer)
	m.ring = without(m.ring, e.Peer)
	m.parked = without(m.parked, e.Peer)
}

// becomeLeaving drops everything that was to be done for the peer and orders
// its cell to end. The reason is shown in its Gone.
func (m *Machine) becomeLeaving(p *remote, reason string, out *actor.Outbox) {
	if p.phase != serving {
		panic("relay: a peer leaves twice")
	}
	p.phase = leaving
	p.pending, p.wants, p.held = nil, wants{}, nil
	if p.ticket == 0 {
		p.out = nil
	}
	m.ring, m.parked = without(m.ring, p.id), without(m.parked, p.id)
	p.inRing, p.parked = false, false
	out.End(p.id, reason, false)
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
	if p.parked || p.phase == leaving {
		return
	}
	if p.out == nil {
		p.out = m.nextMessage(p)
	}
	if p.out != nil && p.ticket == 0 {
		m.send(p, out)
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
func (m *Machine) send(p *remote, out *actor.Outbox) {
	t, ok := m.ports.Send.Ask(out, peer.To(p.id), uint64(p.id), p.out.send)
	if !ok {
		m.starve(p)
		return
	}
	p.ticket = t
}

// onSent is the end of a Send. After ErrBusy the same message is tried again.
// After ErrTimeout the slot would stay taken for as long as the peer cell does
// not answer, so the connection is ended rather than a second slot used.
func (m *Machine) onSent(now time.Time, in actor.Input, out *actor.Outbox) {
	p := m.peers[actor.ID(in.Key)]
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
		m.becomeLeaving(p, "its cell has gone", out)
	default:
		m.becomeLeaving(p, "it does not take what it asked for", out)
	}
}

func (m *Machine) count(msg *message) {
	m.stats.BlocksServed += uint64(msg.blocks)
	m.stats.HeadersServed += uint64(msg.headers)
	m.stats.NotFound += uint64(msg.notFound)
}

// park keeps a peer for the next retry.
func (m *Machine) park(now time.Time, p *remote) {
	m.setAside(p)
	m.retrySoon(now)
}

// starve keeps a peer until a slot is freed.
func (m *Machine) starve(p *remote) {
	m.setAside(p)
	m.starved = true
}

func (m *Machine) setAside(p *remote) {
	if !p.parked {
		p.parked = true
		m.parked = append(m.parked, p.id)
	}
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

package server

import (
	"net/netip"
	"slices"
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"

	"github.com/btcsuite/btcd/wire/v2"
)

// slot is one connection, from the spawn of its cell to its end.
type slot struct {
	id     actor.ID
	remote netip.AddrPort
	in     bool // inbound
	manual bool // named by the user: never banned
	ready  bool // between Ready and Gone
	shook  bool // has been ready
	since  time.Time

	wantsAddrV2 bool
	addrsServed bool         // its getaddr has been taken
	tokens      float64      // addresses that it may still tell us
	tokensAt    time.Time    // when tokens was right
	pending     wire.Message // to be sent when no other Send is under way
	sending     bool         // a Send is under way
}

// find returns the index of a peer's slot, or -1.
func (m *Machine) find(id actor.ID) int {
	i, ok := slices.BinarySearchFunc(m.slots, id, func(s slot, id actor.ID) int {
		switch {
		case s.id < id:
			return -1
		case s.id > id:
			return 1
		}
		return 0
	})
	if !ok {
		return -1
	}
	return i
}

// insert adds a slot in its place. IDs grow, so it is the last one except while
// a rebuilt server is told of its peers.
func (m *Machine) insert(now time.Time, id actor.ID, arg peer.Arg) {
	s := slot{
		id: id, remote: arg.Remote, in: arg.Inbound, manual: arg.Manual, since: now,
		tokens: firstTokens, tokensAt: now,
	}
	i := len(m.slots)
	for i > 0 && m.slots[i-1].id > id {
		i--
	}
	m.slots = slices.Insert(m.slots, i, s)
}

// spawn makes the peer's cell. It fails when the kernel has no place for one.
func (m *Machine) spawn(now time.Time, arg peer.Arg, out *actor.Outbox) (actor.ID, bool) {
	arg.BestHeight = m.height
	id, ok := out.Spawn(KindPeer, arg)
	if ok {
		m.insert(now, id, arg)
	}
	return id, ok
}

// refuse closes a connection that we dialled and do not want any more.
func (m *Machine) refuse(conn peer.ConnID, out *actor.Outbox) {
	out.Tell(m.ports.Transport, Refuse{Conn: conn})
}

// used counts the places taken.
func (m *Machine) used() int { return len(m.slots) + len(m.dials) }

// full says whether all places are taken.
func (m *Machine) full() bool { return m.used() >= m.cfg.MaxPeers }

func (m *Machine) count(counts func(*slot) bool) int {
	n := 0
	for i := range m.slots {
		if counts(&m.slots[i]) {
			n++
		}
	}
	return n
}

func (m *Machine) inbound() int { return m.count(func(s *slot) bool { return s.in }) }

func (m *Machine) ready() int { return m.count(func(s *slot) bool { return s.ready }) }

func (m *Machine) readyOutbound() int {
	return m.count(func(s *slot) bool { return s.ready && !s.in })
}

// connected says whether there is a connection to exactly this address.
func (m *Machine) connected(addr netip.AddrPort) bool {
	return slices.ContainsFunc(m.slots, func(s slot) bool { return s.remote == addr })
}

// onAlive takes back a peer that outlived a crash of the server. Since when it
// has been connected is forgotten.
func (m *Machine) onAlive(now time.Time, alive actor.Alive) {
	arg := alive.Arg.(peer.Arg)
	arg.Remote = plain(arg.Remote)
	m.insert(now, alive.Child, arg)
}

// onReady notes that a handshake is done. A server that was rebuilt may be told
// of a peer that has ended meanwhile: it has no slot.
func (m *Machine) onReady(now time.Time, ready peer.Ready, out *actor.Outbox) {
	i := m.find(ready.Peer)
	if i < 0 {
		return
	}
	s := &m.slots[i]
	s.ready, s.shook, s.wantsAddrV2 = true, true, ready.WantsAddr
	m.back(s.remote, out)
	if s.in {
		return
	}
	out.Log(actor.Info, "connected", "peer", s.id, "addr", s.remote, "agent", ready.UserAgent, "height", ready.Height)
	m.noteGood(s.remote, ready.Services)
	m.namedReady(s.id)
	if !s.manual {
		m.auto.fails = 0
	}
	if m.target() > 0 && m.known < enoughKnown {
		s.pending = wire.NewMsgGetAddr()
		s.tokens = maxTokens
	}
}

// onGone notes that a peer is leaving and bans it for a fault. Its place is
// free when its cell has ended.
func (m *Machine) onGone(now time.Time, gone peer.Gone, out *actor.Outbox) {
	i := m.find(gone.Peer)
	if i < 0 {
		return
	}
	s := &m.slots[i]
	s.ready = false
	s.pending = nil
	if !gone.Fault || s.manual {
		return
	}
	m.ban(now, s.remote.Addr(), gone.Reason, out)
}

// onEnded frees a place. A cell that ended while the server was being rebuilt
// may be unknown.
func (m *Machine) onEnded(now time.Time, ended actor.Ended, out *actor.Outbox) {
	i := m.find(ended.Child)
	if i < 0 {
		return
	}
	s := m.slots[i]
	m.slots = slices.Delete(m.slots, i, i+1)
	m.forgetAsking(s.id)
	m.namedEnded(now, s, ended.Reason, out)
	if s.in {
		return
	}
	level := actor.Debug
	if s.shook {
		level = actor.Info
	}
	out.Log(level, "disconnected", "peer", s.id, "addr", s.remote, "reason", ended.Reason)
	if !s.manual && !s.shook {
		m.automaticFailed(now, out)
	}
}

// onDisconnectNode ends the connections to an address, to the address of a
// peer that the user named so, or of one peer. A peer that the user has named is
// connected again after its back-off, as in Bitcoin Core.
func (m *Machine) onDisconnectNode(q DisconnectNode, call actor.Call[Done], out *actor.Outbox) {
	done := Done{Err: Unconnected}
	t, ok := hostport.Parse(q.Addr, m.cfg.DefaultPort)
	if q.Peer == 0 && !ok {
		done.Err = BadAddress
	}
	for i := range m.slots {
		s := &m.slots[i]
		byAddr := ok && (s.remote == t.Literal() || m.linkedTo(s.id, t))
		if q.Peer == s.id || q.Peer == 0 && byAddr {
			out.End(s.id, "disconnected by the user", false)
			done.Err = ""
		}
	}
	call.Answer(out, done)
}

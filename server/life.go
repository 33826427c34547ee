package server

import (
	"time"

	"acyclic/config/hostport"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// spawn makes the cell of a connection. It returns 0 if the kernel has no seat.
func (m *Machine) spawn(now time.Time, arg peer.Arg, out *actor.Outbox) actor.ID {
	arg.BestHeight = m.height
	id, ok := out.Spawn(KindPeer, arg)
	if !ok {
		return 0
	}
	m.seat(now, id, arg)
	return id
}

func (m *Machine) seat(now time.Time, id actor.ID, arg peer.Arg) {
	m.remotes.add(remote{
		id: id, addr: plain(arg.Remote), inbound: arg.Inbound, manual: arg.Manual, since: now, talk: newTalk(now),
	})
}

// onAlive takes back a peer that outlived a crash of the server. The time at which
// it connected is lost.
func (m *Machine) onAlive(now time.Time, alive actor.Alive) {
	m.seat(now, alive.Child, alive.Arg.(peer.Arg))
}

// onReady notes that a handshake is done. A rebuilt server may be told of a peer
// that has ended in the meantime and is not among the remotes.
func (m *Machine) onReady(ready peer.Ready, out *actor.Outbox) {
	r := m.remotes.find(ready.Peer)
	if r == nil {
		return
	}
	r.ready, r.shook, r.talk.wantsV2 = true, true, ready.WantsAddr
	m.alone.over(r.addr, out)
	if r.inbound {
		return
	}
	out.Log(actor.Info, "connected", "peer", r.id, "addr", r.addr, "agent", ready.UserAgent, "height", ready.Height)
	m.gossip.good(r.addr, ready.Services)
	m.named.shook(r.id)
	if !r.manual {
		m.outbound.fails = 0
	}
	if s := m.seats(); s.target > 0 && m.gossip.known < enoughKnown {
		r.talk.getAddrs()
	}
}

// onGone notes that a peer is leaving and bans its host for a fault. Its seat is
// free when its cell has ended.
func (m *Machine) onGone(now time.Time, gone peer.Gone, out *actor.Outbox) {
	r := m.remotes.find(gone.Peer)
	if r == nil {
		return
	}
	r.ready = false
	r.talk.end()
	if !gone.Fault || r.manual {
		return
	}
	host, ok := m.bans.add(now, r.addr.Addr())
	if !ok {
		return
	}
	out.Log(actor.Info, "host banned", "addr", r.addr.Addr(), "host", host, "for", m.bans.duration, "reason", gone.Reason)
	for i := range m.remotes {
		if r := &m.remotes[i]; hostOf(r.addr.Addr()) == host && !r.manual {
			out.End(r.id, "its address was banned", false)
		}
	}
}

// onEnded frees a seat. A cell that ended while the server was being rebuilt may
// be unknown.
func (m *Machine) onEnded(now time.Time, ended actor.Ended, out *actor.Outbox) {
	r, ok := m.remotes.remove(ended.Child)
	if !ok {
		return
	}
	m.named.ended(now, &r, ended.Reason, m.rng, out)
	if r.inbound {
		return
	}
	level := actor.Debug
	if r.shook {
		level = actor.Info
	}
	out.Log(level, "disconnected", "peer", r.id, "addr", r.addr, "reason", ended.Reason)
	if !r.manual && !r.shook {
		m.automaticFailed(now, out)
	}
}

// onDisconnectNode ends the connection to a peer. The peer is named by its ID, by
// its address, or as the user has named it. A named peer is connected again after
// its back-off, as in Bitcoin Core.
func (m *Machine) onDisconnectNode(q DisconnectNode, call actor.Call[Done], out *actor.Outbox) {
	done := Done{Err: Unconnected}
	t, ok := hostport.Parse(q.Addr, m.cfg.DefaultPort)
	if q.Peer == 0 && !ok {
		done.Err = BadAddress
	}
	named := m.named.called(t)
	for i := range m.remotes {
		r := &m.remotes[i]
		if r.id == q.Peer || ok && r.addr == t.Literal() || named != nil && named.peer == r.id {
			out.End(r.id, "disconnected by the user", false)
			done.Err = ""
		}
	}
	call.Answer(out, done)
}

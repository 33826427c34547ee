package server

import (
	"net/netip"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// onAdmit answers the listener at once, with a peer or with the reason why there
// is none.
func (m *Machine) onAdmit(now time.Time, q Admit, call actor.Call[Admitted], out *actor.Outbox) {
	addr := plain(q.Remote)
	reason := m.inadmissible(now, addr.Addr())
	var id actor.ID
	if reason == "" {
		arg := peer.Arg{Conn: q.Conn, Remote: addr, Local: plain(q.Local), Inbound: true}
		if id = m.spawn(now, arg, out); id == 0 {
			reason = noSeat
		}
	}
	if reason != "" {
		m.status.refused++
		out.Log(actor.Trace, "connection refused", "addr", addr, "reason", reason)
	}
	call.Answer(out, Admitted{Peer: id, Reason: reason})
}

// noSeat is the reason when the kernel has no seat: the seats of cells that have
// ended are free when everybody has seen their end.
const noSeat = "no seat for another peer's cell"

// inadmissible says why a connection from an address is not taken, "" if it is.
func (m *Machine) inadmissible(now time.Time, addr netip.Addr) string {
	// Loopback is not bounded: behind it are different peers (tests, Tor, tunnels).
	most := m.cfg.MaxInboundPerIP
	bounded := most > 0 && !addr.IsLoopback()
	switch s := m.seats(); {
	case m.stopping:
		return "the node is stopping"
	case m.bans.has(now, addr):
		return "its address is banned"
	case !s.admits():
		return "all inbound seats are taken"
	case bounded && m.remotes.inboundFrom(hostOf(addr)) >= most:
		return "too many connections from its address"
	}
	return ""
}

package server

import (
	"net/netip"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// onAdmit answers the listener at once: a slot, or why there is none.
func (m *Machine) onAdmit(now time.Time, q Admit, call actor.Call[Admitted], out *actor.Outbox) {
	remote := plain(q.Remote)
	reason := m.inadmissible(now, remote)
	var id actor.ID
	if reason == "" {
		var ok bool
		id, ok = m.spawn(now, peer.Arg{Conn: q.Conn, Remote: remote, Local: plain(q.Local), Inbound: true}, out)
		if !ok {
			reason = "no place for another peer's cell"
		}
	}
	if reason != "" {
		m.status.refused++
		out.Log(actor.Trace, "connection refused", "addr", remote, "reason", reason)
	}
	call.Answer(out, Admitted{Peer: id, Reason: reason})
}

// inadmissible says why a connection from remote is not taken; "" when it is.
func (m *Machine) inadmissible(now time.Time, remote netip.AddrPort) string {
	switch {
	case m.stopping:
		return "the node is stopping"
	case m.banned(now, remote.Addr()):
		return "its address is banned"
	case m.inbound() >= m.inboundLimit() || m.full():
		return "all inbound slots are taken"
	case m.crowded(remote.Addr()):
		return "too many connections from its address"
	}
	return ""
}

// inboundLimit is what is left of the places when those of outbound peers are
// kept free (btcd v0.26 does the same).
func (m *Machine) inboundLimit() int {
	return max(0, m.cfg.MaxPeers-m.target()-m.kept())
}

// crowded says whether a host has all the inbound connections that one host may
// have. Loopback is not bounded: what comes from there (tests, Tor,
// tunnels) are different peers behind one address.
func (m *Machine) crowded(addr netip.Addr) bool {
	if m.cfg.MaxInboundPerIP == 0 || addr.IsLoopback() {
		return false
	}
	host := hostOf(addr)
	same := m.count(func(s *slot) bool { return s.in && hostOf(s.remote.Addr()) == host })
	return same >= m.cfg.MaxInboundPerIP
}

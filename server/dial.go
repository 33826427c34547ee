package server

import (
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// dial is a connection being made. It has a place from the start, so that the
// connection finds one.
type dial struct {
	ticket    actor.Ticket
	addr      netip.AddrPort
	automatic bool // not for a peer that the user named
}

func (m *Machine) findDial(t actor.Ticket) int {
	return slices.IndexFunc(m.dials, func(d dial) bool { return d.ticket == t })
}

func (m *Machine) dialled(addr netip.AddrPort) bool {
	return slices.ContainsFunc(m.dials, func(d dial) bool { return d.addr == addr })
}

// startDial begins a connection; ok is false when the port had no slot.
func (m *Machine) startDial(addr netip.AddrPort, automatic bool, out *actor.Outbox) (actor.Ticket, bool) {
	t, ok := m.ports.Dial.Ask(out, 0, Dial{Addr: addr})
	if !ok {
		return 0, false
	}
	m.dials = append(m.dials, dial{ticket: t, addr: addr, automatic: automatic})
	if m.ready() > 0 {
		// Without a peer it may be our own network that fails: that must not
		// be held against the addresses (as in Bitcoin Core).
		m.noteAttempted(addr)
	}
	return t, true
}

// onDialed ends a dial. A connection becomes a peer or is refused: nothing is
// left open. (An answer that comes after the timeout is not delivered; its
// connection is closed by the transport, because nobody claims it.)
func (m *Machine) onDialed(now time.Time, in actor.Input, got Dialed, out *actor.Outbox) {
	i := m.findDial(in.Ticket)
	if i < 0 {
		panic("server: the answer to a dial that nobody asked for")
	}
	d := m.dials[i]
	m.dials = slices.Delete(m.dials, i, i+1)

	reason := got.Err
	if in.Err != nil {
		reason = in.Err.Error()
	}
	owner := m.findDialling(d.ticket)
	wanted := owner >= 0
	if d.automatic {
		wanted = !m.banned(now, d.addr.Addr())
	}

	var id actor.ID
	if reason == "" {
		m.noteConnected(d.addr)
		spawned := false
		if wanted {
			id, spawned = m.spawn(now, peer.Arg{
				Conn: got.Conn, Remote: d.addr, Local: plain(got.Local), Manual: !d.automatic,
			}, out)
		}
		if !spawned {
			m.refuse(got.Conn, out)
			reason = "no place for another peer's cell"
		}
	}

	switch {
	case d.automatic && id == 0:
		out.Log(actor.Debug, "dialling failed", "addr", d.addr, "reason", reason)
		m.automaticFailed(now, out)
	case owner >= 0 && id == 0:
		m.namedFailed(now, owner, d.addr.String()+": "+reason, out)
	case owner >= 0:
		m.namedLinked(owner, id)
	}
}

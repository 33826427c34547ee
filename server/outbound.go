package server

import (
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// How automatic peers are sought.
const (
	// dialInterval is the least time between two automatic dials (Bitcoin
	// Core's).
	dialInterval = 500 * time.Millisecond
	// dialIntervalMax is what it grows to when no dial succeeds.
	dialIntervalMax = time.Minute
	// manyFails is how many dials in a row must fail before that, and before
	// the user is told: four of five addresses in a book of testnet are
	// dead, and 0.8^16 is one in forty.
	manyFails = 16
	// pickRetry and pickRetryMax: how long to wait when the book has nothing
	// to offer.
	pickRetry    = 5 * time.Second
	pickRetryMax = 5 * time.Minute
)

// outbound is the search for automatic peers.
type outbound struct {
	candidates  []netip.AddrPort // to be dialled, from the book
	pick        actor.Ticket     // the question to the book
	pickAt      time.Time        // ask the book not before
	dry         int              // answers in a row without a candidate
	dialAt      time.Time        // dial not before
	fails       int              // dials in a row that led to no handshake
	lonelySince time.Time        // since when there are too few outbound peers; zero: there are enough
	told        bool             // the user has been told that there are no peers
	starved     bool             // a port had no slot: an answer or Freed is waited for, no clock
}

// target is how many automatic peers there should be.
func (m *Machine) target() int {
	if len(m.cfg.ConnectOnly) > 0 {
		return 0
	}
	return max(0, min(m.cfg.OutboundTarget, m.cfg.MaxPeers-m.kept()))
}

// automatic counts the automatic peers and dials. Peers that the user named do
// not count (as in Bitcoin Core): they must not take the place of peers that an
// attacker could not name.
func (m *Machine) automatic() int {
	n := m.count(func(s *slot) bool { return !s.in && !s.manual })
	for _, d := range m.dials {
		if d.automatic {
			n++
		}
	}
	return n
}

// seeking says whether another automatic peer is wanted and has a place.
func (m *Machine) seeking() bool { return m.automatic() < m.target() && !m.full() }

// tendOutbound dials candidates and asks the book for more.
func (m *Machine) tendOutbound(now time.Time, out *actor.Outbox) {
	a := &m.auto
	a.starved = false
	if m.automatic() >= m.target() {
		a.candidates = nil // they would be stale when they are wanted
	}
	for m.seeking() && len(a.candidates) > 0 && !a.dialAt.After(now) {
		addr := a.candidates[0]
		if m.suitable(now, addr) {
			if _, ok := m.startDial(addr, true, out); !ok {
				a.starved = true
				return
			}
			a.dialAt = now.Add(m.dialPause())
		}
		a.candidates = a.candidates[1:]
	}
	if !m.seeking() || len(a.candidates) > 0 || a.pick != 0 || a.pickAt.After(now) {
		return
	}
	t, ok := m.ports.Pick.Ask(out, 0, Pick{Max: m.target() - m.automatic()})
	if !ok {
		a.starved = true
		return
	}
	a.pick = t
}

// outboundDue is when tendOutbound has something to do.
func (m *Machine) outboundDue() time.Time {
	a := &m.auto
	switch {
	case !m.seeking() || a.starved:
		return time.Time{}
	case len(a.candidates) > 0:
		return later(m.settled, a.dialAt)
	case a.pick == 0:
		return later(m.settled, a.pickAt)
	}
	return time.Time{}
}

// dialPause is how long to wait after a dial.
func (m *Machine) dialPause() time.Duration {
	if m.auto.fails < manyFails {
		return dialInterval
	}
	return backoff(m.rng, 2*dialInterval, dialIntervalMax, m.auto.fails-manyFails+1)
}

// onPicked takes the book's candidates.
func (m *Machine) onPicked(now time.Time, in actor.Input, picked Picked, out *actor.Outbox) {
	a := &m.auto
	a.pick = 0
	if in.Err == nil {
		m.known = picked.Known
	} else {
		m.known = max(m.known, 0) // a book that does not answer knows nothing
	}
	for _, addr := range picked.Addrs {
		if addr = plain(addr); m.suitable(now, addr) && !slices.Contains(a.candidates, addr) {
			a.candidates = append(a.candidates, addr)
		}
	}
	if len(a.candidates) > 0 {
		a.dry = 0
		return
	}
	a.dry++
	a.pickAt = now.Add(backoff(m.rng, pickRetry, pickRetryMax, a.dry))
	if m.known == 0 && m.cfg.NoDNSSeed && len(m.cfg.DNSSeeds) > 0 && len(m.named) == 0 {
		m.noPeers("the address book is empty and DNS seeds are off (--nodnsseed)", time.Time{}, now, out)
	}
}

// suitable says whether an address from the book may be dialled: not banned, not
// connected, not being dialled, and no outbound peer in its network group, so
// that no single network can surround us.
func (m *Machine) suitable(now time.Time, addr netip.AddrPort) bool {
	if !addr.IsValid() || addr.Port() == 0 || m.banned(now, addr.Addr()) {
		return false
	}
	group := groupOf(addr.Addr())
	clash := func(other netip.AddrPort, outbound bool) bool {
		if other == addr {
			return true
		}
		if addr.Addr().IsLoopback() {
			return false // many peers may live on this machine
		}
		return other.Addr() == addr.Addr() || outbound && group != "" && groupOf(other.Addr()) == group
	}
	for i := range m.slots {
		if s := &m.slots[i]; clash(s.remote, !s.in) {
			return false
		}
	}
	for _, d := range m.dials {
		if clash(d.addr, true) {
			return false
		}
	}
	return true
}

// automaticFailed counts a dial or a handshake that failed.
func (m *Machine) automaticFailed(now time.Time, out *actor.Outbox) {
	a := &m.auto
	a.fails++
	if a.fails >= manyFails {
		a.dialAt = later(a.dialAt, now.Add(m.dialPause()))
	}
	if a.fails == manyFails {
		m.noPeers("none of the last 16 addresses that were dialled could be reached", time.Time{}, now, out)
	}
}

// noPeers tells the user, once until a peer is found, that the node is alone:
// what is missing and what can be done. next is when it is tried again; zero:
// all the time.
func (m *Machine) noPeers(why string, next, now time.Time, out *actor.Outbox) {
	if m.ready() > 0 {
		return
	}
	level := actor.Warn
	if m.auto.told {
		level = actor.Debug
	}
	m.auto.told = true
	again := "trying on"
	if !next.IsZero() {
		again = "trying again in " + next.Sub(now).Round(time.Second).String()
	}
	out.Log(level, "no peers: "+why+"; check the network, or name a peer with --connect or --addpeer; "+again)
}

// back tells the user that the node is not alone any more.
func (m *Machine) back(addr netip.AddrPort, out *actor.Outbox) {
	if m.auto.told {
		m.auto.told = false
		out.Log(actor.Info, "found a peer", "addr", addr)
	}
}

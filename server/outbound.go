package server

import (
	"fmt"
	"math/rand/v2"
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
	// pickRetry and pickRetryMax are how long to wait when the book has nothing
	// to offer.
	pickRetry    = 5 * time.Second
	pickRetryMax = 5 * time.Minute
)

// outbound tracks the search for automatic peers.
type outbound struct {
	most int // candidates

	candidates []netip.AddrPort // from the book, to be dialled
	asking     bool             // the book is being asked
	pickAt     time.Time        // do not ask the book before
	dry        int              // answers in a row without a candidate
	dialAt     time.Time        // do not dial before
	fails      int              // dials in a row that led to no handshake

	// starved says that a port had no slot. An answer or Freed brings the next
	// chance, so no clock runs.
	starved bool
}

// due is when the next candidate is to be dialled or the book to be asked.
func (o *outbound) due(s *seats) time.Time {
	switch {
	case !s.seeking() || o.starved:
		// A change brings the next chance.
	case len(o.candidates) > 0:
		return o.dialAt
	case !o.asking:
		return o.pickAt
	}
	return time.Time{}
}

// pause is how long to wait after a dial.
func (o *outbound) pause(rng *rand.Rand) time.Duration {
	if o.fails < manyFails {
		return dialInterval
	}
	return backoff(rng, 2*dialInterval, dialIntervalMax, o.fails-manyFails+1)
}

// pick asks the book for candidates.
func (o *outbound) pick(now time.Time, missing int, port actor.Port[Pick, Picked], out *actor.Outbox) {
	if len(o.candidates) > 0 || o.asking || o.pickAt.After(now) {
		return
	}
	_, o.asking = port.Ask(out, 0, Pick{Max: missing})
	o.starved = !o.asking
}

// picked takes the book's candidates. If there are none it is asked later.
func (o *outbound) picked(now time.Time, suitable []netip.AddrPort, rng *rand.Rand) {
	o.asking = false
	o.candidates = suitable[:min(len(suitable), o.most)]
	if len(o.candidates) > 0 {
		o.dry = 0
		return
	}
	o.dry++
	o.pickAt = now.Add(backoff(rng, pickRetry, pickRetryMax, o.dry))
}

// grown notes that the book has new addresses: the wait for them is over.
func (o *outbound) grown(now time.Time) { o.dry, o.pickAt = 0, now }

// failed counts a dial or a handshake that failed.
func (o *outbound) failed(now time.Time, rng *rand.Rand) {
	if o.fails++; o.fails >= manyFails {
		o.dialAt = later(o.dialAt, now.Add(o.pause(rng)))
	}
}

func (o *outbound) check() error {
	if len(o.candidates) > o.most || o.asking && len(o.candidates) > 0 {
		return fmt.Errorf("%d candidates of at most %d; the book is being asked: %v", len(o.candidates), o.most, o.asking)
	}
	return nil
}

// seekPeers dials candidates and asks the book for more.
func (m *Machine) seekPeers(now time.Time, s seats, out *actor.Outbox) {
	o := &m.outbound
	o.starved = false
	if s.missing() == 0 {
		o.candidates = nil // they would be stale when they are wanted
	}
	for s.seeking() && len(o.candidates) > 0 && !o.dialAt.After(now) {
		if addr := o.candidates[0]; m.suitable(now, addr) {
			if !m.dial(addr, 0, out) {
				o.starved = true
				return
			}
			o.dialAt = now.Add(o.pause(m.rng))
			s = m.seats()
		}
		o.candidates = o.candidates[1:]
	}
	if s.seeking() {
		o.pick(now, s.missing(), m.ports.Pick, out)
	}
}

// suitable says whether an address from the book may be dialled.
func (m *Machine) suitable(now time.Time, addr netip.AddrPort) bool {
	return addr.IsValid() && addr.Port() != 0 &&
		!m.bans.has(now, addr.Addr()) && !m.remotes.near(addr) && !m.dials.near(addr)
}

// near says whether another address, which we are connected to or are dialling,
// stands in the way of dialling addr. Of outbound connections there is one per
// network group, so that no single network can surround us.
func near(addr, other netip.AddrPort, outbound bool) bool {
	if addr.Addr().IsLoopback() {
		return other == addr // many peers may live on this machine
	}
	group := groupOf(addr.Addr())
	return other.Addr() == addr.Addr() || outbound && group != "" && groupOf(other.Addr()) == group
}

// onPicked takes the suitable ones of the book's addresses.
func (m *Machine) onPicked(now time.Time, in actor.Input, picked Picked, out *actor.Outbox) {
	m.gossip.known = max(m.gossip.known, 0) // a book that does not answer knows nothing
	if in.Err == nil {
		m.gossip.known = picked.Known
	}
	var list []netip.AddrPort
	for _, addr := range picked.Addrs {
		if addr = plain(addr); m.suitable(now, addr) {
			list = append(list, addr)
		}
	}
	m.outbound.picked(now, list, m.rng)
	if m.gossip.known == 0 && m.cfg.NoDNSSeed && len(m.cfg.DNSSeeds) > 0 && len(m.named.list) == 0 {
		m.alone.say(m.seats().ready, "the address book is empty and DNS seeds are off (--nodnsseed)", 0, out)
	}
}

// automaticFailed notes that an automatic peer could not be reached.
func (m *Machine) automaticFailed(now time.Time, out *actor.Outbox) {
	m.outbound.failed(now, m.rng)
	if m.outbound.fails == manyFails {
		m.alone.say(m.seats().ready, "none of the last 16 addresses that were dialled could be reached", 0, out)
	}
}

// checkGroups verifies that no two automatic peers or dials are of one group.
func checkGroups(rs remotes, d *dials) error {
	var groups []string
	for i := range rs {
		if rs[i].automatic() {
			groups = append(groups, groupOf(rs[i].addr.Addr()))
		}
	}
	for _, d := range d.list {
		if d.named == 0 {
			groups = append(groups, groupOf(d.addr.Addr()))
		}
	}
	for i, g := range groups {
		if g != "" && slices.Contains(groups[:i], g) {
			return fmt.Errorf("two automatic peers of the group %s", g)
		}
	}
	return nil
}

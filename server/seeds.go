package server

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// When the DNS seeds are asked.
const (
	// fewKnown: a book with fewer addresses is filled at once.
	fewKnown = 100
	// fewOutbound: with this many outbound peers no seed is needed, whatever
	// the book knows (Bitcoin Core's number).
	fewOutbound = 2
	// seedPatience is how long a book that knows addresses is tried before
	// the seeds are asked (Bitcoin Core's number).
	seedPatience = 11 * time.Second
	// seedRetry and seedRetryMax are the back-off between rounds.
	seedRetry    = 30 * time.Second
	seedRetryMax = 10 * time.Minute
	// maxSeedAddrs is how many addresses of one seed are taken.
	maxSeedAddrs = 256
)

// seeding is the asking of the DNS seeds, in rounds over all of them.
type seeding struct {
	asking bool           // a round is under way
	next   int            // the next seed to ask in this round
	asks   []actor.Ticket // under way
	found  int            // addresses in this round
	at     time.Time      // the next round not before
	tries  int            // rounds since there were enough peers
}

// tendSeeds begins a round when the node is short of outbound peers, and asks as
// many seeds at a time as there are places.
func (m *Machine) tendSeeds(now time.Time, out *actor.Outbox) {
	m.watchLoneliness(now)
	s := &m.seeds
	if due := m.seedsDue(); !s.asking && !due.IsZero() && !due.After(now) {
		*s = seeding{asking: true, tries: s.tries, asks: s.asks}
	}
	for s.asking && s.next < len(m.cfg.DNSSeeds) {
		t, ok := m.ports.Resolve.Ask(out, 0, Resolve{Host: m.cfg.DNSSeeds[s.next], Port: m.cfg.DefaultPort})
		if !ok {
			return // an answer, or Freed, brings us back
		}
		s.asks = append(s.asks, t)
		s.next++
	}
}

// watchLoneliness notes since when there have been too few outbound peers.
func (m *Machine) watchLoneliness(now time.Time) {
	switch {
	case m.readyOutbound() >= min(fewOutbound, m.target()):
		m.auto.lonelySince = time.Time{}
		m.seeds.tries = 0
	case m.auto.lonelySince.IsZero():
		m.auto.lonelySince = now
	}
}

// seedsDue is when the next round begins. It begins only when it is known what
// the book knows.
func (m *Machine) seedsDue() time.Time {
	off := m.cfg.NoDNSSeed || len(m.cfg.DNSSeeds) == 0 || m.target() == 0
	if off || m.seeds.asking || m.known < 0 || m.auto.lonelySince.IsZero() {
		return time.Time{}
	}
	since := m.auto.lonelySince
	if m.known >= fewKnown {
		since = since.Add(seedPatience)
	}
	return later(later(since, m.seeds.at), m.settled)
}

// onSeedResolved takes one seed's addresses. They go through the book, each seed
// as a source of its own, so that none can fill it.
func (m *Machine) onSeedResolved(now time.Time, in actor.Input, got Resolved, out *actor.Outbox) {
	s := &m.seeds
	i := slices.Index(s.asks, in.Ticket)
	if i < 0 {
		return // of a named peer that has been removed
	}
	s.asks = slices.Delete(s.asks, i, i+1)
	addrs := got.Addrs[:min(len(got.Addrs), maxSeedAddrs)]
	if len(addrs) > 0 {
		m.learn(m.seedAddrs(now, addrs), addrs[0])
		s.found += len(addrs)
	} else if in.Err != nil || got.Err != "" {
		out.Log(actor.Debug, "DNS seed failed", "reason", got.Err, "err", in.Err)
	}
	if s.next < len(m.cfg.DNSSeeds) || len(s.asks) > 0 {
		return
	}

	s.asking = false
	s.tries++
	s.at = now.Add(backoff(m.rng, seedRetry, seedRetryMax, s.tries))
	if s.found > 0 {
		level := actor.Info
		if s.tries > 1 {
			level = actor.Debug
		}
		out.Log(level, "addresses from DNS seeds", "count", s.found)
		return
	}
	m.noPeers(fmt.Sprintf("none of the %d DNS seeds answered", len(m.cfg.DNSSeeds)), s.at, now, out)
}

// seedAddrs dates addresses from a seed three to seven days back (as Bitcoin
// Core does), so that what peers tell about them is newer.
func (m *Machine) seedAddrs(now time.Time, addrs []netip.AddrPort) []*wire.NetAddressV2 {
	const day = 24 * time.Hour // what Bitcoin Core counts here
	list := make([]*wire.NetAddressV2, 0, len(addrs))
	for _, a := range addrs {
		seen := now.Add(-3*day - time.Duration(m.rng.Int64N(int64(4*day))))
		list = append(list, wire.NetAddressV2FromBytes(seen, 0, a.Addr().Unmap().AsSlice(), a.Port()))
	}
	return list
}

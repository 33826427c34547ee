package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
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

// seeds tracks the asking of the DNS seeds, in rounds over all of them.
type seeds struct {
	hosts []string // none: they are never asked
	port  uint16

	lonely time.Time // since when there have been too few outbound peers; zero: there are enough
	at     time.Time // no round before
	tries  int       // rounds since there were enough peers

	asking bool // a round is under way
	next   int  // the next seed to ask in it
	open   int  // lookups under way
	found  int  // addresses in the last round
}

// watch notes since when there have been too few outbound peers.
func (s *seeds) watch(now time.Time, seats *seats) {
	switch {
	case seats.readyOutbound >= min(fewOutbound, seats.target):
		s.lonely, s.tries = time.Time{}, 0
	case s.lonely.IsZero():
		s.lonely = now
	}
}

// due is when the next round begins. known is how many addresses the book knows;
// no round begins before that is known.
func (s *seeds) due(known int) time.Time {
	if len(s.hosts) == 0 || s.asking || known < 0 || s.lonely.IsZero() {
		return time.Time{}
	}
	if known >= fewKnown {
		return later(s.lonely.Add(seedPatience), s.at)
	}
	return later(s.lonely, s.at)
}

// ask begins a round if it is due, and asks as many seeds at a time as the port
// has slots. If there is none, an answer or Freed brings the next chance.
func (s *seeds) ask(now time.Time, known int, port actor.Port[Resolve, Resolved], out *actor.Outbox) {
	if due := s.due(known); !due.IsZero() && !due.After(now) {
		s.asking, s.next, s.found = true, 0, 0
	}
	for s.asking && s.next < len(s.hosts) {
		if _, ok := port.Ask(out, uint64(s.next), Resolve{Host: s.hosts[s.next], Port: s.port}); !ok {
			return
		}
		s.next++
		s.open++
	}
}

// resolved counts the addresses of a seed. It returns true if that was the last
// one of the round.
func (s *seeds) resolved(now time.Time, seed uint64, addrs int, reason string, rng *rand.Rand, out *actor.Outbox) (over bool) {
	s.open--
	s.found += addrs
	if reason != "" {
		out.Log(actor.Debug, "DNS seed failed", "seed", s.hosts[seed], "reason", reason)
	}
	if s.next < len(s.hosts) || s.open > 0 {
		return false
	}
	s.asking = false
	s.tries++
	s.at = now.Add(backoff(rng, seedRetry, seedRetryMax, s.tries))
	if s.found > 0 {
		level := actor.Info
		if s.tries > 1 {
			level = actor.Debug
		}
		out.Log(level, "addresses from DNS seeds", "count", s.found)
	}
	return true
}

func (s *seeds) check() error {
	if s.next > len(s.hosts) || s.open > s.next || !s.asking && s.open > 0 {
		return fmt.Errorf("round under way: %v; %d of %d seeds asked, %d lookups open", s.asking, s.next, len(s.hosts), s.open)
	}
	return nil
}

// seedAddrs dates addresses from a seed three to seven days back (as Bitcoin Core
// does), so that what peers tell about them is newer.
func seedAddrs(now time.Time, addrs []netip.AddrPort, rng *rand.Rand) []*wire.NetAddressV2 {
	const day = 24 * time.Hour // what Bitcoin Core counts here
	list := make([]*wire.NetAddressV2, 0, len(addrs))
	for _, a := range addrs {
		seen := now.Add(-3*day - time.Duration(rng.Int64N(int64(4*day))))
		list = append(list, wire.NetAddressV2FromBytes(seen, 0, a.Addr().Unmap().AsSlice(), a.Port()))
	}
	return list
}

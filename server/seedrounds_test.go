package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// meet connects an automatic peer.
func (b *bench) meet(addr string) actor.ID {
	b.t.Helper()
	b.Advance(pickRetryMax)
	b.pick(5, addr)
	return b.connect(b.wantDial(addr, "a candidate"), addr)
}

// The seeds are asked as long as fewer than two outbound peers have shaken hands. Inbound
// peers do not count: anybody can be one.
func TestSeedsAreAskedUntilTwoPeersAreThere(t *testing.T) {
	cfg := seeded("a.example")
	cfg.OutboundTarget = 3
	b := newBench(t, cfg)
	asked := func(want bool, why string) {
		t.Helper()
		for pendingAsks[Resolve](b) > 0 {
			_, ask := steptest.WantAsk[Resolve](b.Rig, "a round of before")
			b.Reply(ask, Resolved{Err: "no such host"})
		}
		b.Advance(2 * seedRetryMax)
		if got := pendingAsks[Resolve](b) > 0; got != want {
			t.Fatalf("%s: the seeds are asked: %v, want %v", why, got, want)
		}
	}
	for _, r := range []string{"8.8.8.1:1", "8.8.8.2:1", "8.8.8.3:1"} {
		b.ready(b.arrive(r), r)
	}
	b.pick(0)
	asked(true, "nobody is there")
	one, two := b.meet("1.1.1.1:18333"), b.meet("2.2.2.2:18333")
	asked(true, "no handshake is done")
	b.ready(one, "1.1.1.1:18333")
	asked(true, "one is not enough")
	b.ready(two, "2.2.2.2:18333")
	asked(false, "two peers are there")
	b.end(two)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "one is lost: the seeds are asked in that step")
	b.Reply(ask, Resolved{Err: "no such host"})
	b.Advance(seedRetry)
	steptest.WantAsk[Resolve](b.Rig, "the back-off between rounds begins at 30 s again")
}

func TestWhoHasNoSeedsNeverAsksThem(t *testing.T) {
	s := seeds{lonely: steptest.Epoch}
	if due := s.due(0); !due.IsZero() {
		t.Errorf("a round is due at %v", due)
	}
}

// A book that does not answer knows nothing, as far as we can tell: the seeds are asked.
func TestABookThatFailsEndsAtTheSeeds(t *testing.T) {
	b := newBench(t, seeded("a.example"))
	_, ask := steptest.WantAsk[Pick](b.Rig, "the book is asked")
	if n := pendingAsks[Resolve](b); n != 0 {
		t.Fatal("the seeds are asked before the book has said what it knows")
	}
	b.Fail(ask, actor.ErrGone)
	steptest.WantAsk[Resolve](b.Rig, "the book has failed")
}

// What is said about a round: its addresses are counted over all seeds, and the user
// hears of them once. That no seed answered is said only if none did.
func TestWhatIsSaidOfARound(t *testing.T) {
	addrs := []netip.AddrPort{at("1.1.1.1:18333"), at("2.2.2.2:18333")}
	const none = "none of the 2 DNS seeds answered"
	b := newBench(t, seeded("a.example", "b.example"))
	b.pick(0)
	round := func(first, second Resolved) {
		t.Helper()
		for _, answer := range []Resolved{first, second} {
			_, ask := steptest.WantAsk[Resolve](b.Rig, "a seed")
			b.Reply(ask, answer)
		}
		b.Advance(seedRetryMax)
	}
	said := func(level actor.Level, text string, want int) {
		t.Helper()
		if n := b.logged(level, text); n != want {
			t.Fatalf("%q is said %d times, want %d: %+v", text, n, want, b.Records)
		}
	}
	round(Resolved{Addrs: addrs}, Resolved{Addrs: addrs[:1]})
	said(actor.Info, "addresses from DNS seeds[count 3]", 1)
	said(actor.Debug, "DNS seed failed", 0)
	round(Resolved{Addrs: addrs}, Resolved{Err: "no such host"})
	said(actor.Info, "addresses from DNS seeds", 1)
	said(actor.Debug, "addresses from DNS seeds[count 2]", 1)
	said(actor.Debug, "DNS seed failed[seed b.example reason no such host]", 1)
	said(actor.Warn, none, 0)
	round(Resolved{Err: "no such host"}, Resolved{Err: "no such host"})
	said(actor.Debug, "addresses from DNS seeds", 1)
	said(actor.Warn, none, 1)
	said(actor.Debug, none, 0) // it is said at the end of the round, not after each seed
}

// The back-off between rounds is that of the rounds in a row.
func TestTheRoundsOfSeedsAreCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	now := steptest.Epoch
	s := seeds{hosts: []string{"a.example"}, next: 1}
	for n, want := range []time.Duration{seedRetry, 2 * seedRetry, 4 * seedRetry} {
		s.open = 1
		log := said(func(out *actor.Outbox) { s.resolved(now, 0, 0, "", rng, out) })
		if wait := s.at.Sub(now); wait > want || wait < want*3/4 || len(log) != 0 {
			t.Errorf("round %d: the next one is in %v, want %v; said %v", n+1, wait, want, fmt.Sprint(log))
		}
	}
}

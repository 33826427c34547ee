package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// What the user has named twice is one peer, and what is no address is said and left out.
func TestNamesOfTheConfiguration(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1", "not an address", "10.0.0.1:18333", "10.0.0.2", "10.0.0.3:99999"}
	b := newBench(t, cfg)
	b.wantDial("10.0.0.1:18333", "the first")
	b.wantDial("10.0.0.2:18333", "the second")
	if n := pendingAsks[Dial](b) + pendingAsks[Resolve](b); n != 0 {
		t.Errorf("%d more questions: the others are none", n)
	}
	if n := b.m.seats().kept; n != 2 {
		t.Errorf("%d seats are kept free for two peers", n)
	}
	for _, name := range []string{`"not an address"`, `"10.0.0.3:99999"`} {
		if n := b.logged(actor.Error, "not a peer's address: "+name); n != 1 {
			t.Errorf("%s: said %d times", name, n)
		}
	}
	if n := b.logged(actor.Error, ""); n != 2 {
		t.Errorf("%d errors: %+v", n, b.Records)
	}
}

func TestDefaultBoundsLeaveHalfOfTheSeatsToInbound(t *testing.T) {
	for maxPeers, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 14: 7, 15: 8, 16: 8, 125: 8} {
		if got := DefaultBounds(maxPeers); got.OutboundTarget != want || got.MaxPeers != maxPeers {
			t.Errorf("of %d connections %d are sought, want %d", maxPeers, got.OutboundTarget, want)
		}
	}
}

// A rebuilt server dials nothing for a second, in which it is told who lives. Then it
// does, though nothing happens.
func TestL11ARebuiltServerDialsAfterASecond(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := rebuilt(t, cfg)
	b.Advance(settleTime - time.Millisecond)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("it dials before it can know who is connected")
	}
	b.Advance(time.Millisecond)
	b.wantDial("10.0.0.1:18333", "the named peer is not connected")
}

// Nodes that lost the same peer come back at different times.
func TestBackoffsDiffer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	low, high := time.Hour, time.Duration(0)
	for range 200 {
		d := backoff(rng, 4*time.Second, time.Minute, 1)
		low, high = min(low, d), max(high, d)
	}
	if low > 3100*time.Millisecond || high < 3900*time.Millisecond {
		t.Errorf("of 200 back-offs the shortest is %v and the longest %v", low, high)
	}
}

func TestGroupsOfAddressesBySample(t *testing.T) {
	for addr, want := range map[string]string{
		"::ffff:8.8.1.1": "8.8.0.0", "2002:808:101::1": "8.8.0.0", "2002:808:101::1%eth0": "8.8.0.0",
		"::ffff:10.1.1.1": "", "2a01:4f8:1::1%eth0": "2a01:4f8::",
		"2001:470:1fff::1": "2001:470:1000::", "::1": "", "fe80::1": "", "fc00::1": "",
	} {
		if got := groupOf(at("[" + addr + "]:1").Addr()); got != want {
			t.Errorf("%s is of the group %q, want %q", addr, got, want)
		}
	}
}

func TestAnUnknownInputIsAFault(t *testing.T) {
	b := newBench(t, quiet())
	defer func() {
		if recover() == nil {
			t.Error("an input that nobody knows is passed over in silence")
		}
	}()
	b.Give(struct{}{})
}

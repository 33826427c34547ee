package server

import (
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func seeded(seeds ...string) Config {
	cfg := seeking()
	cfg.DNSSeeds = seeds
	return cfg
}

func TestL9DeadSeedsAreSaidOnceAndTriedForEver(t *testing.T) {
	b := newBench(t, seeded("a.example", "b.example"))
	b.pick(0)
	asked := 0
	for end := b.Now.Add(24 * time.Hour); b.Now.Before(end); b.Advance(time.Second) {
		for pendingAsks[Resolve](b) > 0 {
			_, ask := steptest.WantAsk[Resolve](b.Rig, "a seed")
			asked++
			if asked%2 == 0 {
				b.Reply(ask, Resolved{Err: "no such host"})
			} else {
				b.Fail(ask, actor.ErrTimeout)
				b.Late(ask)
			}
		}
		for pendingAsks[Pick](b) > 0 {
			b.pick(0)
		}
		b.Drop()
	}
	if rounds := asked / 2; rounds < 24*6 || rounds > 24*6*4/3+10 {
		t.Fatalf("%d rounds in a day; about one in ten minutes is right", rounds)
	}
	const clear = "no peers: none of the 2 DNS seeds answered; check the network, or name a peer with --connect or --addpeer; trying again in "
	if n := b.logged(actor.Warn, clear); n != 1 {
		t.Fatalf("the user was told %d times in a day what is missing: %+v", n, b.Records[0])
	}
	if n := b.logged(actor.Warn, ""); n != 1 {
		t.Fatalf("%d warnings in all", n)
	}

	b.Advance(10 * time.Minute)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "the network is back")
	b.Reply(ask, Resolved{Addrs: []netip.AddrPort{at("1.1.1.1:18333")}})
	n := b.noted(1, "the book gets the seed's addresses")
	if len(n.Learned) != 1 || n.Learned[0].Source != at("1.1.1.1:18333") {
		t.Fatalf("noted %+v", n)
	}
	if age := b.Now.Sub(n.Learned[0].Addrs[0].Timestamp); age < 72*time.Hour || age > 168*time.Hour {
		t.Fatalf("an address from a seed is dated %v back", age)
	}
	b.pick(1, "1.1.1.1:18333")
	id := b.connect(b.wantDial("1.1.1.1:18333", "its address is dialled"), "1.1.1.1:18333")
	b.ready(id, "1.1.1.1:18333")
	if n := b.logged(actor.Info, "found a peer"); n != 1 {
		t.Fatal("that it is over is news")
	}
}

func TestSeedsAreNotAskedWithoutNeed(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*Config)
		known  int
		want   int // seeds asked in the first ten seconds
	}{
		{"an empty book", func(*Config) {}, 0, 1},
		{"a book with few addresses", func(*Config) {}, fewKnown - 1, 1},
		{"a full book is tried first", func(*Config) {}, fewKnown, 0},
		{"--nodnsseed", func(c *Config) { c.NoDNSSeed = true }, 0, 0},
		{"a network without seeds", func(c *Config) { c.DNSSeeds = nil }, 0, 0},
	} {
		cfg := seeded("a.example")
		c.change(&cfg)
		b := newBench(t, cfg)
		b.pick(c.known)
		b.Advance(10 * time.Second)
		if n := pendingAsks[Resolve](b); n != c.want {
			t.Errorf("%s: %d seeds asked, want %d", c.why, n, c.want)
		}
	}
}

func TestAFullBookOfDeadAddressesEndsAtTheSeeds(t *testing.T) {
	b := newBench(t, seeded("a.example"))
	b.pick(fewKnown)
	b.Drop()
	b.Advance(seedPatience)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "no peer after eleven seconds")
	b.Reply(ask, Resolved{Err: "no such host"})
	b.Advance(seedRetry * 3 / 4 / 2)
	if n := pendingAsks[Resolve](b); n != 0 {
		t.Error("the next round does not wait")
	}
	b.Advance(seedRetry)
	steptest.WantAsk[Resolve](b.Rig, "the next round")
}

func TestANetworkWithoutSeedsIsQuiet(t *testing.T) {
	b := newBench(t, seeded())
	for range 100 {
		for pendingAsks[Pick](b) > 0 {
			b.pick(0)
		}
		b.Advance(time.Minute)
	}
	if len(b.Records) != 0 {
		t.Fatalf("regtest has nothing to complain about: %+v", b.Records)
	}
}

func TestSeedsOffAndNothingKnownIsSaid(t *testing.T) {
	cfg := seeded("a.example")
	cfg.NoDNSSeed = true
	b := newBench(t, cfg)
	b.pick(0)
	b.Advance(time.Minute)
	b.pick(0)
	if n := b.logged(actor.Warn, "no peers: the address book is empty and DNS seeds are off (--nodnsseed)"); n != 1 {
		t.Fatalf("said %d times", n)
	}
}

// A name that found no slot is looked up when Freed comes; meanwhile no clock runs.
func TestL9ANameThatFoundNoSlotIsLookedUpWhenFreedComes(t *testing.T) {
	cfg := seeded("a.x", "b.x", "c.x", "d.x", "e.x", "f.x", "g.x", "h.x", "i.x")
	b := newBench(t, cfg)
	b.pick(0)
	var asks []steptest.Asked
	for range 8 {
		_, ask := steptest.WantAsk[Resolve](b.Rig, "the window is 8")
		asks = append(asks, ask)
	}
	b.done(AddNode{Command: "add", Addr: "node.example"}, "", "a name")
	for _, ask := range asks {
		b.Fail(ask, actor.ErrTimeout)
	}
	b.Advance(time.Minute)
	if n := pendingAsks[Resolve](b); n != 0 {
		t.Fatal("the slot of a question that timed out is not free before the resolver has answered")
	}
	b.wantNoHotLoop("a seed and a named peer wait for a slot")
	b.Late(asks[0])
	b.Late(asks[1])
	hosts := map[string]bool{}
	for range 2 {
		q, _ := steptest.WantAsk[Resolve](b.Rig, "two slots are free again")
		hosts[q.Host] = true
	}
	if !hosts["i.x"] || !hosts["node.example"] {
		t.Fatalf("looked up %v", hosts)
	}
}

func TestManySeedsWaitForASlot(t *testing.T) {
	seeds := []string{"a.x", "b.x", "c.x", "d.x", "e.x", "f.x", "g.x", "h.x", "i.x", "j.x"}
	b := newBench(t, seeded(seeds...))
	b.pick(0)
	for i := range seeds {
		q, ask := steptest.WantAsk[Resolve](b.Rig, "every seed is asked, eight at a time")
		if q.Host != seeds[i] || q.Port != 18333 {
			t.Fatalf("asked %+v", q)
		}
		b.Reply(ask, Resolved{Err: "no such host"})
	}
	for _, seed := range seeds {
		if n := b.logged(actor.Debug, "DNS seed failed[seed "+seed+" "); n != 1 {
			t.Errorf("the failure of %s is said %d times", seed, n)
		}
	}
	if n := b.logged(actor.Warn, "none of the 10 DNS seeds answered; check the network, or name a peer with --connect or --addpeer; trying again in 2"); n != 1 {
		t.Fatalf("the end of the round was said %d times", n)
	}
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("there is nothing to dial")
	}
}

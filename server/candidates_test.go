package server

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// What stands in the way of dialling an address.
func TestWhatIsNear(t *testing.T) {
	for _, c := range []struct {
		why         string
		addr, other string
		outbound    bool
		want        bool
	}{
		{"the same address", "8.8.8.8:1", "8.8.8.8:1", false, true},
		{"the same host by another port", "8.8.8.8:1", "8.8.8.8:2", false, true},
		{"an inbound peer of the same group", "8.8.8.8:1", "8.8.1.1:1", false, false},
		{"an outbound peer of the same group", "8.8.8.8:1", "8.8.1.1:1", true, true},
		{"an outbound peer of another group", "8.8.8.8:1", "8.9.1.1:1", true, false},
		{"two private addresses: they have no group", "10.0.0.1:1", "10.0.0.2:1", true, false},
		{"a private host by another port", "10.0.0.1:1", "10.0.0.1:2", true, true},
		{"another peer of this machine", "127.0.0.1:1", "127.0.0.1:2", true, false},
		{"the same peer of this machine", "127.0.0.1:1", "127.0.0.1:1", true, true},
	} {
		if got := near(at(c.addr), at(c.other), c.outbound); got != c.want {
			t.Errorf("%s: near %v, want %v", c.why, got, c.want)
		}
	}
}

// Whose connections stand in the way: every outbound one blocks its group, whoever chose
// it, so that one network cannot surround us. Who came to us was not chosen.
func TestWhoseConnectionsStandInTheWay(t *testing.T) {
	for _, c := range []struct {
		why  string
		peer remote
		want bool
	}{
		{"one that we picked", remote{addr: at("8.8.1.1:1")}, true},
		{"one that the user named", remote{addr: at("8.8.1.1:1"), manual: true}, true},
		{"one that came to us", remote{addr: at("8.8.1.1:1"), inbound: true}, false},
		{"one that came to us from that host", remote{addr: at("8.8.8.8:2"), inbound: true}, true},
	} {
		if got := (remotes{c.peer}).near(at("8.8.8.8:1")); got != c.want {
			t.Errorf("%s: %v, want %v", c.why, got, c.want)
		}
	}
}

// A candidate that is being dialled already, or whose group is, is passed over.
func TestCandidatesNearADialAreLeftAlone(t *testing.T) {
	b := newBench(t, seeking())
	b.done(AddNode{Command: "add", Addr: "1.1.1.1"}, "", "the user names a peer")
	b.wantDial("1.1.1.1:18333", "it is dialled")
	_, ask := steptest.WantAsk[Pick](b.Rig, "the book is asked")
	b.Reply(ask, Picked{Known: 500, Addrs: []netip.AddrPort{
		at("1.1.1.1:18333"), at("1.1.2.2:18333"), netip.AddrPortFrom(netip.Addr{}, 18333), at("2.2.2.2:18333"),
	}})
	b.wantDial("2.2.2.2:18333", "the first that is an address and of another group")
	b.Advance(time.Second)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Error("another one is dialled")
	}
}

func TestL4ABookThatGivesTooMuchIsCutShort(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(500, "1.1.1.1:18333", "2.2.2.2:18333", "3.3.3.3:18333", "4.4.4.4:18333")
	if n := len(b.m.outbound.candidates); n > b.m.cfg.OutboundTarget {
		t.Errorf("%d candidates are kept, %d were wanted", n, b.m.cfg.OutboundTarget)
	}
}

// Candidates that were not needed are forgotten. When a peer is missing again the book
// is asked again: it knows more by then.
func TestCandidatesThatWereNotNeededAreForgotten(t *testing.T) {
	cfg := seeking()
	b := newBench(t, cfg)
	_, ask := steptest.WantAsk[Pick](b.Rig, "the book is asked")
	cand := []netip.AddrPort{at("1.1.1.1:18333"), at("2.2.2.2:18333")}
	b.m.outbound.most = 3
	b.Reply(ask, Picked{Known: 5000, Addrs: append(cand, at("3.3.3.3:18333"))})
	one := b.connect(b.wantDial("1.1.1.1:18333", "the first"), "1.1.1.1:18333")
	b.Advance(dialInterval)
	b.connect(b.wantDial("2.2.2.2:18333", "the second"), "2.2.2.2:18333")
	b.Advance(time.Hour)
	b.end(one)
	b.Advance(dialInterval)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Error("a candidate of an hour ago is dialled")
	}
	steptest.WantAsk[Pick](b.Rig, "the book is asked again")
}

// Named peers that are tried once may take all seats. Automatic peers wait then: neither
// is a candidate dialled nor the book asked, and no clock runs.
func TestL9CandidatesWaitForASeat(t *testing.T) {
	cfg := seeking()
	cfg.MaxPeers = 4
	b := newBench(t, cfg)
	_, ask := steptest.WantAsk[Pick](b.Rig, "two peers are missing")
	b.arrive("127.0.0.1:1")
	b.arrive("127.0.0.1:2")
	var guests []actor.ID
	for _, addr := range []string{"10.0.0.1:18333", "10.0.0.2:18333"} {
		b.done(AddNode{Command: "onetry", Addr: addr}, "", "a peer to be tried once")
		guests = append(guests, b.connect(b.wantDial(addr, "it has a seat"), addr))
	}
	b.Reply(ask, Picked{Known: 500, Addrs: []netip.AddrPort{at("1.1.1.1:18333")}})
	b.wantNoHotLoop("there is a candidate and no seat")
	b.Advance(time.Minute)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("a candidate is dialled, and there is no seat for it")
	}
	b.end(guests[0])
	ask = b.wantDial("1.1.1.1:18333", "a seat is free")
	b.Reply(ask, Dialed{Err: "refused"})
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.3"}, "", "the last seat is taken")
	b.wantDial("10.0.0.3:18333", "by another peer")
	b.Drop()
	b.Advance(time.Minute)
	if n := pendingAsks[Pick](b); n != 0 {
		t.Error("the book is asked, and there is no seat for its candidate")
	}
	b.wantNoHotLoop("peers are missing and there is no seat")
}

// Two dials in a row are half a second apart. After sixteen failures it is longer and
// longer, up to a minute.
func TestPausesBetweenDials(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for fails, want := range map[int]time.Duration{
		0: dialInterval, manyFails - 1: dialInterval,
		manyFails: time.Second, manyFails + 1: 2 * time.Second, manyFails + 2: 4 * time.Second, manyFails + 20: time.Minute,
	} {
		o := outbound{fails: fails}
		if got := o.pause(rng); got > want || got < want*3/4 || fails < manyFails && got != want {
			t.Errorf("after %d failures it waits %v, want %v", fails, got, want)
		}
	}
	now := steptest.Epoch
	o := outbound{fails: manyFails - 2}
	if o.failed(now, rng); !o.dialAt.IsZero() {
		t.Errorf("the fifteenth failure puts the next dial off by %v", o.dialAt.Sub(now))
	}
	if o.failed(now, rng); o.dialAt.Before(now.Add(time.Second * 3 / 4)) {
		t.Error("the sixteenth failure does not put the next dial off")
	}
	o.dialAt = now.Add(time.Hour)
	if o.failed(now, rng); !o.dialAt.Equal(now.Add(time.Hour)) {
		t.Error("a failure brings the next dial forward")
	}
}

// A book that had nothing is asked less and less, until it has something.
func TestACandidateEndsTheRowOfDryAnswers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	now := steptest.Epoch
	o := outbound{most: 1}
	for range 5 {
		o.picked(now, nil, rng)
	}
	if wait := o.pickAt.Sub(now); wait < 16*pickRetry*3/4 {
		t.Errorf("after five dry answers it is asked again in %v", wait)
	}
	o.picked(now, []netip.AddrPort{at("1.1.1.1:1")}, rng)
	if o.picked(now, nil, rng); o.pickAt.Sub(now) > pickRetry {
		t.Errorf("after a good answer and a dry one it is asked again in %v", o.pickAt.Sub(now))
	}
}

// Only a node that has nowhere to look is told so.
func TestWhoHasNowhereToLook(t *testing.T) {
	const text = "the address book is empty and DNS seeds are off (--nodnsseed)"
	for _, c := range []struct {
		why    string
		change func(cfg *Config)
		known  int
		want   int
	}{
		{"an empty book and no seeds", func(*Config) {}, 0, 1},
		{"a book with addresses that do not suit", func(*Config) {}, 5, 0},
		{"a network that has no seeds", func(cfg *Config) { cfg.DNSSeeds = nil }, 0, 0},
		{"seeds that are asked", func(cfg *Config) { cfg.NoDNSSeed = false }, 0, 0},
		{"a named peer", func(cfg *Config) { cfg.AddPeers = []string{"10.0.0.1"} }, 0, 0},
	} {
		cfg := seeded("a.example")
		cfg.NoDNSSeed = true
		c.change(&cfg)
		b := newBench(t, cfg)
		if b.pick(c.known); b.logged(actor.Warn, text) != c.want {
			t.Errorf("%s: said %d times, want %d", c.why, b.logged(actor.Warn, text), c.want)
		}
	}
}

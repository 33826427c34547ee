package server

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// A ban that is made again lasts from then on, wherever it stood among the others. It
// ends at its time, not before and not later.
func TestABanMadeAnewLastsLonger(t *testing.T) {
	const day = 24 * time.Hour
	hosts := []netip.Addr{netip.MustParseAddr("8.8.8.1"), netip.MustParseAddr("8.8.8.2"), netip.MustParseAddr("8.8.8.3")}
	for n := range 2 * len(hosts) {
		again, room := n/2, n%2 // with and without room for another ban
		b := newBans(day, len(hosts)+room)
		start := steptest.Epoch
		for i, host := range hosts {
			b.add(start.Add(time.Duration(i)*time.Minute), host)
		}
		b.add(start.Add(time.Hour), hosts[again])
		if err := b.check(); err != nil || len(b.order) != len(hosts) {
			t.Fatalf("host %d is banned again: %d bans, %v", again, len(b.order), err)
		}
		for i, host := range hosts {
			until := start.Add(time.Duration(i)*time.Minute + day)
			if i == again {
				until = start.Add(time.Hour + day)
			}
			if !b.has(until.Add(-1), host) {
				t.Errorf("host %d is banned again: the ban of host %d is too short", again, i)
			}
			if b.has(until, host) {
				t.Errorf("host %d is banned again: the ban of host %d is too long", again, i)
			}
		}
		if b.expire(start.Add(2*time.Minute + day)); !slices.Equal(b.order, []netip.Prefix{hostOf(hosts[again])}) {
			t.Errorf("host %d is banned again: %v are banned when the others' time is over", again, b.order)
		}
		if b.expire(start.Add(time.Hour + day)); len(b.order) != 0 {
			t.Errorf("host %d is banned again: %d bans are left", again, len(b.order))
		}
	}
}

func TestANodeThatKeepsNoBans(t *testing.T) {
	cfg := quiet()
	cfg.MaxBans = 0
	b := newBench(t, cfg)
	b.misbehave("8.8.8.8:1")
	b.arrive("8.8.8.8:2")
	if n := b.logged(actor.Info, "banned"); n != 0 {
		t.Error("it says that it has banned somebody")
	}
}

// What a peer's end means for its host and for the others.
func TestWhoIsBannedAndWhoGoesToo(t *testing.T) {
	for _, c := range []struct {
		why    string
		remote string
		fault  bool
		banned bool
	}{
		{"a fault", "8.8.8.8:1", true, true},
		{"a peer that just goes", "8.8.8.8:1", false, false},
		{"a fault of a peer on this machine", "127.0.0.1:1", true, false},
	} {
		cfg := quiet()
		cfg.MaxPeers, cfg.AddPeers = 8, []string{"8.8.8.8", "127.0.0.1"}
		b := newBench(t, cfg)
		for range cfg.AddPeers {
			q, ask := steptest.WantAsk[Dial](b.Rig, "a named peer of the same host")
			b.ready(b.connect(ask, q.Addr.String()), q.Addr.String())
		}
		other := b.arrive("9.9.9.9:1")
		b.ready(other, "9.9.9.9:1")
		guilty := b.arrive(c.remote)
		b.ready(guilty, c.remote)
		b.Drop()
		b.Give(peer.Gone{Peer: guilty, Remote: at(c.remote), Fault: c.fault})
		var want []actor.ID
		if c.banned {
			want = []actor.ID{guilty}
		}
		if got := b.orderedToEnd(); !slices.Equal(got, want) {
			t.Errorf("%s: %v are ordered to end, want %v: named peers and other hosts stay", c.why, got, want)
		}
		if got := b.logged(actor.Info, "host banned") == 1; got != c.banned {
			t.Errorf("%s: it says that the host is banned: %v", c.why, got)
		}
		if got := b.admit(c.remote, "it comes back").Peer == 0; got != c.banned {
			t.Errorf("%s: banned %v, want %v", c.why, got, c.banned)
		}
	}
}

// The figures say when a ban is over, though nothing else happens.
func TestTheEndOfABanIsPublished(t *testing.T) {
	b := newBench(t, quiet())
	b.misbehave("8.8.8.8:1")
	b.Advance(time.Minute)
	b.Drop()
	b.Advance(24*time.Hour - time.Minute)
	if s := steptest.Want[Status](b.Rig, "the ban is over"); s.Banned != 0 {
		t.Errorf("%d hosts are banned", s.Banned)
	}
}

// A named peer is dialled though its host is banned: the user knows better.
func TestANamedPeerOfABannedHostIsTaken(t *testing.T) {
	b := newBench(t, quiet())
	b.misbehave("8.8.8.8:1")
	b.done(AddNode{Command: "add", Addr: "8.8.8.8"}, "", "the user wants it")
	b.connect(b.wantDial("8.8.8.8:18333", "it is dialled"), "8.8.8.8:18333")
}

func TestARefusedConnectionSaysWhy(t *testing.T) {
	reasons := map[string]func(b *bench) steptest.Asked{
		"its host was banned": func(b *bench) steptest.Asked {
			b.pick(500, "8.8.8.8:18333")
			ask := b.wantDial("8.8.8.8:18333", "a candidate")
			b.misbehave("8.8.8.8:1")
			return ask
		},
		"the user has removed it": func(b *bench) steptest.Asked {
			b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a name")
			ask := b.wantDial("10.0.0.1:18333", "it is dialled")
			b.done(AddNode{Command: "remove", Addr: "10.0.0.1"}, "", "it is removed")
			return ask
		},
		noSeat: func(b *bench) steptest.Asked {
			b.pick(500, "8.8.8.8:18333")
			b.SeatsLeft = 0
			return b.wantDial("8.8.8.8:18333", "a candidate")
		},
	}
	for reason, dial := range reasons {
		b := newBench(t, seeking())
		b.Reply(dial(b), Dialed{Conn: 99})
		if r := steptest.Want[Refuse](b.Rig, reason); r.Conn != 99 {
			t.Errorf("%s: %v was closed", reason, r.Conn)
		}
		if n := b.logged(actor.Debug, reason); n != 1 {
			t.Errorf("%s: said %d times: %+v", reason, n, b.Records)
		}
	}
	b := newBench(t, seeking())
	b.pick(500, "8.8.8.8:18333")
	b.connect(b.wantDial("8.8.8.8:18333", "a candidate"), "8.8.8.8:18333")
	if n := b.logged(actor.Debug, "dialling failed"); n != 0 {
		t.Error("a connection that is kept has not failed")
	}
}

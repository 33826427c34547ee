package server

import (
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// seeking is a configuration that seeks two automatic peers.
func seeking() Config {
	cfg := quiet()
	cfg.MaxPeers = 8
	cfg.OutboundTarget = 2
	return cfg
}

func TestOutboundIsFilledFromTheBook(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(500, "1.1.1.1:18333", "2.2.2.2:18333")
	first := b.wantDial("1.1.1.1:18333", "the first candidate at once")
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("dials are spaced")
	}
	b.Advance(dialInterval)
	second := b.wantDial("2.2.2.2:18333", "the second one a little later")
	one := b.connect(first, "1.1.1.1:18333")
	b.ready(one, "1.1.1.1:18333")
	two := b.connect(second, "2.2.2.2:18333")
	b.ready(two, "2.2.2.2:18333")
	b.Advance(time.Minute)
	if pendingAsks[Dial](b)+pendingAsks[Pick](b) != 0 {
		t.Fatal("two of two are enough")
	}

	n := b.noted(500, "the book hears of a connection")
	if len(n.Connected) != 1 || n.Connected[0] != at("1.1.1.1:18333") {
		t.Fatalf("noted %+v", n)
	}
	if n = b.noted(500, "and of the rest in one"); len(n.Good) != 2 || len(n.Connected) != 1 {
		t.Fatalf("noted %+v", n)
	}
	b.Drop()
	b.end(two)
	b.Advance(dialInterval)
	_, ask := steptest.WantAsk[Pick](b.Rig, "a lost peer is replaced")
	b.Reply(ask, Picked{Known: 500, Addrs: []netip.AddrPort{at("3.3.3.3:1")}})
	b.wantDial("3.3.3.3:1", "by another one")
}

func TestNamedPeersDoNotCountAsAutomatic(t *testing.T) {
	cfg := seeking()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	b.connect(b.wantDial("10.0.0.1:18333", "the named one"), "10.0.0.1:18333")
	if q, _ := steptest.WantAsk[Pick](b.Rig, "and peers of our own choice besides"); q.Max != 2 {
		t.Fatalf("%d peers are sought, not two", q.Max)
	}
}

func TestUnsuitableCandidatesAreLeftAlone(t *testing.T) {
	cfg := seeking()
	b := newBench(t, cfg)
	in := b.arrive("5.5.5.5:4000")
	b.misbehave("6.6.6.6:1")
	ask := func() steptest.Asked {
		b.pick(500, "1.1.0.1:18333")
		return b.wantDial("1.1.0.1:18333", "the first")
	}()
	b.connect(ask, "1.1.0.1:18333")
	b.pick(500,
		"1.1.0.1:18333", // connected
		"1.1.9.9:18333", // in the network of the one that is connected
		"5.5.5.5:18333", // connected from the other side
		"6.6.6.6:18333", // banned
		"7.7.7.7:0",     // no port
	)
	b.Advance(dialInterval)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatalf("an unsuitable address was dialled: %+v", b.Pending())
	}
	b.end(in)
	b.Advance(pickRetry)
	b.pick(500, "5.5.5.5:18333")
	b.wantDial("5.5.5.5:18333", "what was in the way has gone")
}

func TestADryBookIsAskedLessAndLess(t *testing.T) {
	b := newBench(t, seeking())
	asked := 0
	for range 24 * 60 {
		for pendingAsks[Pick](b) > 0 {
			asked++
			b.pick(0)
		}
		b.Advance(time.Minute)
	}
	if asked < 24*60/5 || asked > 24*60/3 {
		t.Fatalf("an empty book was asked %d times in a day; every five minutes is right", asked)
	}
	b.Advance(pickRetryMax)
	b.pick(0)
	b.Drop()
	id := b.arrive("127.0.0.1:4000")
	b.ready(id, "127.0.0.1:4000")
	b.m.remotes[0].talk.tokens = maxTokens
	b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, "1.1.1.1:18333")})
	b.noted(1, "an address was learned")
	b.pick(1, "1.1.1.1:18333")
	b.wantDial("1.1.1.1:18333", "news ends the wait")
}

func TestDeadAddressesAreDialledLessAndLess(t *testing.T) {
	b := newBench(t, seeking())
	dials := 0
	for end := b.Now.Add(24 * time.Hour); b.Now.Before(end); b.Advance(dialInterval) {
		for pendingAsks[Pick](b) > 0 {
			b.pick(2, "1.1.1.1:18333", "2.2.2.2:18333")
		}
		for pendingAsks[Dial](b) > 0 {
			_, ask := steptest.WantAsk[Dial](b.Rig, "a dial")
			b.Reply(ask, Dialed{Err: "network is unreachable"})
			dials++
		}
		b.Drop()
	}
	if dials < 1000 || dials > 2500 {
		t.Fatalf("%d dials in a day without a network; about one a minute is right", dials)
	}
	if n := b.logged(actor.Warn, "no peers"); n != 1 {
		t.Fatalf("the user was warned %d times", n)
	}
	id := b.arrive("9.9.9.9:1")
	b.ready(id, "9.9.9.9:1")
	if n := b.logged(actor.Info, "found a peer"); n != 1 {
		t.Fatal("that it is over is news")
	}
}

// A candidate that finds no slot is dialled when there is one; meanwhile no clock runs.
func TestL9ACandidateWaitsForASlot(t *testing.T) {
	cfg := seeking()
	cfg.MaxPeers, cfg.OutboundTarget = 20, 3
	for _, a := range "1234567" {
		cfg.AddPeers = append(cfg.AddPeers, "10.0.0."+string(a))
	}
	b := newBench(t, cfg)
	named := b.wantDial("10.0.0.1:18333", "seven named peers are dialled")
	second := b.wantDial("10.0.0.2:18333", "the second of them")
	b.pick(500, "1.1.1.1:18333", "2.2.2.2:18333", "3.3.3.3:18333")
	b.Advance(time.Minute)
	b.wantNoHotLoop("a candidate is due and all eight slots are taken")
	b.Drop()
	b.Reply(named, Dialed{Err: "refused"})
	b.wantDial("2.2.2.2:18333", "a slot is free")
	b.Reply(second, Dialed{Err: "refused"})
	b.Advance(dialInterval)
	b.wantDial("3.3.3.3:18333", "the clock runs again")
}

func TestL3ABookThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	b := newBench(t, seeking())
	_, ask := steptest.WantAsk[Pick](b.Rig, "the book is asked")
	b.Fail(ask, actor.ErrTimeout)
	b.Advance(time.Minute)
	if n := pendingAsks[Pick](b); n != 0 {
		t.Fatal("the slot of a question that timed out is not free")
	}
	b.wantNoHotLoop("peers are sought and the port has no slot")
	b.Late(ask)
	b.pick(1, "1.1.1.1:18333")
	b.wantDial("1.1.1.1:18333", "the book is back")
}

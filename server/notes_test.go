package server

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// roomy is a server whose ports have more slots than it needs.
func roomy(t *testing.T, cfg Config) *bench {
	t.Helper()
	ports, specs := connectPorts(cfg.MaxPeers)
	for i := range specs {
		specs[i].Window += 8
	}
	m := New(cfg, ports, Topics{}, rand.New(rand.NewPCG(1, 2)))
	return &bench{Rig: steptest.New(t, m, specs), t: t, m: m}
}

// teller is an inbound peer that may tell many addresses.
func (b *bench) teller() actor.ID {
	b.t.Helper()
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.m.remotes.find(id).talk.tokens = maxTokens
	return id
}

// The book is asked and told one thing at a time, also by a port with many slots.
// Otherwise twice as many addresses could wait for it (Bounds.Notes).
func TestL4TheBookIsAskedAndToldOneThingAtATime(t *testing.T) {
	b := roomy(t, seeking())
	id := b.teller()
	for range 3 {
		b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, "1.2.3.4:1")})
	}
	if notes, picks := pendingAsks[Note](b), pendingAsks[Pick](b); notes != 1 || picks != 1 {
		t.Errorf("%d notes and %d picks at a time", notes, picks)
	}
}

func TestNothingIsNotTold(t *testing.T) {
	b := newBench(t, seeking())
	id := b.teller()
	b.m.remotes.find(id).talk.tokens = 0
	b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, "1.2.3.4:1")})
	if n := pendingAsks[Note](b); n != 0 {
		t.Error("the book is told nothing at all")
	}
}

// A dial is held against an address only if there is a peer: without one our own
// network may be down.
func TestTheBookHearsOfAttemptsWhenWeHaveAPeer(t *testing.T) {
	for _, connected := range []bool{false, true} {
		b := newBench(t, seeking())
		if id := b.arrive("8.8.8.8:1"); connected {
			b.ready(id, "8.8.8.8:1")
		}
		b.pick(500, "1.1.1.1:18333")
		b.wantDial("1.1.1.1:18333", "a candidate")
		var told []netip.AddrPort
		if pendingAsks[Note](b) > 0 {
			told = b.noted(500, "the attempt").Attempted
		}
		if got := slices.Contains(told, at("1.1.1.1:18333")); got != connected {
			t.Errorf("with a peer %v: the attempt was told: %v", connected, got)
		}
	}
}

func TestL4NotesAreBounded(t *testing.T) {
	g := gossip{most: 3}
	for range 5 {
		g.attempted(at("1.1.1.1:1"))
		g.connected(at("1.1.1.1:1"))
		g.good(at("1.1.1.1:1"), wire.SFNodeNetwork)
		g.learn(netAddrs(steptest.Epoch, "1.1.1.1:1", "2.2.2.2:2"), at("8.8.8.8:1"))
	}
	if n := g.note; len(n.Attempted) != 3 || len(n.Connected) != 3 || len(n.Good) != 3 || g.learned != 3 {
		t.Errorf("%d, %d, %d and %d addresses are kept, want three of each",
			len(n.Attempted), len(n.Connected), len(n.Good), g.learned)
	}
	if err := g.check(); err != nil {
		t.Error(err)
	}
}

// News from the book ends the wait for candidates. An answer without news does not,
// and a book that fails has not lost its addresses.
func TestOnlyNewsEndTheWaitForCandidates(t *testing.T) {
	for _, c := range []struct {
		why   string
		end   func(b *bench, note steptest.Asked)
		asked int
		known int
	}{
		{"a book that has grown", func(b *bench, note steptest.Asked) { b.Reply(note, Noted{Known: 6}) }, 1, 6},
		{"a book that knew them", func(b *bench, note steptest.Asked) { b.Reply(note, Noted{Known: 5}) }, 0, 5},
		{"a book that has shrunk", func(b *bench, note steptest.Asked) { b.Reply(note, Noted{Known: 4}) }, 0, 4},
		{"a book that fails", func(b *bench, note steptest.Asked) { b.Fail(note, actor.ErrGone) }, 0, 5},
		{"a book that is slow", func(b *bench, note steptest.Asked) { b.Fail(note, actor.ErrTimeout) }, 0, 5},
	} {
		b := newBench(t, seeking())
		b.pick(5) // it has nothing to offer, so it is asked later
		b.Give(peer.AddrsReceived{Peer: b.teller(), Addrs: netAddrs(b.Now, "1.2.3.4:1")})
		_, note := steptest.WantAsk[Note](b.Rig, "what was learned")
		if c.end(b, note); pendingAsks[Pick](b) != c.asked {
			t.Errorf("%s is asked for candidates %d times, want %d", c.why, pendingAsks[Pick](b), c.asked)
		}
		if s := steptest.WantAnswer[Status](b.Rig, b.Ask(GetStatus{}), "the figures"); s.Known != c.known {
			t.Errorf("%s: %d addresses are known, want %d", c.why, s.Known, c.known)
		}
	}
	b := newBench(t, seeking())
	b.Give(peer.AddrsReceived{Peer: b.teller(), Addrs: netAddrs(b.Now, "1.2.3.4:1")})
	b.noted(6, "an answer to a note comes before the first answer to a pick")
	b.Drop()
	b.Advance(time.Second)
	if s := steptest.WantAnswer[Status](b.Rig, b.Ask(GetStatus{}), "the figures"); s.Known != 6 {
		t.Errorf("%d addresses are known, want 6", s.Known)
	}
}

// A simnet node (no target) neither learns addresses nor gives any away.
func TestANodeThatSeeksNobodyKeepsAddressesToItself(t *testing.T) {
	b := newBench(t, quiet())
	id := b.teller()
	b.Drop()
	b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, "1.2.3.4:1")})
	b.Give(peer.AddrsWanted{Peer: id})
	b.WantNothing("addresses are not its business")
}

// A peer is asked for addresses until the book has enough.
func TestAFullBookAsksNoPeer(t *testing.T) {
	for known, want := range map[int]int{enoughKnown - 1: 1, enoughKnown: 0} {
		b := newBench(t, seeking())
		b.pick(known, "1.1.1.1:18333")
		b.ready(b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333"), "1.1.1.1:18333")
		if n := pendingAsks[peer.Send](b); n != want {
			t.Errorf("with %d addresses a peer is asked %d times for more, want %d", known, n, want)
		}
	}
}

// A peer that the user has named is asked too, though it is not one of those we seek.
func TestANamedPeerIsAskedForAddresses(t *testing.T) {
	cfg := seeking()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	const addr = "10.0.0.1:18333"
	b.ready(b.connect(b.wantDial(addr, "the named peer"), addr), addr)
	if n := pendingAsks[peer.Send](b); n != 1 {
		t.Errorf("it is asked %d times", n)
	}
}

// A book that does not answer when it is asked for candidates knows what it knew.
func TestABookThatIsBusyForgetsNothing(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(500)
	b.Advance(pickRetry)
	_, ask := steptest.WantAsk[Pick](b.Rig, "it had no candidate")
	b.Fail(ask, actor.ErrTimeout)
	if s := steptest.WantAnswer[Status](b.Rig, b.Ask(GetStatus{}), "the figures"); s.Known != 500 {
		t.Errorf("it is said to know %d addresses", s.Known)
	}
}

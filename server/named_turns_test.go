package server

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// What addnode does to a peer that has been named already: the stronger wish counts.
func TestAddNodeOfAPeerThatIsNamedAlready(t *testing.T) {
	for _, c := range []struct {
		first, second string
		err           DoneError
		kept          bool // it is tried again after a failure
	}{
		{"add", "add", AlreadyAdded, true},
		{"add", "onetry", "", true},
		{"onetry", "add", "", true},
		{"onetry", "onetry", "", false},
		{"onetry", "remove", NotAdded, false},
		{"add", "remove", "", false},
	} {
		b := newBench(t, quiet())
		b.done(AddNode{Command: c.first, Addr: "10.0.0.1"}, "", "a peer is named")
		ask := b.wantDial("10.0.0.1:18333", "it is dialled")
		b.done(AddNode{Command: c.second, Addr: "10.0.0.1"}, c.err, c.first+" and "+c.second)
		if n := pendingAsks[Dial](b); n != 0 {
			t.Errorf("%s and %s: it is dialled twice", c.first, c.second)
		}
		b.Reply(ask, Dialed{Err: "refused"})
		b.Advance(namedRetry)
		if again := pendingAsks[Dial](b) == 1; again != c.kept {
			t.Errorf("%s and %s: it is tried again: %v, want %v", c.first, c.second, again, c.kept)
		}
	}
}

// A peer that was to be tried once is forgotten as soon as it is connected: others may be
// added in its place, and its end is no reason to come back.
func TestAConnectedPeerOfOnetryIsForgotten(t *testing.T) {
	b := newBench(t, quiet())
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.1"}, "", "a peer is to be tried")
	id := b.connect(b.wantDial("10.0.0.1:18333", "it is dialled"), "10.0.0.1:18333")
	if n := b.m.named.added(); n != 0 {
		t.Errorf("%d peers of addnode are kept in mind", n)
	}
	b.end(id)
	if n := b.logged(actor.Info, "onetry"); n != 0 {
		t.Error("it is said that there was no connection")
	}
}

// A name is dialled at the address that another dial is trying only when that has ended.
func TestAnAddressThatIsBeingDialledIsWaitedFor(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(500, "1.1.1.1:18333")
	auto := b.wantDial("1.1.1.1:18333", "a candidate")
	b.done(AddNode{Command: "add", Addr: "1.1.1.1"}, "", "the user names it too")
	b.wantNoHotLoop("it is being dialled")
	b.Advance(dialledRetry + time.Second)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("it is dialled twice")
	}
	b.Reply(auto, Dialed{Err: "refused"})
	b.Advance(dialledRetry - time.Second)
	b.wantDial("1.1.1.1:18333", "the other dial has ended")
}

// A named peer that finds all seats taken waits for one, and inbound cannot take it. One
// that is to be tried once does not wait.
func TestANamedPeerWaitsForASeat(t *testing.T) {
	b := newBench(t, quiet())
	var last actor.ID
	for i := range 4 {
		last = b.arrive(fmt.Sprintf("127.0.0.1:%d", i+1))
	}
	b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a peer to be kept")
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.2"}, "", "a peer to be tried once")
	b.wantNoHotLoop("a named peer is due and there is no seat")
	if n := b.logged(actor.Info, "addnode onetry: all seats are taken"); n != 1 {
		t.Errorf("the user is told %d times that there is no seat", n)
	}
	b.Advance(time.Hour)
	b.end(last)
	b.wantDial("10.0.0.1:18333", "a seat is free")
}

// A named peer that is here already is linked. Its end brings it into the back-off.
func TestANamedPeerThatIsHereIsLinked(t *testing.T) {
	b := newBench(t, quiet())
	id := b.arrive("10.0.0.1:18333")
	b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "it is here already")
	b.wantNoHotLoop("nothing is to be done")
	b.end(id)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Error("it is dialled at once, and it has just gone")
	}
	b.Advance(namedRetry)
	b.wantDial("10.0.0.1:18333", "after the back-off")
}

// A named peer that came from outside, and has shaken hands, ends the row of failures.
func TestAPeerThatCameByItselfEndsTheRowOfFailures(t *testing.T) {
	b := newBench(t, quiet())
	comesByItself(b, true)
	b.wantDial("10.0.0.1:18333", "the back-off begins at 5 s again")
}

// One that has not shaken hands is one more failure.
func TestAPeerThatCameAndDidNotShakeHandsHasFailed(t *testing.T) {
	b := newBench(t, quiet())
	comesByItself(b, false)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Error("the back-off begins again, and the peer has never been a good one")
	}
}

// comesByItself lets a named peer fail in a row, come from outside and go.
func comesByItself(b *bench, shakes bool) {
	b.t.Helper()
	const addr = "10.0.0.1:18333"
	b.done(AddNode{Command: "add", Addr: addr}, "", "a peer is named")
	for range 6 {
		b.Reply(b.wantDial(addr, "it is tried"), Dialed{Err: "refused"})
		b.Advance(namedRetryMax)
	}
	ask := b.wantDial(addr, "it is tried")
	b.Reply(ask, Dialed{Err: "refused"})
	id := b.arrive(addr)
	if shakes {
		b.ready(id, addr)
	}
	b.Advance(namedRetryMax) // when its time comes, it is found connected
	b.end(id)
	b.Advance(namedRetry)
}

// The user is warned of the first failure in a row. The loss of a good connection is
// logged elsewhere, and the failure after it is a new one.
func TestWhichFailuresOfANamedPeerAreWarnings(t *testing.T) {
	const addr, text = "10.0.0.1:18333", "no connection to 10.0.0.1:18333"
	b := newBench(t, quiet())
	warned := func(want int, why string) {
		t.Helper()
		if n := b.logged(actor.Warn, text); n != want {
			t.Fatalf("%s: %d warnings so far, want %d", why, n, want)
		}
	}
	b.done(AddNode{Command: "add", Addr: addr}, "", "a peer is named")
	id := b.connect(b.wantDial(addr, "it is tried"), addr)
	b.ready(id, addr)
	b.end(id)
	warned(0, "a good connection has ended")
	b.Advance(namedRetry)
	b.Reply(b.wantDial(addr, "it is tried again"), Dialed{Err: "refused"})
	warned(1, "it does not come back")
	b.Advance(namedRetryMax)
	b.end(b.connect(b.wantDial(addr, "it is tried again"), addr))
	warned(1, "it hangs up in the handshake: the second failure in a row")
	b.Advance(namedRetryMax)
	b.Reply(b.wantDial(addr, "it is tried again"), Dialed{Err: "refused"})
	warned(1, "the third")
	b.Advance(namedRetryMax)
	id = b.connect(b.wantDial(addr, "it is tried again"), addr)
	b.ready(id, addr)
	b.end(id)
	b.Advance(namedRetry)
	b.end(b.connect(b.wantDial(addr, "it is tried again"), addr))
	warned(2, "it came back, and then hung up in the handshake")
	b.Advance(namedRetryMax)
	b.end(b.connect(b.wantDial(addr, "it is tried again"), addr))
	warned(2, "and again")
}

// Of the addresses of a name eight are tried. Then it is looked up again.
func TestL4EightAddressesOfANameAreTried(t *testing.T) {
	b := newBench(t, quiet())
	b.done(AddNode{Command: "add", Addr: "node.example"}, "", "a name")
	_, ask := steptest.WantAsk[Resolve](b.Rig, "it is looked up")
	var got Resolved
	for i := range maxNamedAddrs + 2 {
		got.Addrs = append(got.Addrs, at(fmt.Sprintf("10.0.0.%d:1", i+1)))
	}
	b.Reply(ask, got)
	for i := range maxNamedAddrs {
		b.Reply(b.wantDial(fmt.Sprintf("10.0.0.%d:1", i+1), "one of its addresses"), Dialed{Err: "refused"})
	}
	if n := pendingAsks[Dial](b); n != 0 {
		t.Error("more than eight addresses are tried")
	}
}

func TestANamedPeerCannotLeapInItsLife(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a peer that has a connection begins a dial")
		}
	}()
	p := namedPeer{phase: linked}
	p.become(dialling, waiting)
}

// A seed may know more addresses than are taken of one.
func TestL4ASeedCannotFillTheBookAlone(t *testing.T) {
	cfg := seeded("a.example")
	cfg.MaxNotes = 2 * maxSeedAddrs
	b := newBench(t, cfg)
	b.pick(0)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "the seed is asked")
	var got Resolved
	for i := range maxSeedAddrs + 9 {
		got.Addrs = append(got.Addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{20, byte(i >> 8), byte(i), 1}), 1))
	}
	b.Reply(ask, got)
	note := b.noted(1, "its addresses are told to the book")
	if n := len(note.Learned[0].Addrs); n != maxSeedAddrs {
		t.Errorf("%d addresses are taken, want %d", n, maxSeedAddrs)
	}
	ages := map[time.Time]bool{}
	for _, a := range note.Learned[0].Addrs {
		ages[a.Timestamp] = true
	}
	if len(ages) < 10 {
		t.Errorf("the addresses have %d different ages: they should look like others", len(ages))
	}
}

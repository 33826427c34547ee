package server

import (
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// L9: a named peer is tried for ever, whatever happens to each try.
func TestL9ANamedPeerIsTriedForEver(t *testing.T) {
	cfg := quiet()
	cfg.ConnectOnly = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	const addr = "10.0.0.1:18333"
	for try := 1; try <= 40; try++ {
		ask := b.wantDial(addr, "a named peer is tried for ever")
		switch try % 3 {
		case 0:
			b.Reply(ask, Dialed{Err: "connection refused"})
		case 1:
			b.Fail(ask, actor.ErrTimeout)
			b.Late(ask)
		case 2:
			b.end(b.connect(ask, addr)) // it hangs up in the handshake
		}
		limit := min(5*time.Second<<min(try-1, 10), 5*time.Minute)
		b.Drop()
		b.Advance(limit*3/4 - time.Millisecond)
		if n := pendingAsks[Dial](b); n != 0 {
			t.Fatalf("try %d came after less than three quarters of %v", try+1, limit)
		}
		b.Advance(limit/4 + time.Millisecond)
	}
	if n := b.logged(actor.Warn, "no connection to 10.0.0.1:18333"); n != 1 {
		t.Fatalf("the user was warned %d times of one missing peer", n)
	}

	id := b.connect(b.wantDial(addr, "and it comes back"), addr)
	b.ready(id, addr)
	b.end(id)
	b.Drop()
	b.Advance(5 * time.Second)
	b.wantDial(addr, "after a good connection the back-off begins at 5 s again")
}

func TestConnectDialsNothingElse(t *testing.T) {
	cfg := quiet()
	cfg.OutboundTarget = 2
	cfg.DNSSeeds = []string{"seed.example"}
	cfg.ConnectOnly = []string{"10.0.0.1:1"}
	cfg.AddPeers = []string{"10.0.0.2:1"}
	b := newBench(t, cfg)
	ask := b.wantDial("10.0.0.1:1", "the one that was named")
	b.ready(b.connect(ask, "10.0.0.1:1"), "10.0.0.1:1")
	b.noted(0, "the book hears of the connection")
	b.noted(0, "and of the handshake")
	b.Advance(time.Hour)
	for _, e := range b.Pending() {
		if e.Kind == actor.Ask {
			t.Fatalf("--connect, and %T was asked", e.Body)
		}
	}
}

func TestANameIsLookedUpAndItsAddressesAreTriedInTurn(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"Node.Example:8"}
	b := newBench(t, cfg)
	q, ask := steptest.WantAsk[Resolve](b.Rig, "a name is looked up")
	if q.Host != "node.example" || q.Port != 8 {
		t.Fatalf("looked up %+v", q)
	}
	b.Reply(ask, Resolved{Addrs: []netip.AddrPort{at("10.0.0.1:8"), at("10.0.0.2:8")}})
	b.Reply(b.wantDial("10.0.0.1:8", "its first address"), Dialed{Err: "no route"})
	b.Reply(b.wantDial("10.0.0.2:8", "its second address, at once"), Dialed{Err: "no route"})
	b.Drop()
	b.Advance(5 * time.Second)
	_, ask = steptest.WantAsk[Resolve](b.Rig, "after the last one it is looked up again: it may have moved")
	b.Reply(ask, Resolved{Err: "no such host"})
	b.Drop()
	b.Advance(10 * time.Second)
	steptest.WantAsk[Resolve](b.Rig, "a name without an address is tried again too")
}

func TestAddNode(t *testing.T) {
	b := newBench(t, quiet())
	b.Drop()
	b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "a node is added")
	ask := b.wantDial("10.0.0.1:18333", "and dialled")
	b.done(AddNode{Command: "add", Addr: "10.0.0.1:18333"}, AlreadyAdded, "the same one written otherwise")
	b.done(AddNode{Command: "add", Addr: "not an address"}, BadAddress, "nonsense")
	b.done(AddNode{Command: "drop", Addr: "10.0.0.1"}, BadCommand, "an unknown command")
	b.done(AddNode{Command: "remove", Addr: "10.0.0.9"}, NotAdded, "one that was never added")
	for _, a := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.4"} {
		b.done(AddNode{Command: "add", Addr: a}, "", "more nodes")
	}
	b.done(AddNode{Command: "add", Addr: "10.0.0.5"}, TooManyAdded, "one more than the bound")

	b.done(AddNode{Command: "remove", Addr: "10.0.0.1"}, "", "it is removed while it is dialled")
	b.conns++
	b.Reply(ask, Dialed{Conn: b.conns})
	if r := steptest.Want[Refuse](b.Rig, "a connection that nobody wants any more is closed"); r.Conn != b.conns {
		t.Fatalf("%v was closed, not %v", r.Conn, b.conns)
	}
}

func TestAddNodeOnetry(t *testing.T) {
	b := newBench(t, quiet())
	b.Drop()
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.1"}, "", "a node is tried")
	b.Reply(b.wantDial("10.0.0.1:18333", "at once"), Dialed{Err: "refused"})
	b.Drop()
	b.Advance(time.Hour)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("once means once")
	}
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.1"}, "", "and again")
	id := b.connect(b.wantDial("10.0.0.1:18333", "at once"), "10.0.0.1:18333")
	b.end(id)
	b.Drop()
	b.Advance(time.Hour)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("once means once, also when it was connected")
	}
	for i := range 4 {
		b.arrive("127.0.0.1:" + string(rune('1'+i)))
	}
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.1"}, "", "a full node")
	b.Advance(time.Hour)
	if n := pendingAsks[Dial](b); n != 0 || b.m.named.added() != 0 {
		t.Fatal("there is no seat to try it")
	}
}

func TestANamedPeerThatIsConnectedAlreadyIsNotDialled(t *testing.T) {
	b := newBench(t, quiet())
	id := b.arrive("10.0.0.1:18333")
	b.Drop()
	b.done(AddNode{Command: "add", Addr: "10.0.0.1"}, "", "it is here already")
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("a second connection to the same address")
	}
	b.end(id)
	b.Advance(5 * time.Second)
	b.wantDial("10.0.0.1:18333", "when it has gone it is dialled")
}

// A name has several addresses, and one of them was good. When that connection
// ends, the name has its back-off and is looked up again. The addresses that were
// not tried are not tried at once.
func TestTheOtherAddressesOfANameAreForgotten(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"node.example:8"}
	b := newBench(t, cfg)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "a name is looked up")
	b.Reply(ask, Resolved{Addrs: []netip.AddrPort{at("10.0.0.1:8"), at("10.0.0.2:8")}})
	id := b.connect(b.wantDial("10.0.0.1:8", "its first address"), "10.0.0.1:8")
	b.ready(id, "10.0.0.1:8")
	b.Drop()
	b.end(id)
	if n := pendingAsks[Dial](b) + pendingAsks[Resolve](b); n != 0 {
		t.Fatal("a peer that has ended is not tried again at once")
	}
	b.Advance(namedRetry)
	steptest.WantAsk[Resolve](b.Rig, "it may have moved")
}

// A named peer had no slot, and then it has to wait for another reason. Its clock
// runs again.
func TestL9AStarvedPeerThatWaitsHasAClock(t *testing.T) {
	n := named{list: []namedPeer{{starved: true}}}
	n.list[0].becomeWaiting(steptest.Epoch)
	if due := n.due(false); !due.Equal(steptest.Epoch) {
		t.Errorf("it is due at %v, want %v", due, steptest.Epoch)
	}
}

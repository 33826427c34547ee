package server

import (
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// A rebuilt server is told of peers that have ended in the meantime. That changes
// nothing, least of all for named peers that have no connection just now.
func TestL11WordOfPeersThatAreUnknownChangesNothing(t *testing.T) {
	cfg := seeking()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	b.Reply(b.wantDial("10.0.0.1:18333", "the named peer"), Dialed{Err: "refused"})
	b.Advance(2 * statusInterval)
	b.Drop()
	before := b.m.Deadline()
	stranger := actor.Child(steptest.Self, 99)
	for _, body := range []any{
		peer.Ready{Peer: stranger, Remote: at("8.8.8.8:1")},
		peer.AddrsReceived{Peer: stranger, Addrs: netAddrs(b.Now, "1.1.1.1:1")},
		peer.AddrsWanted{Peer: stranger},
		peer.Gone{Peer: stranger, Remote: at("8.8.8.8:1"), Fault: true},
		actor.Ended{Child: stranger, Reason: "closed"},
	} {
		b.Give(body)
		b.WantNothing("nobody knows that peer")
		if d := b.m.Deadline(); !d.Equal(before) {
			t.Errorf("after %T the next try is at %v, was %v", body, d, before)
		}
	}
	if n := b.logged(actor.Debug, "disconnected"); n != 0 {
		t.Error("the end of a peer that was never here is logged")
	}
}

// A peer that is leaving keeps its seat, but it is not ready any more.
func TestALeavingPeerIsNotReady(t *testing.T) {
	b := newBench(t, quiet())
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.Give(peer.Gone{Peer: id, Remote: at("8.8.8.8:1")})
	peers := steptest.WantAnswer[Peers](b.Rig, b.Ask(GetPeers{}), "the connections").Peers
	if len(peers) != 1 || peers[0].Ready {
		t.Errorf("the connections are %+v", peers)
	}
}

// Nor does it count as one of those that are there, whoever dialled.
func TestALeavingPeerIsNotCounted(t *testing.T) {
	const addr = "1.1.1.1:18333"
	b := newBench(t, seeking())
	b.pick(500, addr)
	id := b.connect(b.wantDial(addr, "a candidate"), addr)
	b.ready(id, addr)
	if s := b.m.seats(); s.ready != 1 || s.readyOutbound != 1 {
		t.Errorf("it is ready, and the seats are %+v", s)
	}
	b.Give(peer.Gone{Peer: id, Remote: at(addr)})
	if s := b.m.seats(); s.ready != 0 || s.readyOutbound != 0 || s.outbound != 1 {
		t.Errorf("it is leaving, and the seats are %+v", s)
	}
}

// What is said of a connection is its own.
func TestWhatIsSaidOfAConnection(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	const named, knocks = "10.0.0.1:18333", "8.8.8.8:1"
	one := b.connect(b.wantDial(named, "a named peer"), named)
	two := b.arrive(knocks)
	b.ready(two, knocks)
	want := []Connection{
		{Peer: one, Remote: at(named), Manual: true, Since: b.Now},
		{Peer: two, Remote: at(knocks), Inbound: true, Ready: true, Since: b.Now},
	}
	if got := steptest.WantAnswer[Peers](b.Rig, b.Ask(GetPeers{}), "the connections").Peers; !slices.Equal(got, want) {
		t.Errorf("the connections are %+v, want %+v", got, want)
	}
}

// The end of an outbound peer is news if it was a good one. Inbound peers come and go.
func TestWhoseEndIsNews(t *testing.T) {
	for _, c := range []struct {
		why            string
		inbound, shook bool
		info, debug    int
	}{
		{"a good outbound peer", false, true, 1, 0},
		{"one that hung up in the handshake", false, false, 0, 1},
		{"an inbound peer", true, true, 0, 0},
	} {
		b := newBench(t, seeking())
		const addr = "1.1.1.1:18333"
		b.pick(500, addr)
		id := b.connect(b.wantDial(addr, "a candidate"), addr)
		if c.inbound {
			id = b.arrive("8.8.8.8:1")
		}
		if c.shook {
			b.ready(id, addr)
		}
		b.end(id)
		if info, debug := b.logged(actor.Info, "disconnected"), b.logged(actor.Debug, "disconnected"); info != c.info || debug != c.debug {
			t.Errorf("%s: said %d times, and %d times when debugging", c.why, info, debug)
		}
	}
}

// DisconnectNode ends the peer that it names and nobody else.
func TestDisconnectNodeEndsOnePeer(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers, cfg.AddPeers = 8, []string{"10.0.0.1", "10.0.0.2"}
	b := newBench(t, cfg)
	one := b.connect(b.wantDial("10.0.0.1:18333", "a named peer"), "10.0.0.1:18333")
	two := b.connect(b.wantDial("10.0.0.2:18333", "another one"), "10.0.0.2:18333")
	in := b.arrive("8.8.8.8:1")
	nowhere := actor.Child(steptest.Self, 50)
	b.Give(actor.Alive{Child: nowhere, Arg: peer.Arg{Inbound: true}}) // its address is not known
	for _, c := range []struct {
		q    DisconnectNode
		want []actor.ID
		err  DoneError
	}{
		{DisconnectNode{Addr: "10.0.0.1"}, []actor.ID{one}, ""},
		{DisconnectNode{Peer: two}, []actor.ID{two}, ""},
		{DisconnectNode{Addr: "8.8.8.8:1"}, []actor.ID{in}, ""},
		{DisconnectNode{Addr: "???"}, nil, BadAddress},
		{DisconnectNode{Addr: "10.0.0.3"}, nil, Unconnected},
	} {
		b.Drop()
		b.done(c.q, c.err, "the user's wish")
		if got := b.orderedToEnd(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v are ordered to end, want %v", c.q, got, c.want)
		}
	}
}

// After Stop the server only answers, whatever was under way and whatever comes.
func TestL8AStoppedServerBeginsNothing(t *testing.T) {
	cfg := seeded("a.example")
	cfg.AddPeers = []string{"10.0.0.1", "node.example"}
	b := newBench(t, cfg)
	dial := b.wantDial("10.0.0.1:18333", "a named peer")
	_, lookup := steptest.WantAsk[Resolve](b.Rig, "another one")
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.Give(actor.Stop{})
	b.WantFinish("it has nothing to wait for")
	b.Drop()
	b.Fail(dial, actor.ErrTimeout)
	b.Reply(lookup, Resolved{Err: "no such host"})
	b.Give(peer.AddrsWanted{Peer: id})
	b.Now = b.Now.Add(time.Hour)
	b.Give(actor.Tick{})
	b.WantNothing("it begins nothing more")
	if d := b.m.Deadline(); !d.IsZero() {
		t.Error("it waits for a time")
	}
}

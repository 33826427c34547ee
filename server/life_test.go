package server

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestL11ARebuiltServerCountsWhoLives(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers = 5
	cfg.AddPeers = []string{"10.0.0.1:18333"}
	b := rebuilt(t, cfg)
	in, named := actor.Child(steptest.Self, 7), actor.Child(steptest.Self, 5)
	b.Give(actor.Alive{Child: in, Arg: peer.Arg{Remote: at("8.8.8.8:4000"), Inbound: true}})
	b.Give(actor.Alive{Child: named, Arg: peer.Arg{Remote: at("10.0.0.1:18333"), Manual: true}})
	b.ready(named, "10.0.0.1:18333")
	b.ready(actor.Child(steptest.Self, 3), "7.7.7.7:1") // ended meanwhile
	b.Advance(10 * time.Second)
	if n := b.m.seats().ready; n != 1 {
		t.Fatalf("%d peers are ready, not 1", n)
	}
	call := b.Ask(GetPeers{})
	peers := steptest.WantAnswer[Peers](b.Rig, call, "the connections").Peers
	if len(peers) != 2 || peers[0].Peer != named || !peers[0].Manual || !peers[0].Ready || !peers[1].Inbound {
		t.Fatalf("the connections are %+v", peers)
	}
	if n := pendingAsks[any](b); n != 1 { // the Note of the good peer
		t.Fatalf("a named peer that is still connected is not dialled again: %+v", b.Pending())
	}
	b.Drop()
	for i := range 3 {
		b.arrive(fmt.Sprintf("9.9.9.9:%d", i+1))
	}
	if a := b.admit("9.9.9.9:9", "five seats, five peers"); a.Peer != 0 {
		t.Fatal("the peers of the former life were not counted")
	}
	b.end(named)
	b.Advance(5 * time.Second)
	b.wantDial("10.0.0.1:18333", "and it is known to be the named one when it ends")
}

func TestDisconnectNode(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"node.example"}
	b := newBench(t, cfg)
	_, ask := steptest.WantAsk[Resolve](b.Rig, "the name")
	b.Reply(ask, Resolved{Addrs: []netip.AddrPort{at("10.0.0.1:18333")}})
	named := b.connect(b.wantDial("10.0.0.1:18333", "its address"), "10.0.0.1:18333")
	in := b.arrive("8.8.8.8:5")

	b.done(DisconnectNode{Addr: "8.8.8.8:6"}, Unconnected, "another port is another peer")
	b.done(DisconnectNode{Addr: "???"}, BadAddress, "nonsense")
	b.done(DisconnectNode{Peer: 12345}, Unconnected, "an unknown ID")
	if ids := b.orderedToEnd(); len(ids) != 0 {
		t.Fatal("somebody was disconnected")
	}
	for _, c := range []struct {
		q  DisconnectNode
		id actor.ID
	}{
		{DisconnectNode{Addr: "8.8.8.8:5"}, in},
		{DisconnectNode{Addr: "node.example"}, named},
	} {
		b.done(c.q, "", "a peer that is there")
		b.WantEnd(c.id, "it is told to go")
	}
	b.done(DisconnectNode{Peer: in}, "", "it is going already")
	b.end(named)
	b.Drop()
	b.Advance(5 * time.Second)
	steptest.WantAsk[Resolve](b.Rig, "a named peer comes back after its back-off")
}

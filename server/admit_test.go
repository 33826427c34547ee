package server

import (
	"fmt"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestInboundFillsItsSeatsAndGetsThemBack(t *testing.T) {
	b := newBench(t, quiet())
	var last actor.ID
	for i := range 4 {
		last = b.arrive(fmt.Sprintf("127.0.0.1:%d", 4000+i))
	}
	if a := b.admit("127.0.0.1:4004", "a newcomer to a full node is answered too"); a.Peer != 0 || a.Reason == "" {
		t.Fatalf("a fifth peer on four seats: %+v", a)
	}
	b.Give(peer.Gone{Peer: last, Remote: at("127.0.0.1:4003")})
	if a := b.admit("127.0.0.1:4005", "a peer that is leaving still has its seat"); a.Peer != 0 {
		t.Fatal("the seat was given away before its cell had ended")
	}
	b.end(last)
	b.arrive("127.0.0.1:4006")

	call := b.Ask(GetStatus{})
	s := steptest.WantAnswer[Status](b.Rig, call, "the figures")
	if s.Inbound != 4 || s.Handshaking != 4 || s.Refused != 2 || s.MaxPeers != 4 {
		t.Fatalf("the figures are %+v", s)
	}
}

func TestInboundLeavesRoomForOutbound(t *testing.T) {
	cfg := quiet()
	cfg.OutboundTarget = 2
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	b.arrive("8.8.8.8:4000")
	if a := b.admit("9.9.9.9:4000", "the rest is reserved"); a.Peer != 0 {
		t.Fatal("inbound took a seat that is kept free for two automatic peers and one named one")
	}
}

func TestNoAddressTakesAllSeats(t *testing.T) {
	cfg := quiet()
	cfg.MaxInboundPerIP = 2
	b := newBench(t, cfg)
	b.arrive("8.8.8.8:1")
	b.arrive("8.8.8.8:2")
	if a := b.admit("8.8.8.8:3", "a third one of the same address"); a.Peer != 0 {
		t.Fatal("three connections of one address, two are allowed")
	}
	if a := b.admit("[::ffff:8.8.8.8]:3", "the same address written as IPv6"); a.Peer != 0 {
		t.Fatal("an IPv4 address passed the bound in an IPv6 coat")
	}
	b.arrive("9.9.9.9:1")
}

// A host with one IPv6 address has the other 2^64 of its net as well.
func TestNoNetTakesAllSeats(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers, cfg.MaxInboundPerIP = 8, 2
	b := newBench(t, cfg)
	b.arrive("[2a01:4f8:1:2::1]:1")
	b.arrive("[2a01:4f8:1:2::2]:1")
	if a := b.admit("[2a01:4f8:1:2:dead:beef:0:1]:1", "a third address of the same /64"); a.Peer != 0 {
		t.Fatal("three connections of one /64, two are allowed")
	}
	b.arrive("[2a01:4f8:1:3::1]:1")
	for i := range 3 {
		b.arrive(fmt.Sprintf("[::1]:%d", i+1))
	}
}

func TestAnAdmittedPeerIsToldOurHeight(t *testing.T) {
	b := newBench(t, quiet())
	b.Give(chain.Tips{Block: chain.Point{Height: 77}})
	b.Drop()
	b.admit("127.0.0.1:1", "a newcomer")
	if arg := steptest.Want[peer.Arg](b.Rig, "its cell"); arg.BestHeight != 77 {
		t.Fatalf("the version message would say %d", arg.BestHeight)
	}
}

func TestAKernelWithoutSeatsIsARefusal(t *testing.T) {
	b := newBench(t, quiet())
	b.SeatsLeft = 0
	if a := b.admit("127.0.0.1:1", "a newcomer"); a.Peer != 0 || a.Reason == "" {
		t.Fatalf("admitted without a cell: %+v", a)
	}
	b.SeatsLeft = 1
	b.arrive("127.0.0.1:2")
}

func TestStopRefusesAndFinishes(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	b.Drop()
	b.Give(actor.Stop{})
	b.WantFinish("a server has nothing to wait for")
	if a := b.admit("127.0.0.1:1", "a newcomer to a stopping node"); a.Peer != 0 {
		t.Fatal("admitted while stopping")
	}
	b.Advance(time.Hour)
	b.WantNothing("a stopped server asks nothing more")
}

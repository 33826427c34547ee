package server

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"acyclic/peer"
)

// misbehave lets an inbound peer come and break the rules.
func (b *bench) misbehave(remote string) {
	b.t.Helper()
	id := b.arrive(remote)
	b.ready(id, remote)
	b.Give(peer.Gone{Peer: id, Remote: at(remote), Fault: true, Reason: "invalid block"})
	b.end(id)
}

func TestAFaultBansForADay(t *testing.T) {
	b := newBench(t, quiet())
	b.misbehave("8.8.8.8:1")
	if a := b.admit("8.8.8.8:2", "a banned address"); a.Peer != 0 {
		t.Fatal("a banned address was admitted")
	}
	b.Advance(24*time.Hour - time.Second)
	if a := b.admit("8.8.8.8:3", "still banned"); a.Peer != 0 {
		t.Fatal("the ban was too short")
	}
	b.Advance(time.Second)
	b.arrive("8.8.8.8:4")
}

// A banned host does not come back with another address of its net, and the
// addresses of one net do not drive other bans out.
func TestABanIsOfAHost(t *testing.T) {
	b := newBench(t, quiet()) // three bans
	b.misbehave("8.8.8.8:1")
	b.misbehave("[2a01:4f8:1:2::1]:1")
	for i := range 4 {
		if a := b.admit(fmt.Sprintf("[2a01:4f8:1:2:%x::7]:1", i), "the same /64"); a.Peer != 0 {
			t.Fatal("a banned host came back with another of its addresses")
		}
	}
	if a := b.admit("8.8.8.8:2", "the first ban stands"); a.Peer != 0 {
		t.Fatal("a banned address was admitted")
	}
	b.arrive("[2a01:4f8:1:3::1]:1")
}

func TestABanDisconnectsTheNet(t *testing.T) {
	b := newBench(t, quiet())
	other := b.arrive("[2a01:4f8:1:2::9]:1")
	b.ready(other, "[2a01:4f8:1:2::9]:1")
	b.Drop()
	b.misbehave("[2a01:4f8:1:2::1]:1")
	if end := b.WantEnd(other, "the other address of the banned host goes too"); end.Fault {
		t.Fatal("it has done nothing wrong itself")
	}
}

func TestLoopbackIsDisconnectedButNeverBanned(t *testing.T) {
	b := newBench(t, quiet())
	b.misbehave("127.0.0.1:1")
	b.arrive("127.0.0.1:2")
}

func TestANamedPeerIsNeverBanned(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"8.8.8.8"}
	b := newBench(t, cfg)
	id := b.connect(b.wantDial("8.8.8.8:18333", "a named peer is dialled"), "8.8.8.8:18333")
	b.ready(id, "8.8.8.8:18333")
	b.Give(peer.Gone{Peer: id, Remote: at("8.8.8.8:18333"), Fault: true})
	b.end(id)
	b.arrive("8.8.8.8:2")
}

func TestABanDisconnectsItsNeighbours(t *testing.T) {
	b := newBench(t, quiet())
	other := b.arrive("8.8.8.8:9")
	b.ready(other, "8.8.8.8:9")
	b.Drop()
	b.misbehave("8.8.8.8:1")
	b.WantEnd(other, "the other connection of a banned address goes too")
	b.Drop()
	b.Advance(time.Minute)
	if slices.Contains(b.orderedToEnd(), other) {
		t.Fatal("an order to end cannot be lost: it is given once")
	}
	b.end(other)
	b.Drop()
	b.Advance(24 * time.Hour) // the ban is over
	b.misbehave("8.8.8.8:1")
	if slices.Contains(b.orderedToEnd(), other) {
		t.Fatal("a peer that has ended is left alone")
	}
}

func TestTheOldestBanMakesRoom(t *testing.T) {
	b := newBench(t, quiet()) // three bans
	for i := range 4 {
		b.misbehave(fmt.Sprintf("8.8.8.%d:1", i+1))
		b.Advance(time.Minute)
	}
	b.arrive("8.8.8.1:2")
	if a := b.admit("8.8.8.2:2", "the second oldest"); a.Peer != 0 {
		t.Fatal("more bans were dropped than necessary")
	}
}

package server

import (
	"net/netip"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// Automatic peers do not take the seats of named ones.
func TestNamedPeersHaveTheirSeats(t *testing.T) {
	cfg := seeking()
	cfg.MaxPeers, cfg.OutboundTarget, cfg.AddPeers = 3, 2, []string{"10.0.0.1", "10.0.0.2"}
	b := newBench(t, cfg)
	if q, _ := steptest.WantAsk[Pick](b.Rig, "one seat is left"); q.Max != 1 {
		t.Errorf("%d automatic peers are sought", q.Max)
	}
}

// The bound of one host is of its inbound connections.
func TestAPeerThatWeDialledDoesNotCountAsInbound(t *testing.T) {
	cfg := quiet()
	cfg.MaxInboundPerIP, cfg.AddPeers = 1, []string{"8.8.8.8"}
	b := newBench(t, cfg)
	b.connect(b.wantDial("8.8.8.8:18333", "a named peer"), "8.8.8.8:18333")
	b.arrive("8.8.8.8:1")
	if a := b.admit("8.8.8.8:2", "a second inbound connection"); a.Peer != 0 {
		t.Error("the bound of one host does not hold")
	}
}

func TestFigures(t *testing.T) {
	b := newBench(t, seeking())
	figures := func(want Status, why string) {
		t.Helper()
		if got := steptest.WantAnswer[Status](b.Rig, b.Ask(GetStatus{}), why); got != want {
			t.Errorf("%s: %+v, want %+v", why, got, want)
		}
	}
	figures(Status{MaxPeers: 8}, "at first, when the book has said nothing")
	b.pick(500, "1.1.1.1:18333", "2.2.2.2:18333")
	figures(Status{MaxPeers: 8, Dialling: 1, Known: 500}, "a candidate is dialled")
	one := b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333")
	in := b.arrive("8.8.8.8:1")
	figures(Status{MaxPeers: 8, Known: 500, Outbound: 1, Inbound: 1, Handshaking: 2}, "a peer of each direction")
	b.ready(one, "1.1.1.1:18333")
	figures(Status{MaxPeers: 8, Known: 500, Outbound: 1, Inbound: 1, Handshaking: 1}, "a handshake is done")
	b.Give(peer.Gone{Peer: one, Remote: at("1.1.1.1:18333")})
	figures(Status{MaxPeers: 8, Known: 500, Outbound: 1, Inbound: 1, Handshaking: 1}, "a peer is leaving")
	b.end(in)
	b.end(one)
	figures(Status{MaxPeers: 8, Known: 500}, "both have ended")
}

// What has not changed is not published, however often the server is woken.
func TestStatusIsPublishedWhenItHasChanged(t *testing.T) {
	b := newBench(t, seeking())
	steptest.Want[Status](b.Rig, "the first")
	_, ask := steptest.WantAsk[Pick](b.Rig, "the book is asked")
	for range 3 {
		b.Advance(2 * statusInterval)
		b.Give(actor.Tick{})
	}
	b.WantNothing("nothing has changed")

	b.Reply(ask, Picked{Known: 500, Addrs: []netip.AddrPort{at("1.1.1.1:18333")}})
	if s := steptest.Want[Status](b.Rig, "the book has spoken"); s.Known != 500 || s.Dialling != 1 {
		t.Errorf("published %+v: it says what was begun in that step", s)
	}
}

package server

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// TestStory is what the server does, in one story. Read it first.
func TestStory(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers, cfg.OutboundTarget = 2, 1 // a seat for a peer that we choose, one for inbound
	b := newBench(t, cfg)

	// The server is short of a peer. It asks the book for addresses and dials one.
	b.pick(500, "1.1.1.1:18333")
	dial := b.wantDial("1.1.1.1:18333", "the book's candidate")
	first := b.connect(dial, "1.1.1.1:18333") // the connection gets a peer cell
	b.noted(500, "the book hears that the address can be reached")

	// The peer's cell says that the handshake is done.
	b.ready(first, "1.1.1.1:18333")
	b.noted(500, "the book hears that a peer lives there")
	getaddr, to := steptest.WantAsk[peer.Send](b.Rig, "500 addresses are few: the new peer is asked for more")
	if _, is := getaddr.Msgs[0].(*wire.MsgGetAddr); !is || to.To != first {
		t.Errorf("sent %T to %v", getaddr.Msgs[0], to.To)
	}
	b.Reply(to, peer.Sent{})
	b.Give(peer.AddrsReceived{Peer: first, Addrs: netAddrs(b.Now, "2.2.2.2:18333")})
	note := b.noted(501, "what it tells goes to the book, with its source")
	if l := note.Learned; len(l) != 1 || len(l[0].Addrs) != 1 || l[0].Source != at("1.1.1.1:18333") {
		t.Errorf("learned %+v", l)
	}

	// The listener asks about each connection that it accepts.
	b.arrive("8.8.8.8:4000")
	if a := b.admit("9.9.9.9:4000", "a second one is answered too"); a.Reason != "all inbound seats are taken" {
		t.Errorf("one too many: %+v", a)
	}

	// The first peer breaks a rule. Its host is banned.
	b.Give(peer.Gone{Peer: first, Remote: at("1.1.1.1:18333"), Fault: true, Reason: "invalid block"})
	b.WantEnd(first, "every connection of the host is ordered to end")
	if a := b.admit("1.1.1.1:5000", "it comes back"); a.Reason != "its address is banned" {
		t.Errorf("a banned host: %+v", a)
	}
	if pendingAsks[Pick](b) != 0 {
		t.Error("another peer is sought, and no seat is free until the first one's cell has ended")
	}

	// Its cell has ended: the seat is free, and another peer is sought.
	b.end(first)
	if a := b.admit("9.9.9.9:4001", "an inbound connection"); a.Peer != 0 {
		t.Error("inbound took the seat that is kept for a peer that we choose")
	}
	b.pick(501, "1.1.1.1:18333", "2.2.2.2:18333")
	b.Advance(dialInterval)
	b.wantDial("2.2.2.2:18333", "a banned host is not dialled: the next candidate is")
	if s := steptest.WantAnswer[Status](b.Rig, b.Ask(GetStatus{}), "the figures"); s.Inbound != 1 ||
		s.Outbound != 0 || s.Dialling != 1 || s.Banned != 1 || s.Refused != 3 {
		t.Errorf("the figures are %+v", s)
	}
}

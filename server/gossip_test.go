package server

import (
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func netAddrs(seen time.Time, addrs ...string) []*wire.NetAddressV2 {
	var list []*wire.NetAddressV2
	for _, s := range addrs {
		a := netip.MustParseAddrPort(s)
		list = append(list, wire.NetAddressV2FromBytes(seen, 0, a.Addr().AsSlice(), a.Port()))
	}
	return list
}

func TestGetaddrIsAnsweredOncePerConnection(t *testing.T) {
	for _, v2 := range []bool{false, true} {
		b := newBench(t, seeking())
		id := b.arrive("8.8.8.8:1")
		b.Give(peer.Ready{Peer: id, Remote: at("8.8.8.8:1"), Inbound: true, WantsAddr: v2})
		b.Give(peer.AddrsWanted{Peer: id})
		b.Give(peer.AddrsWanted{Peer: id})
		q, ask := steptest.WantAsk[Sample](b.Rig, "a getaddr is answered from the book")
		if q.Max != 1000 {
			t.Fatalf("%d addresses in a message of at most 1000", q.Max)
		}
		tor := wire.NetAddressV2FromBytes(b.Now, 0, make([]byte, wire.TorV3Size), 1)
		b.Reply(ask, Sampled{Addrs: append(netAddrs(b.Now, "1.1.1.1:2"), tor)})
		send, to := steptest.WantAsk[peer.Send](b.Rig, "the sample is sent")
		if to.To != id || len(send.Msgs) != 1 {
			t.Fatalf("sent %+v to %v", send, to.To)
		}
		switch msg := send.Msgs[0].(type) {
		case *wire.MsgAddr:
			if v2 || len(msg.AddrList) != 1 {
				t.Fatalf("v2 %v: addr with %d addresses", v2, len(msg.AddrList))
			}
		case *wire.MsgAddrV2:
			if !v2 || len(msg.AddrList) != 2 {
				t.Fatalf("v2 %v: addrv2 with %d addresses", v2, len(msg.AddrList))
			}
		}
		b.Reply(to, peer.Sent{})
		b.Drop()
		b.Give(peer.AddrsWanted{Peer: id})
		if n := pendingAsks[Sample](b); n != 0 {
			t.Fatal("the book was shown twice")
		}
	}
}

func TestAnEmptyBookIsNotSent(t *testing.T) {
	b := newBench(t, seeking())
	id := b.arrive("8.8.8.8:1")
	b.Give(peer.Ready{Peer: id, Inbound: true})
	b.Give(peer.AddrsWanted{Peer: id})
	_, ask := steptest.WantAsk[Sample](b.Rig, "the book is asked")
	b.Reply(ask, Sampled{})
	if n := pendingAsks[peer.Send](b); n != 0 {
		t.Fatal("an addr message without addresses is against the rules")
	}
}

func TestGetaddrWaitsItsTurnAndIsForgottenWithItsPeer(t *testing.T) {
	cfg := seeking()
	b := newBench(t, cfg)
	var ids []actor.ID
	for _, r := range []string{"8.8.8.1:1", "8.8.8.2:1", "8.8.8.3:1", "8.8.8.4:1", "8.8.8.5:1", "8.8.8.6:1"} {
		id := b.arrive(r)
		b.ready(id, r)
		b.Give(peer.AddrsWanted{Peer: id})
		ids = append(ids, id)
	}
	if n := pendingAsks[Sample](b); n != 4 {
		t.Fatalf("%d samples asked for, the window is 4", n)
	}
	b.end(ids[4]) // while it waits
	b.end(ids[0]) // while its sample is being made
	_, ask := steptest.WantAsk[Sample](b.Rig, "the first one's")
	b.Reply(ask, Sampled{Addrs: netAddrs(b.Now, "1.1.1.1:2")})
	if n := pendingAsks[peer.Send](b); n != 0 {
		t.Fatal("the dead are not written to")
	}
	for range 4 { // three that had been asked for, and that of ids[5]
		_, ask := steptest.WantAsk[Sample](b.Rig, "the others'")
		b.Reply(ask, Sampled{Addrs: netAddrs(b.Now, "1.1.1.1:2")})
	}
	if pendingAsks[Sample](b) != 0 || pendingAsks[peer.Send](b) != 4 {
		t.Fatalf("want four answers: %+v", b.Pending())
	}
}

func TestALeavingPeerGetsNoSample(t *testing.T) {
	b := newBench(t, seeking())
	var last actor.ID
	for _, r := range []string{"8.8.8.1:1", "8.8.8.2:1", "8.8.8.3:1", "8.8.8.4:1", "8.8.8.5:1"} {
		last = b.arrive(r)
		b.ready(last, r)
		b.Give(peer.AddrsWanted{Peer: last})
	}
	b.Give(peer.Gone{Peer: last, Remote: at("8.8.8.5:1")}) // while it waits for a slot
	for range 4 {
		_, ask := steptest.WantAsk[Sample](b.Rig, "the window is 4")
		b.Reply(ask, Sampled{})
	}
	if n := pendingAsks[Sample](b); n != 0 {
		t.Fatal("a sample is made for a peer that is leaving")
	}
}

func TestOutboundPeersAreAskedForAddressesAndGetNone(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(10, "1.1.1.1:18333")
	id := b.connect(b.wantDial("1.1.1.1:18333", "a candidate"), "1.1.1.1:18333")
	b.ready(id, "1.1.1.1:18333")
	send, _ := steptest.WantAsk[peer.Send](b.Rig, "a small book asks for more")
	if _, is := send.Msgs[0].(*wire.MsgGetAddr); !is {
		t.Fatalf("sent %T", send.Msgs[0])
	}
	b.Give(peer.AddrsWanted{Peer: id})
	if n := pendingAsks[Sample](b); n != 0 {
		t.Fatal("an outbound peer could tell our addresses apart")
	}
}

func TestPeersCannotFloodTheBook(t *testing.T) {
	cfg := seeking()
	cfg.MaxNotes = 5000
	b := newBench(t, cfg)
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	many := make([]string, 1000)
	for i := range many {
		many[i] = "1.2.3.4:18333"
	}
	tell := func() int {
		t.Helper()
		b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, many...)})
		if pendingAsks[Note](b) == 0 {
			return 0
		}
		return len(b.noted(1, "what was learned").Learned[0].Addrs)
	}
	if n := tell(); n != 1 {
		t.Fatalf("an inbound peer told %d addresses at once: it may tell its own", n)
	}
	if n := tell(); n != 0 {
		t.Fatalf("and %d more", n)
	}
	b.Advance(100 * time.Second)
	if n := tell(); n != 10 {
		t.Fatalf("%d addresses after 100 s at one in ten seconds", n)
	}
	b.Advance(30 * 24 * time.Hour)
	if n := tell(); n != 1000 {
		t.Fatalf("%d addresses after a month: the bucket holds 1000", n)
	}
}

func TestL4ASlowBookIsToldInOneAndWithinBounds(t *testing.T) {
	b := newBench(t, seeking()) // 50 addresses at most
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.m.remotes[0].talk.tokens = maxTokens
	tell := func(n int) {
		var list []string
		for range n {
			list = append(list, "1.2.3.4:18333")
		}
		b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, list...)})
	}
	tell(1)
	_, ask := steptest.WantAsk[Note](b.Rig, "the first is told at once")
	for range 9 {
		tell(7)
	}
	b.Fail(ask, actor.ErrTimeout)
	b.Advance(time.Minute)
	if n := pendingAsks[Note](b); n != 0 {
		t.Fatal("the book has not answered: it is told nothing more")
	}
	b.wantNoHotLoop("a note waits and the port has no slot")
	b.Late(ask)
	note, _ := steptest.WantAsk[Note](b.Rig, "then everything in one")
	sum := 0
	for _, l := range note.Learned {
		sum += len(l.Addrs)
	}
	if sum != 50 {
		t.Fatalf("%d addresses of 63 were kept, the bound is 50", sum)
	}
}

func TestImpossibleTimesAreCorrectedInACopy(t *testing.T) {
	b := newBench(t, seeking())
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	sent := netAddrs(b.Now.Add(time.Hour), "1.1.1.1:1")
	b.Give(peer.AddrsReceived{Peer: id, Addrs: sent})
	got := b.noted(1, "what was learned").Learned[0].Addrs[0].Timestamp
	if !got.Equal(b.Now.Add(-staleAge)) || !sent[0].Timestamp.Equal(b.Now.Add(time.Hour)) {
		t.Fatalf("seen %v, sent %v", got, sent[0].Timestamp)
	}
}

package server

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// held is how much the server holds of each peer when all of them have asked for
// addresses, are answered with so many, and do not read.
func held(t *testing.T, v2 bool, addrs int) int {
	const peers = 64
	cfg := seeking()
	cfg.MaxPeers, cfg.OutboundTarget, cfg.MaxInboundPerIP = 2*peers, 1, 0
	ports, specs := connectPorts(cfg.MaxPeers)
	r := steptest.New(t, New(cfg, ports, Topics{}, rand.New(rand.NewPCG(1, 2))), specs)
	r.Drop()
	return steptest.Heap(func() any {
		var kept []any
		for i := range peers {
			r.Ask(Admit{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{8, 8, 8, byte(i)}), 1)})
			_, spawned := steptest.WantEffect[peer.Arg](r, actor.Spawn, "everybody is admitted")
			r.Give(peer.Ready{Peer: spawned.To, Inbound: true, WantsAddr: v2})
			r.Give(peer.AddrsWanted{Peer: spawned.To})
			_, ask := steptest.WantAsk[Sample](r, "the book is asked")
			var sample []*wire.NetAddressV2
			for n := range addrs {
				ip := []byte{0x20, 1, 0xd, 0xb8, byte(n >> 8), byte(n), 15: 1}
				sample = append(sample, wire.NetAddressV2FromBytes(r.Now, 0, ip, 1))
			}
			r.Reply(ask, Sampled{Addrs: sample})
			send, _ := steptest.WantAsk[peer.Send](r, "the sample is sent")
			kept = append(kept, send)
			r.Drop()
		}
		return append(kept, r)
	}) / peers
}

// The control is a book that gives no addresses worth the name: hardly anything
// is held then.
func TestL4PerPeerIsWhatItHolds(t *testing.T) {
	b := DefaultBounds(64)
	for _, v2 := range []bool{false, true} {
		if got := held(t, v2, wire.MaxV2AddrPerMsg); got > b.PerPeer() || got < b.PerPeer()/2 {
			t.Errorf("v2 %v: %d bytes are held of a peer, want at most %d and at least half of that", v2, got, b.PerPeer())
		}
		if got := held(t, v2, 1); got > b.PerPeer()/10 {
			t.Errorf("v2 %v: %d bytes are held of a peer that got one address", v2, got)
		}
	}
	if got := reflect.TypeFor[Note]().NumField() - 1; got != noteKinds { // one is Asks
		t.Errorf("a note has %d lists, not %d", got, noteKinds)
	}
}

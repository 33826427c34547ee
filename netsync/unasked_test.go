package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// A stranger sends bodies that do not belong to headers that we want. Nobody
// asked it, so it can get in nobody's way.
func TestUnaskedCopyDisplacesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		height int32
		memory int
	}{
		{"of a block that is ordered", 1, 250},
		{"of one that others wait for", 7, 250},
		{"of one that nobody was asked for yet", 50, 250},
		{"that weighs as much as all that may be held", 3, 128 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, tip := synced(t, 60, nil, 1)
			s.give(peer.Ready{Peer: 66, Inbound: true})
			s.held = func(q any) bool { _, is := q.(chain.SubmitBlock); return is } // chain takes a moment
			bad := tip.at(c.height)
			q := s.wantOrders(1, "the first blocks")
			for i := range q {
				s.deliver(1, q[len(q)-1-i])
				s.give(peer.BlockReceived{Peer: 66, Hash: bad.Hash, Block: bad.mutated(), Size: 250, Memory: c.memory})
			}
			if n := len(s.waiting); n != len(q) {
				t.Fatalf("chain got %d of the %d blocks that the honest peer was asked for", n, len(q))
			}
			for _, w := range s.waiting {
				if from := w.q.(chain.SubmitBlock).Source; from != 1 {
					t.Fatalf("chain got a copy of peer %v", from)
				}
			}
			s.release(nil)
			s.serve(1)
			s.wantTip(tip, "the stranger changes nothing")
			if got := s.m.status(s.Now).Bytes; got != uint64(60*blockSize+250*len(q)) {
				t.Fatalf("%d bytes received: blocks had to come twice", got)
			}
		})
	}
}

// An order may be taken back while the block is on its way: by a clock, or by a
// rebuild. Its copy is as good as any.
func TestCopyThatWasAskedForOnceIsTaken(t *testing.T) {
	s, tip := synced(t, 8, func(c *Bounds) { c.UrgentAfter = time.Hour }, 1)
	late := s.wantOrders(1, "all eight")
	s.wait(s.m.cfg.OrderTimeout)
	if len(s.inv(1).orders) != 0 {
		t.Fatal("the orders are late and taken back")
	}
	s.deliver(1, late...)
	s.wantTip(tip, "they were slow, not bad")
}

// How many blocks may be in flight depends on how large the last ones were.
func TestUnaskedBlocksDoNotMakeOursLookDear(t *testing.T) {
	s, _ := synced(t, 1000, nil, 1)
	s.give(peer.Ready{Peer: 66, Inbound: true})
	genesis := s.c.t.genesis
	for range 100 {
		s.give(peer.BlockReceived{Peer: 66, Hash: genesis.Hash, Block: genesis.block(), Size: 4_000_000, Memory: 80_000_000})
		s.deliver(1, s.inv(1).orders[0].hash)
		if s.m.inFlight < s.m.cfg.StartInFlight {
			t.Fatalf("%d orders", s.m.inFlight)
		}
	}
}

// A block that its finder sends at once, when we have heard of it from another,
// proves that the finder has it too.
func TestUnaskedBlockOfThePathIsAnAnnouncement(t *testing.T) {
	s, tip := synced(t, 10, nil, 1, 2)
	s.serve(1, 2)
	next := s.c.t.add(tip, 1)
	s.give(peer.HeadersReceived{Peer: 1, Headers: []*wire.BlockHeader{next.header}})
	s.give(peer.BlockReceived{Peer: 2, Hash: next.Hash, Block: next.block(), Size: blockSize})
	s.wait(s.m.cfg.UrgentAfter) // the first one does not deliver
	s.serve(2)
	s.wantTip(next, "the finder was asked when the other was late")
}

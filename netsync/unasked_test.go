package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// A stranger sends bodies that do not belong to headers that we want. Nobody
// asked it, so it gets in no peer's way.
func TestUnaskedCopyDisplacesNothing(t *testing.T) {
	for _, c := range []struct {
		name   string
		height int32
		size   int
	}{
		{"of a block that is ordered", 1, 250},
		{"of one that others wait for", 7, 250},
		{"of one that nobody was asked for yet", 50, 250},
		{"that is as large as a block can be", 3, 4_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, tip := synced(t, 60, nil, 1)
			s.give(peer.Ready{Peer: 66, Inbound: true})
			s.held = func(q any) bool { _, is := q.(chain.SubmitBlock); return is } // chain takes a moment
			bad := mutated(tip.at(c.height).sent(66, c.size, false))
			q := s.wantOrders(1, "the first blocks")
			for i := range q {
				s.deliver(1, q[len(q)-1-i])
				s.give(bad)
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
			if got := s.m.report.status().Bytes; got != uint64(60*blockSize+c.size*len(q)) {
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
	if len(s.inv(1).list) != 0 {
		t.Fatal("the orders are late and taken back")
	}
	s.deliver(1, late...)
	s.wantTip(tip, "they were slow, not bad")
}

// How many blocks may be in flight depends on how large the last ones were.
func TestUnaskedBlocksDoNotMakeOursLookDear(t *testing.T) {
	s, _ := synced(t, 1000, nil, 1)
	s.give(peer.Ready{Peer: 66, Inbound: true})
	large := s.c.t.genesis.sent(66, 4_000_000, false)
	for range 100 {
		s.give(large)
		s.deliver(1, s.inv(1).list[0].hash)
		if s.m.orders.inFlight() < s.m.cfg.StartInFlight {
			t.Fatalf("%d orders", s.m.orders.inFlight())
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
	s.give(next.sent(2, blockSize, false))
	s.wait(s.m.cfg.UrgentAfter) // the first one does not deliver
	s.serve(2)
	s.wantTip(next, "the finder was asked when the other was late")
}

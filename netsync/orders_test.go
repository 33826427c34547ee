package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// synced returns a story in which the peers have proved a chain of n blocks and
// have been asked for the first of them.
func synced(t testing.TB, n int, change func(*Bounds), ids ...actor.ID) (*story, *node) {
	tr := newTree()
	tip := tr.grow(tr.genesis, n, 1)
	s := newStory(t, tr, change)
	s.join(ids...)
	for _, id := range ids {
		s.prove(id, tip, "every peer proves the chain")
	}
	return s, tip
}

func (s *story) inv(id actor.ID) *remoteOrders { return &s.m.find(id).orders }

func TestOrdersAreSpread(t *testing.T) {
	s, tip := synced(t, 100, nil, 1, 2, 3)
	seen := map[chainhash.Hash]actor.ID{}
	for _, id := range []actor.ID{1, 2, 3} {
		q := s.wantOrders(id, "every peer that has the blocks is used")
		if len(q) != s.m.cfg.StartInFlight {
			t.Fatalf("peer %v has %d orders at the start", id, len(q))
		}
		for _, h := range q {
			if seen[h] != 0 {
				t.Fatal("a block is ordered from one peer")
			}
			seen[h] = id
		}
	}
	for h := int32(1); h <= int32(len(seen)); h++ {
		if seen[tip.at(h).Hash] == 0 {
			t.Fatalf("block %d is not ordered: the lowest come first", h)
		}
	}
}

func TestL7OrdersOfAGonePeerAreTakenBack(t *testing.T) {
	s, tip := synced(t, 20, func(c *Bounds) { c.StartInFlight = 10 }, 1, 2)
	mine := s.wantOrders(1, "ten of the twenty")
	s.wantOrders(2, "the other ten")
	s.deliver(2, hashesOf(tip.at(2))...)
	s.give(peer.Gone{Peer: 1})
	s.takeOrders(1)
	for _, h := range mine {
		if sl := s.m.span.find(h); sl.by[0] == 1 {
			t.Fatal("an order of the peer that is gone stands")
		}
	}
	for _, o := range s.m.find(2).orders.list {
		s.blocksAsked[2] = append(s.blocksAsked[2], o.hash)
	}
	s.serve(2)
	s.wantTip(tip, "the other peer delivers what was taken back")
	s.wantNothingOpen("nothing leaks")
}

func TestHeavierButShorterBranch(t *testing.T) {
	tr := newTree()
	long := tr.grow(tr.genesis, 50, 1)
	heavy := tr.grow(long.at(10), 5, 100)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, long, "the first peer")
	s.serve(1)
	s.wantTip(long, "the long branch")
	s.join(2)
	s.prove(2, heavy, "a peer with a branch that is shorter")
	if q := s.takeOrders(1); len(q) > 0 {
		t.Fatal("the first peer has not proved the blocks of the new branch")
	}
	s.serve(2)
	s.wantTip(heavy, "work counts, not height")
}

func TestTargetChangesInMidDownload(t *testing.T) {
	tr := newTree()
	long := tr.grow(tr.genesis, 50, 1)
	heavy := tr.grow(long.at(20), 5, 100)
	s := newStory(t, tr, func(c *Bounds) { c.StartInFlight = 40 })
	s.join(1)
	s.prove(1, long, "the first peer")
	first := s.wantOrders(1, "the first forty")
	s.join(2)
	s.prove(2, heavy, "a heavier branch turns up")
	if n := s.m.span.len(); n != 25 {
		t.Fatalf("the span has %d blocks, want 20 below the fork and 5 above", n)
	}
	if got := s.m.find(1).route.shared; got != 20 {
		t.Fatalf("the first peer shares %d blocks with the new path, want 20", got)
	}
	s.deliver(1, first[:20]...)
	s.serve(2)
	s.wantTip(heavy, "what is below the fork was not ordered again")
	s.deliver(1, first[20:]...)
	s.wantNothingOpen("what nobody waits for any more is dropped as it comes")
}

func TestOutOfOrder(t *testing.T) {
	s, tip := synced(t, 8, nil, 1)
	q := s.wantOrders(1, "all eight")
	for i := len(q) - 1; i >= 0; i-- {
		if len(s.submitted) > 0 {
			t.Fatal("chain gets blocks in path order")
		}
		s.deliver(1, q[i])
	}
	s.wantTip(tip, "what was held followed")
	for i, b := range s.submitted {
		if b.Hash != tip.at(int32(i)+1).Hash || b.Source != 1 {
			t.Fatalf("submission %d is wrong", i)
		}
	}
}

func TestHeldBudget(t *testing.T) {
	s, tip := synced(t, 100, func(c *Bounds) {
		c.HeldBytes, c.StartInFlight, c.MinInFlight = 10*blockSize, 40, 40
	}, 1)
	s.m.orders.avgSize = 0
	q := s.wantOrders(1, "as many as the budget seems to allow")
	for i := len(q) - 1; i > 0; i-- {
		s.deliver(1, q[i]) // Check fails when the budget is exceeded
	}
	if s.m.span.heldBytes > 10*blockSize {
		t.Fatalf("%d bytes held", s.m.span.heldBytes)
	}
	s.deliver(1, q[0])
	s.serve(1)
	s.wantTip(tip, "a full budget is no deadlock: what chain needs next is always taken")
}

func TestUnaskedBlock(t *testing.T) {
	s, tip := synced(t, 10, nil, 1)
	s.serve(1)
	next := s.c.t.grow(tip, 1, 1)
	s.give(next.sent(1, blockSize, false))
	s.serve(1)
	s.wantTip(next, "an unasked block is an announcement")
	stray := s.c.t.grow(s.c.t.grow(next, 3, 1), 1, 1)
	s.give(stray.sent(1, blockSize, false))
	s.wait(time.Second)
	s.prove(1, stray, "it does not connect: what lies between?")
	s.serve(1)
	s.wantTip(stray, "all of it")
}

func TestPeerThatProvedLessIsAskedForLess(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 30, 1)
	s := newStory(t, tr, func(c *Bounds) { c.StartInFlight = 100 })
	s.join(1, 2)
	s.prove(1, tip, "the whole chain")
	s.prove(2, tip.at(5), "only five")
	for _, h := range s.takeOrders(2) {
		if tr.nodes[h].Height > 5 {
			t.Fatalf("block %d was asked of a peer that has five", tr.nodes[h].Height)
		}
	}
}

func TestLimitGrowsWithTheRate(t *testing.T) {
	s, tip := synced(t, 2000, nil, 1, 2)
	for s.c.best != tip {
		for _, id := range []actor.ID{1, 2} {
			for _, h := range s.takeOrders(id) {
				if id == 1 || s.Now.Nanosecond()%400_000_000 == 0 {
					s.deliver(id, h)
				} else {
					s.blocksAsked[2] = append(s.blocksAsked[2], h)
				}
			}
		}
		s.wait(20 * time.Millisecond)
	}
	fast, slow := s.inv(1), s.inv(2)
	if fast.limit < 100 || slow.limit >= fast.limit {
		t.Fatalf("limits %d and %d", fast.limit, slow.limit)
	}
}

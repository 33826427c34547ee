package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// download plays the initial download of 1,990 blocks from four honest peers,
// 200 blocks a second each, beside strangers that prove the chain and deliver
// nothing, and says how long it takes.
func download(t *testing.T, strangers, heldBytes int) time.Duration {
	tr := newTree()
	tip := tr.grow(tr.genesis, 1990, 1)
	s := newStory(t, tr, func(c *Bounds) { c.HeldBytes = heldBytes })
	all := tip.locate(nil)
	honest := []actor.ID{1, 2, 3, 4}
	s.join(honest...)
	for _, id := range honest {
		s.give(peer.HeadersReceived{Peer: id, Headers: all})
	}
	here := map[actor.ID]bool{}
	for next := actor.ID(101); s.c.best != tip && s.Now.Sub(steptest.Epoch) < time.Hour; {
		for id := actor.ID(101); id < next; id++ {
			if _, left := s.left[id]; left {
				delete(here, id)
			}
		}
		for ; len(here) < strangers; next++ {
			s.give(peer.Ready{Peer: next, Inbound: true, Services: services})
			s.give(peer.HeadersReceived{Peer: next, Headers: all[len(all)-1:]})
			here[next] = true
		}
		s.wait(100 * time.Millisecond)
		for _, id := range honest {
			q := s.blocksAsked[id]
			n := min(len(q), 20)
			s.blocksAsked[id] = q[n:]
			s.deliver(id, q[:n:n]...)
		}
	}
	s.wantTip(tip, "the honest peers deliver")
	return s.Now.Sub(steptest.Epoch)
}

func TestSilentStrangersDoNotHoldTheDownloadUp(t *testing.T) {
	for name, heldBytes := range map[string]int{
		"small blocks": 128 << 20,
		"large blocks": 40 * 1024, // as many in flight as there can be of 3 MB
	} {
		t.Run(name, func(t *testing.T) {
			alone := download(t, 0, heldBytes)
			for _, n := range []int{8, 100} {
				// Once, before anybody has delivered, they can get orders that
				// others then take over.
				if took := download(t, n, heldBytes); took > alone+DefaultBounds().UrgentAfter {
					t.Errorf("%v beside %d silent strangers, %v without", took, n, alone)
				}
			}
		})
	}
}

// measured returns a story in which peer 1 has delivered blocks quickly and has
// room for more, and peer 2, of which nothing is known, has come.
func measured(t *testing.T, n int) (*story, *node) {
	tr := newTree()
	tip := tr.grow(tr.genesis, n, 1)
	s := newStory(t, tr, nil)
	s.join(1)
	s.prove(1, tip.at(100), "the quick one")
	s.serve(1)
	s.give(peer.Ready{Peer: 2, Inbound: true, Services: services})
	s.prove(2, tip.at(100), "the untried one")
	s.wantTip(tip.at(100), "in sync so far")
	return s, tip
}

func TestUntriedPeersComeAfterTheQuick(t *testing.T) {
	s, tip := measured(t, 900)
	room := s.inv(1).limit
	announceTip(s, 2, tip)
	if n := len(s.takeOrders(2)); n != s.m.cfg.MinInFlight {
		t.Fatalf("a peer that came to us begins with %d orders", n)
	}
	s.join(3)
	announceTip(s, 1, tip)
	first := s.wantOrders(1, "the quick one has proved them too")
	if len(first) != room {
		t.Fatalf("it has %d orders, and room for %d", len(first), room)
	}
	announceTip(s, 3, tip)
	if n := len(s.wantOrders(3, "the quick one has no room left")); n != s.m.cfg.StartInFlight {
		t.Fatalf("a peer that we dialled begins with %d orders", n)
	}
}

// TestL9UntriedPeersGetTheirTurn: that one peer was quick once keeps nobody out.
func TestL9UntriedPeersGetTheirTurn(t *testing.T) {
	for _, c := range []struct {
		name  string
		quick func(s *story, tip *node)
	}{
		{"it does not have the next blocks", func(*story, *node) {}},
		{"it delivers no more", func(s *story, tip *node) { announceTip(s, 1, tip) }},
		{"it reads no more", func(s *story, tip *node) {
			s.deaf[1] = true
			announceTip(s, 1, tip)
		}},
		{"it is gone", func(s *story, tip *node) {
			announceTip(s, 1, tip)
			s.give(peer.Gone{Peer: 1})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, tip := measured(t, 900)
			c.quick(s, tip)
			announceTip(s, 2, tip)
			for range 60 {
				s.serve(2)
				s.wait(time.Second)
			}
			s.wantTip(tip, "the other one delivers")
		})
	}
}

// announceTip has a peer of a measured story announce the headers above its 100 blocks.
func announceTip(s *story, id actor.ID, tip *node) {
	s.give(peer.HeadersReceived{Peer: id, Headers: tip.locate(hashPtrs(tip.at(100)))})
}

// When nothing else can be ordered, late blocks behind the head are asked of a
// second peer too, unless theirs is only slow.
func TestLateBlocksBehindTheHead(t *testing.T) {
	for _, c := range []struct {
		name             string
		delivers, second int
	}{
		{"the first peer is silent", 0, 8},
		{"the first peer is slow", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, tip := synced(t, 16, nil, 1, 2)
			late := s.wantOrders(1, "the first eight")
			s.serve(2)
			s.wait(s.m.cfg.UrgentAfter / 2)
			s.deliver(1, late[:c.delivers]...)
			s.wait(s.m.cfg.UrgentAfter / 2)
			if n := len(s.blocksAsked[2]); n != c.second {
				t.Fatalf("%d blocks are asked of the second peer, want %d", n, c.second)
			}
			for range 60 {
				s.serve(2)
				s.wait(time.Second)
			}
			s.wantTip(tip, "the second peer delivers all")
		})
	}
}

// A pruned peer is always idle, but has none of the old blocks: it must not cost
// a look at the whole span in each step.
func TestPeersWithoutBlocksOfTheSpanAreNotFree(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 1990, 1)
	all := tip.locate(nil)
	for _, c := range []struct {
		name     string
		services wire.ServiceFlag
		height   int // up to which it has blocks
		free     bool
		lowest   int32
	}{
		{"has all", services, 1990, true, 0},
		{"has only those that are ordered", services, 5, false, 0},
		{"pruned, with blocks beyond the span", wireLimited, 1990, false, 0},
		{"pruned, with some of the span", wireLimited, 1100, true, 1100 - limitedBlocks + 1},
	} {
		s := newStory(t, tr, nil)
		s.join(1)
		s.give(peer.HeadersReceived{Peer: 1, Headers: all})
		s.give(peer.Ready{Peer: 2, Services: c.services})
		s.give(peer.HeadersReceived{Peer: 2, Headers: all[c.height-1 : c.height]})
		if got := len(s.takeOrders(2)) > 0; got != c.free {
			t.Errorf("%s: it has orders: %v", c.name, got)
		}
		s.Leave()
		s.inv(2).limit++
		free, lowest, _ := s.m.orders.freePeers()
		if got := len(free) > 0; got != c.free || got && lowest != c.lowest {
			t.Errorf("%s: it can take one more: %v, from %d", c.name, got, lowest)
		}
	}
}

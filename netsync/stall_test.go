package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func TestSendThatFails(t *testing.T) {
	for _, err := range []error{actor.ErrBusy, actor.ErrGone, actor.ErrTimeout} {
		tr := newTree()
		tip := tr.grow(tr.genesis, 20, 1)
		s := newStory(t, tr, nil)
		s.join(1, 2)
		s.deaf[1] = true
		s.answerHeaders(1, tip, "proves the chain")
		if n := len(s.inv(1).list); n != s.m.cfg.StartInFlight {
			t.Fatalf("%d orders", n)
		}
		s.deliver(1, s.wantOrders(1, "the first Send")[0])
		if len(s.takeOrders(1)) > 0 {
			t.Fatal("one Send at a time: the rest is coalesced")
		}
		s.release(err)
		d := actor.EarliestAfter(s.Now)
		s.m.sends.deadlines(&d)
		if until := s.m.find(1).sends.pausedUntil; !until.After(s.Now) || !d.At().Equal(until) {
			t.Errorf("%v: the peer is left alone until %v, and the clock is set to %v", err, until, d.At())
		}
		if n := len(s.inv(1).list); n != 0 {
			t.Fatalf("%v: %d orders were not taken back", err, n)
		}
		s.answerHeaders(2, tip, "another peer proves the chain")
		s.serve(2)
		s.wantTip(tip, "the other peer delivers what was taken back")
		s.wait(s.m.cfg.Pause)
		if s.m.find(1).sends.pausedUntil.After(s.Now) {
			t.Fatal("the pause has no end")
		}
	}
}

func TestPeerThatDoesNotReadIsDropped(t *testing.T) {
	s, _ := synced(t, 20, func(c *Bounds) { c.MaxStalls = 100; c.MaxLate = 100 }, 1)
	s.deaf[1] = true
	for range 20 {
		s.wait(time.Minute)
		s.release(actor.ErrTimeout)
	}
	if _, left := s.left[1]; !left {
		t.Fatal("each Send that times out keeps a slot of the port")
	}
}

func TestStalledOrdersMove(t *testing.T) {
	s, tip := synced(t, 16, func(c *Bounds) { c.UrgentAfter = time.Hour }, 1, 2)
	s.takeOrders(1)
	s.serve(2)
	s.wait(s.m.cfg.OrderTimeout)
	if p := s.inv(1); p.stalls != 1 || p.limit != s.m.cfg.StartInFlight/2 {
		t.Fatalf("%d stalls, limit %d", p.stalls, p.limit)
	}
	s.serve(2)
	s.wantTip(tip, "the orders of the peer that stalled went to the other")
	if got := s.m.report.status().Stalls; got != 8 {
		t.Fatalf("%d orders were taken back, want 8", got)
	}
}

func TestStallOfTheHead(t *testing.T) {
	s, tip := synced(t, 16, nil, 1, 2)
	s.takeOrders(1)
	s.serve(2)
	_, head := s.m.span.head()
	s.wait(s.m.cfg.UrgentAfter)
	if head.by != [2]actor.ID{1, 2} {
		t.Fatalf("the block that all wait for is ordered from %v", head.by)
	}
	first := head.at.Hash
	s.serve(2)
	if s.m.span.find(first) != nil {
		t.Fatal("the second copy was used")
	}
	if len(s.inv(1).list) != 8 {
		t.Fatal("the peer that was late still owes its blocks")
	}
	s.deliver(1, first)
	if s.inv(1).stalls != 0 || len(s.inv(1).list) != 7 {
		t.Fatal("a late copy counts for the peer that sends it")
	}
	s.wait(time.Minute)
	s.serve(2)
	s.wantTip(tip, "no peer holds up all")
}

func TestLiarWithHeadersAndNoBlocks(t *testing.T) {
	tr := newTree()
	honest := tr.grow(tr.genesis, 10, 1)
	heavy := tr.grow(tr.genesis, 5, 100)
	for _, how := range []string{"silent", "notfound"} {
		s := newStory(t, tr, nil)
		s.join(1, 2)
		s.prove(1, heavy, "the liar proves a heavier branch")
		s.prove(2, honest, "the honest one proves its own")
		for range 20 {
			if q := s.takeOrders(1); how == "notfound" && len(q) > 0 {
				s.give(peer.NotFoundReceived{Peer: 1, Blocks: q})
			}
			s.wait(10 * time.Second)
			s.serve(2)
		}
		if _, left := s.left[1]; !left {
			t.Fatalf("%s: a peer that never delivers what it proved is dropped", how)
		}
		s.wantTip(honest, how+": the target fell away with the peer that proved it")
	}
}

func TestBranchThatNobodyServes(t *testing.T) {
	tr := newTree()
	honest := tr.grow(tr.genesis, 400, 1)
	heavy := tr.grow(tr.genesis, 400, 2)
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: wireLimited})
	s.prove(1, heavy, "a pruned peer proves the heaviest branch")
	s.join(2)
	s.prove(2, honest, "the honest one proves its own")
	s.wait(time.Minute)
	s.serve(2)
	s.wantTip(honest, "a branch whose first blocks nobody serves is given up")
}

// A quick peer delivers a block in 0.5 ms, a slow one in 50 ms. In the two
// seconds of the lookahead the slow one would deliver 40; but all wait for the
// last of them, with the span of 1,024 full after half a second.
func TestSlowPeerDoesNotHoldTheSpanUp(t *testing.T) {
	s, tip := synced(t, 8000, nil, 1, 2)
	var slow []chainhash.Hash
	most := 0
	for s.c.best != tip {
		for _, h := range s.takeOrders(1) {
			s.wait(500 * time.Microsecond)
			s.deliver(1, h)
		}
		slow = append(slow, s.takeOrders(2)...)
		for due := s.inv(2).progress.Add(50 * time.Millisecond); len(slow) > 0 && !s.Now.Before(due); due = due.Add(50 * time.Millisecond) {
			s.deliver(2, slow[0])
			slow = slow[1:]
		}
		if s.inv(2).rate.blocks > float64(2*s.m.cfg.StartInFlight) {
			most = max(most, len(s.inv(2).list))
		}
		s.wait(500 * time.Microsecond)
	}
	if most == 0 || most > 2*s.m.cfg.StartInFlight {
		t.Fatalf("the slow peer has had %d blocks in flight", most)
	}
}

// A peer that does not deliver blocks rests from orders, not from headers.
func TestStalledPeerIsStillAskedForHeaders(t *testing.T) {
	s, tip := synced(t, 16, func(c *Bounds) { c.UrgentAfter = time.Hour }, 1, 2)
	s.takeOrders(1)
	s.serve(2)
	s.wait(s.m.cfg.OrderTimeout)
	if s.inv(1).stalls != 1 || s.takeOrders(1) != nil {
		t.Fatal("the peer has stalled and rests")
	}
	s.give(peer.InvReceived{Peer: 1, Blocks: []chainhash.Hash{s.c.t.add(tip, 1).Hash}})
	s.wait(s.m.cfg.MinAsk)
	s.wantAsked(1, "it announces a block while it rests")
}

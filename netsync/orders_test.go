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
	s.give(peer.BlockReceived{Peer: 1, Hash: next.Hash, Block: next.block(), Size: blockSize})
	s.serve(1)
	s.wantTip(next, "an unasked block is an announcement")
	stray := s.c.t.grow(s.c.t.grow(next, 3, 1), 1, 1)
	s.give(peer.BlockReceived{Peer: 1, Hash: stray.Hash, Block: stray.block(), Size: blockSize})
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

func TestGetPeers(t *testing.T) {
	s, tip := synced(t, 10, nil, 1)
	s.join(2)
	call := s.Ask(GetPeers{})
	p := stepAnswer[Peers](s, call).Peers
	if len(p) != 2 || p[0].SyncedHeaders != tip.Height || len(p[0].InFlight) != 8 || p[1].SyncedHeaders != -1 {
		t.Fatalf("%+v", p)
	}
	if got := stepAnswer[Status](s, s.Ask(GetStatus{})); got.Peers != 2 || got.InFlight != 8 || got.Target != tip.Point {
		t.Fatalf("%+v", got)
	}
}

func TestStatusOncePerSecond(t *testing.T) {
	s, tip := synced(t, 500, nil, 1)
	s.serve(1)
	s.wantTip(tip, "synced")
	took := s.Now.Sub(s.m.report.started)
	if n := len(s.status); n > int(took/time.Second)+1 {
		t.Fatalf("%d publications in %v", n, took)
	}
	s.wait(2 * time.Minute)
	last := s.status[len(s.status)-1]
	if last.Blocks != 500 || last.BlockRate != 0 {
		t.Fatalf("the last word is %+v", last)
	}
	n := len(s.status)
	s.wait(time.Minute)
	if len(s.status) != n {
		t.Fatal("nothing changed")
	}
}

func TestStopFinishes(t *testing.T) {
	s, _ := synced(t, 20, nil, 1)
	s.Rig.Give(actor.Stop{})
	s.WantFinish("stopped at once")
	s.Rig.Give(actor.Tick{})
	s.WantNothing("and for good")
	if !s.m.Deadline().IsZero() {
		t.Fatal("nothing to wait for")
	}
}

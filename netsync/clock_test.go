package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// TestThePhaseShowsThatTheTipHasGrownOld: nobody who could be asked for headers is
// there, so nothing but the clock says that our best header is old by now.
func TestThePhaseShowsThatTheTipHasGrownOld(t *testing.T) {
	s := newStory(t, newTree(), nil)
	tips := s.c.tips()
	tips.Header = chain.Point{Hash: tips.Header.Hash, Work: tips.Header.Work, Time: s.Now}
	s.give(tips)
	s.give(peer.Ready{Peer: 1}) // it serves nothing
	s.wait(s.m.cfg.RecentTip - 1)
	if got := s.lastStatus().Phase; got != Following {
		t.Fatalf("phase %v with a recent tip", got)
	}
	s.wait(1)
	if got := s.lastStatus().Phase; got != Headers {
		t.Fatalf("phase %v with an old tip", got)
	}
}

// lastStatus is what was published last.
func (s *story) lastStatus() Status {
	s.t.Helper()
	if len(s.status) == 0 {
		s.t.Fatal("no Status was published")
	}
	return s.status[len(s.status)-1]
}

// TestAStatusThatHasChangedIsPublishedASecondAfterTheLast: a change is published at
// once, the next one a second after that, and no clock runs when nothing changes.
func TestAStatusThatHasChangedIsPublishedASecondAfterTheLast(t *testing.T) {
	s := newStory(t, newTree(), nil)
	s.wait(time.Minute)
	n := len(s.status)
	s.give(peer.Ready{Peer: 1})
	s.give(peer.Ready{Peer: 2})
	if len(s.status) != n+1 || s.lastStatus().Peers != 1 {
		t.Fatalf("%d publications, the last of %d peers", len(s.status)-n, s.lastStatus().Peers)
	}
	s.wait(statusEvery - 1)
	if len(s.status) != n+1 {
		t.Fatal("two within a second")
	}
	s.wait(1)
	if len(s.status) != n+2 || s.lastStatus().Peers != 2 {
		t.Fatalf("%d publications, the last of %d peers", len(s.status)-n, s.lastStatus().Peers)
	}
	if due := s.m.report.due(); !due.IsZero() {
		t.Fatalf("the clock is set to %v, and nothing has changed", due)
	}
}

// TestABranchThatNobodyServesIsLeftAtOnce: when the time is up, the step that gives
// the branch up turns to another one, and does not ask for the old way once more.
func TestABranchThatNobodyServesIsLeftAtOnce(t *testing.T) {
	tr := newTree()
	honest, heavy := tr.grow(tr.genesis, 400, 1), tr.grow(tr.genesis, 400, 2)
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: wireLimited})
	s.prove(1, heavy, "a pruned peer proves the heaviest branch")
	s.join(2)
	s.prove(2, honest, "the honest one proves its own")
	s.wait(s.m.cfg.OrderTimeout - 1)
	if q := s.takeOrders(2); s.m.route.target != heavy.Point || len(q) > 0 {
		t.Fatalf("the target is at %d, and %d blocks are ordered, before the time is up", s.m.route.target.Height, len(q))
	}
	s.held = is[chain.GetPath]
	s.wait(1)
	if len(s.waiting) != 1 || s.waiting[0].q.(chain.GetPath).To != honest.Hash {
		t.Fatalf("chain is asked %+v, want the way to the branch that somebody serves", s.waiting)
	}
	s.release(nil)
	s.wantOrders(2, "the branch that somebody serves")
}

// TestUntriedPeersGetWhatQuickOnesHaveNoRoomFor: they get it in the step in which the
// quick one is full, not when the next input happens to come.
func TestUntriedPeersGetWhatQuickOnesHaveNoRoomFor(t *testing.T) {
	s, tip := synced(t, 20, nil, 1)
	s.serve(1)
	s.join(2)
	s.prove(2, tip, "another peer has the same chain")
	s.held = is[chain.GetPath]
	grown := s.c.t.grow(tip, 200, 1)
	for id := range actor.ID(2) {
		s.give(peer.HeadersReceived{Peer: id + 1, Headers: grown.locate(hashPtrs(tip))})
	}
	if len(s.waiting) != 1 {
		t.Fatalf("%d questions for the path, want one", len(s.waiting))
	}
	s.Reply(s.waiting[0].ask, s.c.answer(s.waiting[0].q)) // one step
	if quick := s.inv(1); len(quick.list) != quick.limit || quick.rate.blocks == 0 {
		t.Fatalf("the quick peer has %d orders of at most %d", len(quick.list), quick.limit)
	}
	if untried := s.inv(2); len(untried.list) != untried.limit || untried.rate.blocks > 0 {
		t.Fatalf("the untried peer has %d orders of at most %d", len(untried.list), untried.limit)
	}
}

package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// withholders prove a branch with more work than the honest one, serve none of
// its blocks, and come back five seconds after they have been dropped.
type withholders struct {
	*story
	branch func() *node // what the next connection proves
	tips   map[actor.ID]*node
	backAt []time.Time
	next   actor.ID
}

func (w *withholders) join() {
	w.next++
	tip := w.branch()
	w.tips[w.next] = tip
	w.give(peer.Ready{Peer: w.next, Inbound: true, Services: services})
	w.give(peer.HeadersReceived{Peer: w.next, Headers: tip.locate(hashPtrs(w.c.best))})
}

// act answers for headers and comes back.
func (w *withholders) act() {
	for id := actor.ID(101); id <= w.next; id++ {
		if _, gone := w.left[id]; gone && w.tips[id] != nil {
			delete(w.tips, id)
			w.backAt = append(w.backAt, w.Now.Add(5*time.Second))
		}
		if w.tips[id] != nil && len(w.headersAsked[id]) > 0 {
			w.answerHeaders(id, w.tips[id], "a liar proves what it has")
		}
	}
	for len(w.backAt) > 0 && !w.Now.Before(w.backAt[0]) {
		w.backAt = w.backAt[1:]
		w.join()
	}
}

// TestL9AWithheldBlockDoesNotFreezeTheTip: the honest branch is followed within
// the time of a few orders, and so is what it grows by, whatever is withheld.
func TestL9AWithheldBlockDoesNotFreezeTheTip(t *testing.T) {
	for _, c := range []struct {
		name   string
		liars  int
		branch func(tr *tree, base *node) func() *node
	}{
		{"by one", 1, sameBranch},
		{"by two in turn", 2, sameBranch},
		{"by three", 3, sameBranch},
		{"with a new point behind it each time", 2, growing},
		{"with a new branch each time", 8, branching},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTree()
			base := tr.grow(tr.genesis, 20, 1)
			w := &withholders{branch: c.branch(tr, base), tips: map[actor.ID]*node{}, next: 100}
			w.story = newStory(t, tr, nil)
			w.story.join(1)
			w.prove(1, base, "the honest peer proves its chain")
			w.serve(1)
			w.wantTip(base, "in sync")
			w.join()
			for i := range c.liars - 1 {
				w.backAt = append(w.backAt, w.Now.Add(time.Duration(i+1)*time.Second))
			}
			honest := base
			for round := range 20 {
				honest = tr.add(honest, 1)
				w.give(peer.HeadersReceived{Peer: 1, Headers: []*wire.BlockHeader{honest.header}})
				for end := w.Now.Add(time.Minute); w.Now.Before(end); {
					w.wait(time.Second)
					w.act()
					if w.asked(1) {
						w.give(peer.HeadersReceived{Peer: 1, Headers: honest.locate(hashPtrs(base)), Asked: true})
					}
					w.serve(1)
				}
				if w.c.best != honest {
					t.Fatalf("block %d of the honest branch was not reached in a minute", round+1)
				}
			}
		})
	}
}

func sameBranch(tr *tree, base *node) func() *node {
	tip := tr.grow(base, 40, 1)
	return func() *node { return tip }
}

func growing(tr *tree, base *node) func() *node {
	tip := tr.grow(base, 40, 1)
	return func() *node {
		tip = tr.add(tip, 1)
		return tip
	}
}

func branching(tr *tree, base *node) func() *node {
	return func() *node { return tr.grow(base, 40, 1) }
}

// TestL9TheHeaviestBranchIsReachedFromASlowServer: a branch that was set aside
// is tried again while there is enough to do on another, and its only server
// is waited for longer each time that it was too late.
func TestL9TheHeaviestBranchIsReachedFromASlowServer(t *testing.T) {
	tr := newTree()
	base := tr.grow(tr.genesis, 20, 1)
	heavy, light := tr.grow(base, 3, 1_000_000), tr.grow(base, 3600, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(2, light, "the one with the light branch")
	s.prove(1, heavy, "the one with the heavy branch")
	type copyAt struct {
		at time.Time
		h  chainhash.Hash
	}
	var slow []copyAt // each block comes half a minute after it was asked for
	var quick []chainhash.Hash
	for end := s.Now.Add(time.Hour / 2); s.c.best != heavy && s.Now.Before(end); {
		for _, h := range s.takeOrders(1) {
			slow = append(slow, copyAt{s.Now.Add(30 * time.Second), h})
		}
		for len(slow) > 0 && !s.Now.Before(slow[0].at) {
			s.deliver(1, slow[0].h)
			slow = slow[1:]
		}
		if quick = append(quick, s.takeOrders(2)...); len(quick) > 0 {
			s.deliver(2, quick[0]) // one a second
			quick = quick[1:]
		}
		for i, tip := range []*node{heavy, light} {
			if id := actor.ID(i + 1); s.asked(id) {
				s.give(peer.HeadersReceived{Peer: id, Headers: tip.locate(hashPtrs(base)), Asked: true})
			}
		}
		s.wait(time.Second)
	}
	if _, left := s.left[1]; left {
		t.Fatal("it is slow, but it delivers")
	}
	s.wantTip(heavy, "work decides in the end, and not only when all else is done")
}

// A block that has come after all does not count against its branch: else others
// could keep us from the rest of it with one empty branch after the other.
func TestADeliveredBlockIsNotAsideAnyMore(t *testing.T) {
	tr := newTree()
	base := tr.grow(tr.genesis, 20, 1)
	heavy, other := tr.grow(base, 200, 2), tr.grow(base, 30, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(1, base, "one peer")
	s.serve(1)
	s.give(peer.HeadersReceived{Peer: 1, Headers: heavy.locate(hashPtrs(base))})
	first := s.wantOrders(1, "the heaviest branch")
	s.give(peer.HeadersReceived{Peer: 2, Headers: other.locate(hashPtrs(base))})
	s.wait(s.m.cfg.OrderTimeout + s.m.cfg.UrgentAfter)
	if s.m.route.target != other.Point {
		t.Fatal("its blocks are late, and there is another branch")
	}
	s.wait(s.m.cfg.OrderTimeout + s.m.cfg.UrgentAfter)
	if s.m.route.target != heavy.Point {
		t.Fatal("nobody serves the other one either")
	}
	s.deliver(1, first[0])
	s.give(peer.Ready{Peer: 3, Services: services})
	s.give(peer.HeadersReceived{Peer: 3, Headers: tr.grow(base, 40, 1).locate(hashPtrs(base))})
	if s.m.route.target != heavy.Point || s.c.best != tr.nodes[first[0]] {
		t.Fatal("the heaviest branch is served again, and a third one is there")
	}
	s.serve(1)
	s.wantTip(heavy, "all of it")
}

func TestAsideListIsBounded(t *testing.T) {
	var l asideList
	s := newStory(t, newTree(), nil)
	for i := range 1000 {
		h := chainhash.Hash{byte(i), byte(i >> 8), 1}
		l.add(s.Now, h)
		l.link(chainhash.Hash{byte(i), byte(i >> 8), 2}, h)
		if !l.has(s.Now, h) || len(l.blocks) > maxAside || len(l.points) > maxAside {
			t.Fatalf("%d blocks and %d points are remembered", len(l.blocks), len(l.points))
		}
	}
}

func TestAsideGrowsLonger(t *testing.T) {
	var l asideList
	s := newStory(t, newTree(), nil)
	h := chainhash.Hash{1}
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute,
		8 * time.Minute, 16 * time.Minute, 16 * time.Minute} {
		l.add(s.Now, h)
		l.add(s.Now.Add(want/2), h) // it stands
		if l.has(s.Now.Add(want), h) || !l.has(s.Now.Add(want-1), h) {
			t.Fatalf("it is not %v", want)
		}
		s.Now = s.Now.Add(want)
	}
}

package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestABlockIsAsideUntilItsTime(t *testing.T) {
	var l asideList
	now, block := steptest.Epoch, chainhash.Hash{1}
	if l.any(now) || l.has(now, block) {
		t.Fatal("nothing was set aside yet")
	}
	l.add(now, block)
	for after, want := range map[time.Duration]bool{0: true, asideFirst - 1: true, asideFirst: false} {
		if at := now.Add(after); l.any(at) != want || l.has(at, block) != want {
			t.Errorf("after %v: any block %v, this block %v, want %v", after, l.any(at), l.has(at, block), want)
		}
	}
	l.add(now.Add(asideFirst), chainhash.Hash{2})
	if at := now.Add(asideFirst); !l.any(at) || l.has(at, block) {
		t.Error("now it is another block")
	}
}

func TestAPointIsLinkedToOneBlock(t *testing.T) {
	var l asideList
	a, b, c, x, y := chainhash.Hash{1}, chainhash.Hash{2}, chainhash.Hash{3}, chainhash.Hash{4}, chainhash.Hash{5}
	l.link(a, x)
	l.link(b, x)
	l.link(a, y) // the last block that did not come counts
	if l.before(a) != y || l.before(b) != x || l.before(c) != (chainhash.Hash{}) || len(l.points) != 2 {
		t.Fatalf("before a: %v, before b: %v, before c: %v, %d points", l.before(a), l.before(b), l.before(c), len(l.points))
	}
}

// A slow server gets more time with each copy that came too late, up to a bound.
func TestPatienceGrowsWithEachLateCopy(t *testing.T) {
	u := bareUnit()
	r := u.route
	if !r.headDue().IsZero() {
		t.Fatal("nobody was asked for it yet")
	}
	r.head = awaited{hash: chainhash.Hash{1}, since: u.now}
	first := u.cfg.OrderTimeout + u.cfg.UrgentAfter
	if got := r.headDue().Sub(u.now); got != first {
		t.Fatalf("%v for a block that was never set aside, want %v: an order, and the second one", got, first)
	}
	r.aside.add(u.now, chainhash.Hash{1})
	r.aside.add(u.now, chainhash.Hash{2})
	for _, times := range []time.Duration{1, 2, 4, 8, 8, 8} {
		if got := r.headDue().Sub(u.now); got != times*first {
			t.Errorf("%v, want %v", got, times*first)
		}
		r.aside.came(chainhash.Hash{1})
		r.aside.came(chainhash.Hash{3}) // it is not known
	}
}

// Several points lie behind a block that is withheld. Whoever proves one of them later,
// target or not, is known to lead through it. Otherwise a liar that comes back with the
// other point would make us wait for the same block once more.
func TestEachPointBehindAWithheldBlockIsRemembered(t *testing.T) {
	u := newUnit(9)
	u.join(1, 9, 0)
	u.join(2, 7, 0)
	u.join(3, 4, 0) // it has proved less, and does not need the block
	block := u.tip.at(5)
	u.route.setAside(block.Point, u.out)
	for id, want := range map[actor.ID]chainhash.Hash{1: block.Hash, 2: block.Hash, 3: {}} {
		p := u.find(id)
		if p.route.behind != want {
			t.Errorf("peer %v is behind %v, want %v", id, p.route.behind, want)
		}
		again := u.join(id+10, p.best.Height, 0)
		u.route.proved(again)
		if again.route.behind != want {
			t.Errorf("who proves the same as peer %v is behind %v, want %v", id, again.route.behind, want)
		}
	}
}

// branches returns a machine that goes to the branch of peer 1, and waits
// for its first block. Peer 2 has proved a lighter branch, and has delivered before.
func branches() (u *unit, one, two *remote, head *entry) {
	u = bareUnit(1, 2)
	heavy, light := u.tr.grow(u.tr.genesis, 3, 2), u.tr.grow(u.tr.genesis, 3, 1)
	one, two = u.find(1), u.find(2)
	one.best, two.best = heavy.Point, light.Point
	two.orders.rate.add(time.Second)
	u.lead(heavy)
	two.share(0, heavy.Hash)
	u.orders.order(one, 0)
	head = u.span.entry(0)
	u.route.head = awaited{hash: head.at.Hash, since: u.now}
	return u, one, two, head
}

func TestWhenALateBlockIsSetAside(t *testing.T) {
	for _, c := range []struct {
		name  string
		early time.Duration // before the block is late
		with  func(u *unit, two *remote, head chain.Point)
		aside bool
	}{
		{"it is late, and there is another branch", 0, func(*unit, *remote, chain.Point) {}, true},
		{"it is not late yet", 1, func(*unit, *remote, chain.Point) {}, false},
		{"there is nobody else", 0, func(u *unit, _ *remote, _ chain.Point) { u.ready = u.ready[:1] }, false},
		{"the other branch leads through it too", 0, func(u *unit, two *remote, _ chain.Point) {
			two.best = u.tr.add(u.tr.nodes[u.route.target.Hash], 1).Point
			two.share(3, u.route.target.Hash)
		}, false},
		{"the other branch has no more work than our blocks", 0, func(u *unit, two *remote, _ chain.Point) {
			two.best = u.tips.Block
		}, false},
		{"the other branch is set aside too, and was no worse", 0, func(u *unit, two *remote, _ chain.Point) {
			two.route.behind = chainhash.Hash{7}
			u.route.aside.add(u.now, chainhash.Hash{7})
		}, true},
		{"it is set aside already, and the other branch is not", 1, func(u *unit, _ *remote, head chain.Point) {
			u.route.aside.add(u.now, head.Hash)
		}, true},
		{"both are set aside already", 0, func(u *unit, two *remote, head chain.Point) {
			two.route.behind = chainhash.Hash{7}
			u.route.aside.add(u.now, chainhash.Hash{7})
			u.route.aside.add(u.now, head.Hash)
		}, false},
		{"the span does not lead to the target yet", 0, func(u *unit, two *remote, _ chain.Point) {
			u.route.target = two.best
		}, false},
		{"another block is the late one", 0, func(u *unit, _ *remote, _ chain.Point) {
			u.route.head.hash = chainhash.Hash{7}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, one, two, head := branches()
			u.now = u.route.headDue().Add(-c.early)
			c.with(u, two, head.at)
			if got := u.route.setLateAside(u.out); got != c.aside {
				t.Errorf("it says that it set one aside: %v", got)
			}
			if got := one.route.behind == head.at.Hash; got != c.aside || c.aside && !u.route.aside.has(u.now, head.at.Hash) {
				t.Fatalf("set aside: %v", got)
			}
			if got := u.route.aside.before(one.best.Hash) == head.at.Hash; got != c.aside {
				t.Errorf("the point behind it is remembered: %v", got)
			}
			if u.route.aside.before(two.best.Hash) != (chainhash.Hash{}) {
				t.Error("the other point is not behind it")
			}
		})
	}
}

// A withheld block is remembered by its hash. So its branch comes last again when
// another peer proves it.
func TestANewProverOfAWithheldBranchComesLast(t *testing.T) {
	tr := newTree()
	base := tr.grow(tr.genesis, 20, 1)
	heavy, other := tr.grow(base, 20, 2), tr.grow(base, 20, 1)
	s := newStory(t, tr, nil)
	s.join(1, 2)
	s.prove(1, base, "one peer")
	s.serve(1)
	s.give(peer.HeadersReceived{Peer: 2, Headers: heavy.locate(hashPtrs(base))})
	s.give(peer.HeadersReceived{Peer: 1, Headers: other.locate(hashPtrs(base))})
	first := s.m.span.entries[0].at.Hash
	s.wait(s.m.cfg.OrderTimeout + s.m.cfg.UrgentAfter)
	s.give(peer.Gone{Peer: 2})
	s.join(3)
	s.give(peer.HeadersReceived{Peer: 3, Headers: heavy.locate(hashPtrs(base))})
	if got := s.m.find(3).route.behind; got != first || s.m.route.target != other.Point {
		t.Fatalf("the point is behind %v, want %v; the target is %v", got, first, s.m.route.target)
	}
}

// pruned returns a story in which the only peer has proved a branch, and has pruned the
// first blocks of it.
func pruned(t *testing.T) (*story, *node) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 400, 1)
	s := newStory(t, tr, nil)
	s.give(peer.Ready{Peer: 1, Services: wireLimited})
	s.prove(1, tip, "a pruned peer proves a branch")
	return s, tip
}

func TestABranchIsGivenUpWhenNobodyCanServeIt(t *testing.T) {
	s, tip := pruned(t)
	first := s.m.span.entries[0].at.Hash
	s.wait(s.m.cfg.OrderTimeout - 1)
	if s.m.find(1).best != tip.Point {
		t.Fatal("a server may still come")
	}
	s.wait(1)
	if s.m.find(1).best == tip.Point || s.m.span.len() > 0 {
		t.Fatal("it is time to give the branch up")
	}
	if a := &s.m.route.aside; !a.has(s.Now, first) || a.before(tip.Hash) != first {
		t.Error("its first block is not set aside, with the point behind it")
	}
}

func TestAServerThatComesInTimeBeginsTheWaitAnew(t *testing.T) {
	s, tip := pruned(t)
	s.wait(s.m.cfg.OrderTimeout - 1)
	s.join(2)
	s.prove(2, tip, "a peer that has all")
	s.deliver(2, s.wantOrders(2, "it can serve the branch")[:3]...)
	if !s.m.route.head.unserved.IsZero() {
		t.Fatal("somebody serves the branch")
	}
	s.wait(time.Second)
	s.give(peer.Gone{Peer: 2})
	s.wait(s.m.cfg.OrderTimeout - 1)
	if s.m.find(1).best != tip.Point {
		t.Fatal("the branch is given up too soon")
	}
	s.wait(1)
	if s.m.find(1).best == tip.Point {
		t.Fatal("the server has not come back")
	}
}

// A block that was asked for can come, whatever is known of the peer by now.
func TestABlockThatIsOrderedIsNotUnserved(t *testing.T) {
	u, one, _, _ := branches()
	u.unprove(one)
	u.step(actor.Tick{})
	if _, e := u.span.head(); e == nil || e.by[0] != 1 || !u.route.head.unserved.IsZero() {
		t.Fatalf("unserved since %v", u.route.head.unserved)
	}
}

// What a peer shares with another path says nothing about this one.
func TestThePathOfAnotherTargetServesNobody(t *testing.T) {
	u, one, two, head := branches()
	u.span.takeBack(head.at.Hash, 1)
	one.orders.list = nil
	one.full, two.full = false, false // both have pruned the first blocks
	one.best.Height, two.best.Height = 1000, 1000
	two.full, two.route.sharedTo, two.route.shared = true, chainhash.Hash{7}, 3
	u.route.forks.retryAt = u.now.Add(time.Hour)
	u.step(actor.Tick{})
	if _, e := u.span.head(); e == nil || e.by[0] != 0 || u.route.head.unserved.IsZero() {
		t.Fatal("nobody is known to have the block that all wait for")
	}
}

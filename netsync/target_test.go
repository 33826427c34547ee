package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// A target is better by work, then by hash, so that all choose the same one. Nothing
// is better than itself, and anything is better than no point.
func TestWhichTargetIsBetter(t *testing.T) {
	point := func(work uint64, hash byte) chain.Point {
		return chain.Point{Work: chain.WorkFrom64(work), Hash: chainhash.Hash{hash}}
	}
	order := []chain.Point{point(7, 5), point(6, 1), point(6, 2), point(1, 9), {}}
	for i, a := range order {
		for k, b := range order {
			if got := better(a, b); got != (i < k) {
				t.Errorf("%v is better than %v: %v", a, b, got)
			}
		}
	}
}

func TestHowWillinglyAPointIsChosen(t *testing.T) {
	block := chainhash.Hash{1}
	for _, c := range []struct {
		name   string
		change func(u *unit, p *remote)
		want   rank
	}{
		{"nothing is set aside", func(*unit, *remote) {}, rankGood},
		{"no blocks come with it", func(u *unit, p *remote) { p.blocks = false }, rankUseless},
		{"our best block has as much work", func(u *unit, p *remote) { u.tips.Block = p.best }, rankUseless},
		{"it has delivered, and something is set aside", func(u *unit, p *remote) {
			p.orders.rate.blocks = 1
			u.route.aside.add(u.now, block)
		}, rankGood},
		{"it has not delivered, and something is set aside", func(u *unit, p *remote) {
			u.route.aside.add(u.now, block)
		}, rankUntried},
		{"it leads through what is set aside", func(u *unit, p *remote) {
			p.orders.rate.blocks, p.route.behind = 1, block
			u.route.aside.add(u.now, block)
		}, rankAside},
		{"it leads through what was set aside once", func(u *unit, p *remote) {
			p.route.behind = block
			u.route.aside.add(u.now.Add(-asideFirst), block)
		}, rankGood},
	} {
		u := newUnit(5)
		p := u.join(1, 5, 0)
		c.change(u, p)
		if got := u.route.rank(p); got != c.want {
			t.Errorf("%s: rank %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTheTargetIsOfTheBestRank(t *testing.T) {
	u := newUnit(9)
	light, heavy := u.join(1, 5, time.Millisecond), u.join(2, 9, time.Millisecond)
	heavy.common = u.tip.at(1).Point // our best header is on another branch
	u.route.chooseTarget()
	if u.route.target != heavy.best {
		t.Errorf("of the same rank %v is chosen, want the one with more work", u.route.target)
	}
	u.route.aside.add(u.now, u.tip.at(7).Hash)
	u.route.aside.link(heavy.best.Hash, u.tip.at(7).Hash)
	u.route.proved(heavy) // it comes back, and proves the same
	u.route.chooseTarget()
	if u.route.target != light.best {
		t.Errorf("%v is chosen, want what is not set aside", u.route.target)
	}
	u.now = u.now.Add(asideFirst)
	u.route.chooseTarget()
	if u.route.target != heavy.best {
		t.Errorf("%v is chosen, want the one with more work when the time is over", u.route.target)
	}
	u.tips.Block = u.tip.Point
	u.route.chooseTarget()
	if u.route.target != (chain.Point{}) {
		t.Errorf("%v is chosen when we have all", u.route.target)
	}
}

// Nobody serves the next block: the target is given up, and another one chosen in the
// same step.
func TestAnUnservedTargetIsNotChosenAgain(t *testing.T) {
	u := newUnit(limitedBlocks + 1)
	u.join(1, limitedBlocks+1, 0).full = false // it has pruned the first block
	u.route.watchHead()
	other := u.tr.grow(u.tr.genesis, 3, 1)
	u.join(2, 9, 0).best = other.Point
	u.find(2).route = remoteRoute{shared: noShared}
	for _, c := range []struct {
		after time.Duration
		want  *node
	}{{u.cfg.OrderTimeout - 1, u.tip}, {1, other}} {
		u.now = u.now.Add(c.after)
		u.route.aim(u.out)
		if u.route.target != c.want.Point {
			t.Errorf("the target is %v, want %v", u.route.target, c.want.Point)
		}
	}
	if !u.route.aside.has(u.now, u.tip.at(1).Hash) || u.span.len() != 0 {
		t.Errorf("%d blocks are left", u.span.len())
	}
}

// With a new target, somebody may serve what nobody served before.
func TestATurnBeginsAnew(t *testing.T) {
	for _, c := range []struct {
		name  string
		empty bool
	}{{"what the span holds is on the way", false}, {"nothing is held", true}} {
		u := newUnit(9)
		to := u.tr.add(u.tip, 1).Point
		u.route.head.unserved = u.now
		u.route.rebuild(u.now.Add(time.Second))
		u.route.path.empty = 2
		before := u.route.path
		if c.empty {
			u.span.clear()
			before = path{}
		}
		before.to, before.complete, before.empty = to, false, 0
		u.route.turnTo(to)
		if u.route.path != before || !u.route.head.unserved.IsZero() {
			t.Errorf("%s: the path is %+v, want %+v; unserved since %v", c.name, u.route.path, before, u.route.head.unserved)
		}
	}
}

// The question that is open is all that is left of a path.
func TestAPathIsLeft(t *testing.T) {
	u := newUnit(9)
	u.route.head.unserved = u.now
	q := chain.GetPath{To: u.tip.Hash, Max: 7}
	u.route.path.q = q
	u.route.leave()
	if u.route.path != (path{q: q}) || u.span.len() != 0 || !u.route.head.unserved.IsZero() {
		t.Errorf("left are %+v and %d blocks; unserved since %v", u.route.path, u.span.len(), u.route.head.unserved)
	}
}

// A target is given up. Who has proved it has to prove it again, and nobody else has.
func TestATargetIsGivenUp(t *testing.T) {
	u := newUnit(9)
	branch, beyond := u.join(1, 9, 0), u.join(2, 9, 0)
	branch.common = u.tip.at(4).Point                       // our best header is on another branch
	beyond.best = u.tr.add(u.tr.nodes[u.tip.Hash], 1).Point // behind what it has in common with us
	want := beyond.best
	u.route.abandon("it is lost", u.out)
	if branch.best != (chain.Point{}) || beyond.best != want {
		t.Errorf("the peers have proved %v and %v", branch.best.Height, beyond.best.Height)
	}
}

// Headers beyond a block that chain has refused prove nothing. Those before it do.
func TestARefusedBlock(t *testing.T) {
	for _, onPath := range []bool{true, false} {
		u := newUnit(9)
		below, through := u.join(1, 4, 0), u.join(2, 9, 0)
		block := u.tip.at(5).Point
		if !onPath {
			block = u.tr.add(u.tip.at(4), 1).Point // we have turned since
		}
		u.route.refuse(block)
		if below.best != u.tip.at(4).Point || (through.best == chain.Point{}) != onPath || (u.span.len() == 0) != onPath {
			t.Errorf("on the path %v: the peers have proved %v and %v, %d blocks are left",
				onPath, below.best.Height, through.best.Height, u.span.len())
		}
	}
}

// Every clock that the route looks at is one of its deadlines.
func TestTheClocksOfTheRoute(t *testing.T) {
	later := func(u *unit) time.Time { return u.now.Add(time.Second) }
	for name, set := range map[string]func(u *unit) time.Time{
		"none": func(u *unit) time.Time { return time.Time{} },
		"path": func(u *unit) time.Time {
			u.route.path.retryAt = later(u)
			return later(u)
		},
		"forks": func(u *unit) time.Time {
			u.route.forks.retryAt = later(u)
			return later(u)
		},
		"the head": func(u *unit) time.Time {
			u.route.head.since = u.now
			return u.now.Add(u.cfg.OrderTimeout + u.cfg.UrgentAfter)
		},
		"unserved": func(u *unit) time.Time {
			u.route.head.unserved = u.now
			return u.now.Add(u.cfg.OrderTimeout)
		},
		"the first of two that are set aside": func(u *unit) time.Time {
			u.route.aside.add(later(u), chainhash.Hash{1})
			u.route.aside.add(u.now, chainhash.Hash{2})
			return u.now.Add(asideFirst)
		},
	} {
		u := newUnit(3)
		want := set(u)
		d := deadlineOf(u, u.route.deadlines)
		if !d.Equal(want) {
			t.Errorf("%s: the deadline is %v, want %v", name, d, want)
		}
	}
}

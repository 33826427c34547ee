package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// part is a unit whose span holds the first blocks of a path of twenty.
func part(n int32) *unit {
	u := newUnit(20)
	u.span.cut(n)
	u.route.path.last, u.route.path.complete = u.tip.at(n).Hash, false
	return u
}

func TestWhenChainIsAskedForThePath(t *testing.T) {
	for _, c := range []struct {
		name   string
		holds  int32
		span   int
		change func(u *unit)
		max    int  // blocks that are asked for; zero: nothing is asked
		rest   bool // those that follow, not the whole path
	}{
		{"a quarter is free", 6, 8, func(*unit) {}, 2, true},
		{"less is free", 7, 8, func(*unit) {}, 0, false},
		{"the smallest span is full", 2, 2, func(*unit) {}, 0, false},
		{"the smallest span has room", 1, 2, func(*unit) {}, 1, true},
		{"it holds all", 6, 8, func(u *unit) { u.route.path.complete = true }, 0, false},
		{"it may be wrong", 7, 8, func(u *unit) { u.route.path.stale = true }, 8, false},
		{"we are about to turn", 6, 8, func(u *unit) { u.route.target = u.tip.at(19).Point }, 0, false},
		{"chain is asked", 6, 8, func(u *unit) { u.route.path.q.Max = 1 }, 0, false},
		{"the last try was just now", 6, 8, func(u *unit) { u.route.path.retryAt = u.now.Add(1) }, 0, false},
		{"the next try is due", 6, 8, func(u *unit) { u.route.path.retryAt = u.now }, 2, true},
	} {
		u := part(c.holds)
		u.cfg.Span = c.span
		c.change(u)
		var want []chain.GetPath
		if c.max > 0 {
			want = append(want, chain.GetPath{To: u.tip.Hash, Max: c.max})
		}
		if c.rest {
			want[0].After = u.tip.at(c.holds).Hash
		}
		got := asks[chain.GetPath](u, func() { u.route.askPath(u.ports.Path, true, u.out) })
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
			t.Errorf("%s: asked %v, want %v", c.name, got, want)
		}
	}
}

// All was delivered and judged, and our best block still has less work than the target.
// Chain's tips may be on their way, so it is asked a moment later.
func TestThePathEndsShortOfTheTarget(t *testing.T) {
	for _, idle := range []bool{true, false} {
		u := part(5)
		u.span.clear()
		u.route.path.complete = true
		ask := func() []chain.GetPath {
			return asks[chain.GetPath](u, func() { u.route.askPath(u.ports.Path, idle, u.out) })
		}
		first := ask()
		if due := u.now.Add(u.cfg.Retry); len(first) > 0 || u.route.path.stale != idle || idle && !u.route.path.retryAt.Equal(due) {
			t.Errorf("idle %v: asked %v; the whole path is to be asked for: %v, at %v", idle, first, u.route.path.stale, u.route.path.retryAt)
		}
		u.now = u.now.Add(u.cfg.Retry)
		if got := ask(); (len(got) == 1) != idle {
			t.Errorf("idle %v: asked %v", idle, got)
		}
	}
}

func TestAnAnswerAboutThePath(t *testing.T) {
	rest := func(u *unit, max int) chain.GetPath {
		return chain.GetPath{To: u.tip.Hash, After: u.tip.at(5).Hash, Max: max}
	}
	whole := func(u *unit) chain.GetPath { return chain.GetPath{To: u.tip.Hash, Max: 8} }
	for _, c := range []struct {
		name     string
		q        func(u *unit) chain.GetPath
		change   func(u *unit)
		from, to int32 // what is missing, by height
		blocks   int   // that the span has then
		complete bool
		last     int32 // where the span ends
	}{
		{"fewer than asked for", func(u *unit) chain.GetPath { return rest(u, 3) }, nil, 6, 7, 7, true, 7},
		{"as many as asked for", func(u *unit) chain.GetPath { return rest(u, 3) }, nil, 6, 8, 8, false, 8},
		{"as many, and the last is the target", func(u *unit) chain.GetPath { return rest(u, 15) }, nil, 6, 20, 20, true, 20},
		{"nothing more", func(u *unit) chain.GetPath { return rest(u, 3) }, nil, 0, -1, 5, true, 5},
		{"we have turned since", func(u *unit) chain.GetPath {
			return chain.GetPath{To: u.tip.at(19).Hash, After: u.tip.at(5).Hash, Max: 3}
		}, nil, 6, 7, 5, false, 5},
		{"the span was cut since", func(u *unit) chain.GetPath { return rest(u, 3) }, func(u *unit) {
			u.span.cut(4)
			u.route.path.last = u.tip.at(4).Hash
		}, 6, 7, 4, false, 4},
		{"the path may be wrong since", func(u *unit) chain.GetPath { return rest(u, 3) }, func(u *unit) { u.route.path.stale = true }, 6, 7, 5, false, 5},
		{"the whole path", whole, func(u *unit) { u.route.path.stale = true }, 3, 9, 7, true, 9},
		{"the whole path, and the span is right again", whole, nil, 3, 9, 5, false, 5},
		{"the whole path of an empty span", whole, func(u *unit) { u.span.clear() }, 3, 10, 8, false, 10},
	} {
		u := part(5)
		if c.change != nil {
			c.change(u)
		}
		u.join(1, 20, 0)
		u.route.path.q, u.route.path.empty = c.q(u), 2
		a := chain.Path{Known: true, To: u.tip.Point}
		for h := c.from; h <= c.to; h++ {
			a.Missing = append(a.Missing, u.tip.at(h).Point)
		}
		u.route.onPath(actor.Input{}, a, u.out)
		p := u.route.path
		if u.span.len() != c.blocks || p.complete != c.complete || p.last != u.tip.at(c.last).Hash || u.span.last().at.Height != c.last {
			t.Errorf("%s: %d blocks, complete %v, up to %d", c.name, u.span.len(), p.complete, u.span.last().at.Height)
		}
		if taken := p.empty == 0; taken != (u.span.last().at.Height > 5) || p.q != (chain.GetPath{}) {
			t.Errorf("%s: %d answers in a row were empty, open is %v", c.name, p.empty, p.q)
		}
	}
}

// A question that failed says nothing. It is asked again a moment later.
func TestAQuestionAboutThePathFails(t *testing.T) {
	u := part(5)
	u.join(1, 20, 0)
	u.route.path.q = chain.GetPath{To: u.tip.Hash, Max: 8}
	u.route.onPath(actor.Input{Err: actor.ErrGone}, chain.Path{}, u.out)
	if !u.route.path.retryAt.Equal(u.now.Add(u.cfg.Retry)) || u.span.len() != 5 || u.find(1).best != u.tip.Point {
		t.Errorf("it is asked again at %v; %d blocks are left", u.route.path.retryAt, u.span.len())
	}
}

// A rebuilt chain may not know the target. The peers that proved it prove it again.
func TestATargetThatChainDoesNotKnow(t *testing.T) {
	u := part(5)
	there, below := u.join(1, 20, 0), u.join(2, 9, 0)
	u.route.path.q = chain.GetPath{To: u.tip.Hash, Max: 8}
	u.route.onPath(actor.Input{}, chain.Path{}, u.out)
	if u.span.len() != 0 || u.route.path != (path{}) {
		t.Errorf("%d blocks are left of the path %+v", u.span.len(), u.route.path)
	}
	if there.best != (chain.Point{}) || below.best != u.tip.at(9).Point {
		t.Errorf("the peers have proved %d and %d", there.best.Height, below.best.Height)
	}
}

// Chain has all blocks on the way, and does not go there. It is asked three times.
func TestATargetThatChainDoesNotGoTo(t *testing.T) {
	u := part(5)
	u.span.clear()
	p := u.join(1, 20, 0)
	for n := 1; n <= 3; n++ {
		u.route.path.q = chain.GetPath{To: u.tip.Hash, Max: 8}
		u.route.onPath(actor.Input{}, chain.Path{Known: true, To: u.tip.Point}, u.out)
		if given := p.best == (chain.Point{}); given != (n == 3) {
			t.Errorf("after %d empty answers the target is given up: %v", n, given)
		}
	}
}

func TestChainHasMoved(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *unit)
		block  int32 // that our best is now
		ours   bool
		stale  bool
		now    bool // chain may be asked at once
	}{
		{"by a block that it did not get from us", nil, 1, false, true, true},
		{"by a block of ours", nil, 1, true, false, false},
		{"to another header", nil, 0, false, false, false},
		{"when nothing is held", func(u *unit) { u.span.clear() }, 1, false, false, false},
		{"when the path may be wrong already", func(u *unit) { u.route.path.stale = true }, 0, false, true, true},
	} {
		u := part(5)
		if c.change != nil {
			c.change(u)
		}
		later := u.now.Add(time.Second)
		u.route.path.retryAt = later
		u.route.onTips(chain.Tips{Block: u.tip.at(c.block).Point, Header: u.tip.Point}, c.ours)
		want := later
		if c.now {
			want = u.now
		}
		if u.route.path.stale != c.stale || !u.route.path.retryAt.Equal(want) {
			t.Errorf("%s: the whole path is to be asked for: %v, in %v", c.name, u.route.path.stale, u.route.path.retryAt.Sub(u.now))
		}
	}
}

// It is the best block that tells whether chain has moved by a block of ours. The best
// header is one that nobody has the block of.
func TestChainHasMovedByABlock(t *testing.T) {
	for stranger, stale := range map[bool]bool{false: false, true: true} {
		u := handing(3)
		block := u.tip.at(1)
		if stranger {
			block = u.tr.add(u.tr.genesis, 1)
		}
		u.step(chain.Tips{Block: block.Point, Header: u.tip.Point})
		if u.route.path.stale != stale || u.tips.Block != block.Point {
			t.Errorf("the block is another's: %v; the whole path is to be asked for: %v", stranger, u.route.path.stale)
		}
	}
}

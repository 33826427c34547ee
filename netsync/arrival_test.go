package netsync

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// A path may be left and taken again while its orders are on their way.
func TestAnOrderThatStandsIsNotMadeTwice(t *testing.T) {
	u := newUnit(10)
	p := u.join(1, 10, 0)
	u.orders.order(p, u.span.base)
	u.span.replace(nil)
	u.span.extend(points(u.tip.at(1), u.tip.at(2)))
	u.orders.order(p, u.span.base)
	if len(p.orders.list) != 1 || u.entryAt(1).by[0] != 1 {
		t.Errorf("%d orders, and the block is expected from %v", len(p.orders.list), u.entryAt(1).by)
	}
	u.wantSound(t)
}

// The clock of a peer starts with its first order, and the others do not restart it.
func TestTheFirstOrderStartsTheClock(t *testing.T) {
	u := newUnit(10)
	p := u.join(1, 10, 0)
	start := u.now
	u.orders.order(p, u.span.base)
	u.now = u.now.Add(time.Second)
	u.orders.order(p, u.span.base+1)
	if !p.orders.progress.Equal(start) {
		t.Errorf("the clock runs since %v after the first order", p.orders.progress.Sub(start))
	}
}

func TestWhatABlockMeans(t *testing.T) {
	for _, c := range []struct {
		name      string
		before    func(u *unit, p *remote)
		height    int32
		asked     bool
		announces bool
		state     entryState
		stalls    int // of the two that it had
	}{
		{"it was ordered", ordered(3), 3, true, false, held, 0},
		{"its order stands, though the cell has forgotten it", ordered(3), 3, false, false, held, 0},
		{"its order was taken back", func(*unit, *remote) {}, 3, true, false, held, 0},
		{"another copy was here first", func(u *unit, p *remote) {
			ordered(3)(u, p)
			u.hold(3, 3, 77)
		}, 3, true, false, held, 0},
		{"another copy was here, and the order was taken back", func(u *unit, p *remote) { u.hold(3, 3, 77) }, 3, true, false, held, 2},
		{"nobody asked, and it is more than the peer has proved", func(u *unit, p *remote) { p.best = u.tip.at(2).Point }, 3, false, true, wanted, 2},
		{"nobody asked, and the peer has proved it", func(u *unit, p *remote) { p.best = u.tip.at(3).Point }, 3, false, false, wanted, 2},
	} {
		u := newUnit(10)
		p := u.join(1, 10, 0)
		c.before(u, p)
		p.orders.stalls, p.headers.late = 2, 2
		n := u.tip.at(c.height)
		got := u.orders.onBlock(n.sent(1, 500, c.asked))
		if (got == p) != c.announces || u.entryAt(c.height).state != c.state {
			t.Errorf("%s: it announces %v, and is in state %d", c.name, got == p, u.entryAt(c.height).state)
		}
		if p.orders.stalls != c.stalls || p.headers.late != c.stalls || len(p.orders.list) != 0 {
			t.Errorf("%s: %d stalls, %d times late, %d orders", c.name, p.orders.stalls, p.headers.late, len(p.orders.list))
		}
		u.wantSound(t)
	}
}

// ordered orders the block at a height from the peer.
func ordered(height int32) func(u *unit, p *remote) {
	return func(u *unit, p *remote) { u.orders.order(p, u.span.index[u.tip.at(height).Hash]) }
}

// A block that is not on the path any more may be one that is set aside. Its server
// is slow, and the next wait is longer. Nobody's announcement is taken for one.
func TestABlockBesideThePath(t *testing.T) {
	for _, asked := range []bool{true, false} {
		u := newUnit(10)
		p := u.join(1, 10, 0)
		other := u.tr.add(u.tip, 1)
		u.route.aside.add(u.now, other.Hash)
		got := u.orders.onBlock(other.sent(1, 500, asked))
		if late := u.route.aside.find(other.Hash).late; late != btoi(asked) || (got == p) == asked {
			t.Errorf("asked %v: %d late copies, it announces %v", asked, late, got == p)
		}
	}
}

// A block weighs the bytes of its payload: it is not decoded.
func TestWhatABlockWeighs(t *testing.T) {
	for _, size := range []int{1600, 800} {
		u := newUnit(10)
		u.join(1, 10, 0)
		average := 0.0
		for h := int32(1); h <= 2; h++ {
			n := u.tip.at(h)
			u.orders.onBlock(n.sent(1, size, true))
			average += (float64(size) - average) / 16
		}
		if u.span.heldBytes != 2*size || u.orders.avgSize != average || u.orders.bytes != uint64(2*size) {
			t.Errorf("%d: %d bytes are held, the average is %v, want %v; %d received",
				size, u.span.heldBytes, u.orders.avgSize, average, u.orders.bytes)
		}
	}
}

// The limit moves by one with each block, towards what the peer should have in
// flight.
func TestTheLimitFollowsTheRate(t *testing.T) {
	const perBlock, goal = 125 * time.Millisecond, 16
	for _, c := range []struct{ limit, want int }{{goal - 2, goal - 1}, {goal, goal}, {goal + 2, goal + 1}} {
		u := newUnit(10)
		p := u.join(1, 10, perBlock)
		ordered(1)(u, p)
		p.orders.limit = c.limit
		u.now = u.now.Add(perBlock)
		n := u.tip.at(1)
		u.orders.onBlock(n.sent(1, 500, true))
		if p.orders.limit != c.want || p.orders.rate.perBlock() != perBlock || !p.orders.progress.Equal(u.now) {
			t.Errorf("limit %d, want %d; %v a block; the clock runs since %v",
				p.orders.limit, c.want, p.orders.rate.perBlock(), p.orders.progress)
		}
	}
}

func TestHowManyBlocksAPeerShouldHave(t *testing.T) {
	for _, c := range []struct {
		name     string
		perBlock time.Duration
		others   int
		other    time.Duration // per block; zero: untried
		want     int
	}{
		{"what it delivers in the lookahead", 125 * time.Millisecond, 0, 0, 16},
		{"no more than anybody", time.Millisecond, 0, 0, 128},
		{"however slow it is, a few", 4 * time.Second, 0, 0, 2},
		{"its share of half of the span", 125 * time.Millisecond, 1, time.Second / 1000, 4},
		{"silent strangers take no share", 125 * time.Millisecond, 200, 0, 16},
	} {
		u := newUnit(10)
		p := u.join(1, 10, c.perBlock)
		for i := range c.others {
			u.join(actor.ID(2+i), 10, c.other)
		}
		if got := u.orders.goal(p); got != c.want {
			t.Errorf("%s: %d blocks, want %d", c.name, got, c.want)
		}
	}
}

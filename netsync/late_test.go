package netsync

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// lateBlocks returns a machine in which peer 1 has been asked for the n blocks
// of the path, and has not delivered any. Peer 2 has them too, is quick and free. It is
// the time at which a second peer may be asked.
func lateBlocks(n int) (u *unit, one, two *remote) {
	u = bareUnit(1, 2)
	tip := u.tr.grow(u.tr.genesis, n, 1)
	one, two = u.find(1), u.find(2)
	for _, r := range u.ready {
		r.best, r.orders.limit = tip.Point, u.cfg.MaxInFlight
	}
	two.orders.rate.add(time.Millisecond)
	u.lead(tip)
	for q := range n {
		u.orders.order(one, q)
	}
	one.orders.progress = u.now
	u.now = u.now.Add(u.cfg.UrgentAfter)
	return u, one, two
}

// seconds returns the heights of the blocks that are asked of a second peer.
func (u *unit) seconds() (heights []int32) {
	for _, e := range u.span.entries {
		if e.by[1] != 0 {
			heights = append(heights, e.at.Height)
		}
	}
	return heights
}

func span16() (heights []int32) {
	for h := range int32(hastened) {
		heights = append(heights, h+1)
	}
	return heights
}

func TestWhichBlocksASecondPeerIsAskedFor(t *testing.T) {
	arrive := func(u *unit, heights ...int32) {
		for _, h := range heights {
			e := u.span.entry(int(h - 1))
			one := u.find(1)
			one.orders.list = slices.DeleteFunc(one.orders.list, func(o order) bool { return o.hash == e.at.Hash })
			u.span.hold(e.at.Hash, make([]byte, 1), 1, u.cfg.HeldBytes)
		}
	}
	for _, c := range []struct {
		name   string
		change func(u *unit, one, two *remote)
		want   []int32
	}{
		{"the first sixteen", func(*unit, *remote, *remote) {}, span16()},
		{"not before it is time", func(u *unit, _, _ *remote) { u.now = u.now.Add(-1) }, nil},
		{"not before it is time, however long its peer has been silent", func(u *unit, one, _ *remote) {
			u.now = u.now.Add(-1)
			one.orders.progress = u.now.Add(-time.Hour)
		}, nil},
		{"what is here is not counted", func(u *unit, _, _ *remote) { arrive(u, 2, 3, 4, 5) },
			append([]int32{1}, []int32{6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}...)},
		{"only the first, if its peer delivers others", func(u *unit, one, _ *remote) {
			one.orders.progress = u.now.Add(-1)
		}, []int32{1}},
		{"all of them, if it has not delivered since they were ordered", func(u *unit, one, _ *remote) {
			one.orders.progress = u.span.entry(0).since.Add(-time.Hour)
		}, span16()},
		{"only the first, of a peer of which nothing is known", func(_ *unit, _, two *remote) { two.orders.rate = rate{} }, []int32{1}},
		{"all of them, of a peer that has taken no time", func(_ *unit, _, two *remote) { two.orders.rate = rate{blocks: 8} }, span16()},
		{"only the first, of a peer without room", func(_ *unit, _, two *remote) { two.orders.limit = 0 }, []int32{1}},
		{"as many as it has room for", func(_ *unit, _, two *remote) { two.orders.limit = 3 }, []int32{1, 2, 3}},
		{"one more than anybody may have, for the first", func(u *unit, _, two *remote) {
			two.orders.list = make([]order, u.cfg.MaxInFlight)
		}, []int32{1}},
		{"no more than that", func(u *unit, _, two *remote) { two.orders.list = make([]order, u.cfg.MaxInFlight+1) }, nil},
		{"none, of a peer that rests", func(u *unit, _, two *remote) { two.orders.restUntil = u.now.Add(1) }, nil},
		{"none, of a peer that cannot be sent anything", func(_ *unit, _, two *remote) { two.sends.open = 1 }, nil},
		{"none, of a peer that may not be on the path", func(_ *unit, _, two *remote) { two.route.sharedTo[0]++ }, nil},
		{"none that it does not have", func(_ *unit, _, two *remote) { two.route.shared = 2 }, []int32{1, 2}},
		{"none, if there is other work", func(u *unit, one, _ *remote) {
			u.span.takeBack(u.span.entry(18).at.Hash, 1)
			one.orders.list = one.orders.list[:18]
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, one, two := lateBlocks(20)
			c.change(u, one, two)
			u.orders.hasten()
			if got := u.seconds(); !slices.Equal(got, c.want) {
				t.Fatalf("a second peer is asked for %v, want %v", got, c.want)
			}
		})
	}
}

// Blocks that would not fit are no work that can be done, and are left where they are.
func TestASecondPeerIsAskedWhenNoMoreMayBeHeld(t *testing.T) {
	u, one, _ := lateBlocks(20)
	last := u.span.entry(2).at.Hash
	u.span.takeBack(last, 1)
	one.orders.list = slices.DeleteFunc(one.orders.list, func(o order) bool { return o.hash == last })
	u.cfg.HeldBytes = 1
	u.orders.hasten()
	if got := u.seconds(); len(got) != hastened-1 || slices.Contains(got, 3) {
		t.Fatalf("a second peer is asked for %v", got)
	}
	if by := u.span.entry(2).by; by != [2]actor.ID{} {
		t.Fatalf("block 3 is ordered from %v", by)
	}
}

func TestWhenASecondPeerIsAskedNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *unit, one *remote)
		want   time.Duration // from the time at which the first block is late; 0: no clock
	}{
		{"when the block is late", func(u *unit, _ *remote) { u.now = u.now.Add(-1) }, 1},
		{"when the peer has delivered nothing for a while", func(u *unit, one *remote) {
			one.orders.progress = u.now.Add(-time.Second)
		}, time.Second},
		{"there is other work", func(u *unit, one *remote) {
			u.span.takeBack(u.span.last().at.Hash, 1)
			one.orders.list = one.orders.list[:len(one.orders.list)-1]
		}, 0},
		{"there is nothing to wait for", func(u *unit, one *remote) { one.orders.list = nil; u.span.clear() }, 0},
	} {
		u, one, two := lateBlocks(3)
		two.sends.open = 1 // nobody can be asked
		c.change(u, one)
		u.orders.hastenAt = u.now.Add(time.Minute) // of an earlier look
		u.orders.hasten()
		want := time.Time{}
		if c.want > 0 {
			want = u.now.Add(c.want)
		}
		if !u.orders.hastenAt.Equal(want) {
			t.Errorf("%s: at %v, want %v", c.name, u.orders.hastenAt, want)
		}
	}
}

func TestWhenOrdersAreLate(t *testing.T) {
	second := time.Second
	for _, c := range []struct {
		perBlock time.Duration // zero: not known
		stalls   int
		want     time.Duration
	}{
		{0, 0, 10 * second},
		{second, 0, 10 * second},
		{3 * second, 0, 12 * second},
		{second, 1, 20 * second},
		{second, 2, 40 * second},
		{second, 3, 80 * second},
		{second, 4, 80 * second},
		{3 * second, 1, 24 * second},
	} {
		u := bareUnit(1)
		one := u.find(1)
		one.orders.progress, one.orders.stalls = u.now, c.stalls
		if c.perBlock > 0 {
			one.orders.rate.add(c.perBlock)
		}
		if got := u.orders.due(one).Sub(u.now); got != c.want {
			t.Errorf("%v a block, %d stalls: late after %v, want %v", c.perBlock, c.stalls, got, c.want)
		}
	}
}

func TestLateOrdersAreTakenBack(t *testing.T) {
	u, one, two := lateBlocks(3)
	u.now = u.orders.due(one).Add(-1)
	if u.orders.expire(); len(one.orders.list) != 3 {
		t.Fatal("they are not late yet")
	}
	u.now = u.now.Add(1)
	u.orders.expire()
	if len(one.orders.list) != 0 || u.span.unordered != 3 || u.orders.stalls != 3 || one.orders.stalls != 1 {
		t.Fatalf("%d orders, %d blocks free, %d late, %d stalls", len(one.orders.list), u.span.unordered, u.orders.stalls, one.orders.stalls)
	}
	if two.orders.stalls != 0 || two.orders.restUntil.After(u.now) {
		t.Error("a peer that was asked for nothing has stalled")
	}
	if !one.orders.restUntil.Equal(u.now.Add(u.cfg.Pause)) || one.orders.limit != u.cfg.MaxInFlight/2 {
		t.Errorf("it rests until %v with a limit of %d", one.orders.restUntil, one.orders.limit)
	}
}

// Orders for blocks that have come from another peer, or that are not on the way any
// more, end too. But nobody has waited for them.
func TestOrdersThatNobodyWaitsForAreNoStall(t *testing.T) {
	u, one, _ := lateBlocks(3)
	u.span.clear()
	u.now = u.orders.due(one)
	u.orders.expire()
	if len(one.orders.list) != 0 || one.orders.stalls != 0 || u.orders.stalls != 0 || one.orders.restUntil.After(u.now) {
		t.Fatalf("%d orders, %d stalls", len(one.orders.list), one.orders.stalls)
	}
}

func TestAPeerThatStallsTooOftenIsDropped(t *testing.T) {
	u := bareUnit(1)
	one := u.find(1)
	one.orders.limit = 3*u.cfg.MinInFlight - 1
	for i := range u.cfg.MaxStalls {
		if one.why != (actor.End{}) {
			t.Fatalf("dropped after %d times", i)
		}
		u.orders.stall(one, "it is late")
		if one.orders.stalls != i+1 || one.orders.limit != u.cfg.MinInFlight {
			t.Fatalf("%d stalls, limit %d", one.orders.stalls, one.orders.limit)
		}
	}
	if one.why != (actor.End{Reason: "it is late"}) {
		t.Fatalf("%+v", one.why)
	}
}

func TestBlocksThatAPeerDoesNotHave(t *testing.T) {
	for _, c := range []struct {
		name   string
		peer   actor.ID
		blocks []int32
		unsaid bool // a block that it was not asked for
		kept   []int32
		stalls int
	}{
		{"one", 1, []int32{2}, false, []int32{1, 3}, 1},
		{"two", 1, []int32{3, 1}, false, []int32{2}, 1},
		{"none", 1, nil, false, []int32{1, 2, 3}, 0},
		{"one that it was not asked for", 1, nil, true, []int32{1, 2, 3}, 0},
		{"the peer is gone", 9, []int32{2}, false, []int32{1, 2, 3}, 0},
	} {
		u, one, _ := lateBlocks(3)
		n := peer.NotFoundReceived{Peer: c.peer}
		for _, h := range c.blocks {
			n.Blocks = append(n.Blocks, u.span.entry(int(h-1)).at.Hash)
		}
		if c.unsaid {
			n.Blocks = append(n.Blocks, chainhash.Hash{7})
		}
		u.orders.onNotFound(n)
		var kept []int32
		for _, o := range one.orders.list {
			kept = append(kept, o.height)
		}
		if !slices.Equal(kept, c.kept) || one.orders.stalls != c.stalls || u.span.unordered != 3-len(c.kept) {
			t.Errorf("%s: orders for %v, %d stalls, %d blocks free", c.name, kept, one.orders.stalls, u.span.unordered)
		}
	}
}

func TestTheClocksOfOrders(t *testing.T) {
	u := bareUnit(1)
	one := u.find(1)
	one.orders.progress = u.now // its last block has just come, and there is none to come
	if got := deadlineOf(u, u.orders.deadlines); !got.IsZero() {
		t.Fatalf("the clock is set to %v for no order", got)
	}
	one.orders.list = []order{{}}
	if got := deadlineOf(u, u.orders.deadlines); !got.Equal(u.now.Add(u.cfg.OrderTimeout)) {
		t.Errorf("an order: the clock is set to %v", got)
	}
	one.orders.restUntil = u.now.Add(5 * time.Second)
	if got := deadlineOf(u, u.orders.deadlines); !got.Equal(u.now.Add(5 * time.Second)) {
		t.Errorf("a peer that rests: the clock is set to %v", got)
	}
	u.orders.hastenAt = u.now.Add(2 * time.Second)
	if got := deadlineOf(u, u.orders.deadlines); !got.Equal(u.now.Add(2 * time.Second)) {
		t.Errorf("a block for which a second peer is to be asked: the clock is set to %v", got)
	}
}

// The clock brings its turn, for the lowest blocks first.
func TestAPeerThatHasRestedIsAskedAgain(t *testing.T) {
	s, _ := synced(t, 8, func(c *Bounds) { c.UrgentAfter = time.Hour }, 1)
	q := s.wantOrders(1, "all eight")
	s.give(peer.NotFoundReceived{Peer: 1, Blocks: q})
	s.wait(s.m.cfg.Pause - 1)
	if n := len(s.takeOrders(1)); n > 0 {
		t.Fatalf("it is asked for %d blocks while it rests", n)
	}
	s.wait(1)
	if again := s.wantOrders(1, "it has rested"); !slices.Equal(again, q[:len(again)]) {
		t.Fatalf("asked for %v", again)
	}
}

package netsync

import (
	"slices"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// points are the points of nodes.
func points(nodes ...*node) (all []chain.Point) {
	for _, n := range nodes {
		all = append(all, n.Point)
	}
	return all
}

// ids are the IDs of remotes.
func ids(remotes []*remote) (all []actor.ID) {
	for _, p := range remotes {
		all = append(all, p.id)
	}
	return all
}

func TestWhoIsQuick(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *unit, p *remote)
		quick  bool
	}{
		{"it delivers", func(*unit, *remote) {}, true},
		{"it has delivered nothing", func(u *unit, p *remote) { p.orders.rate = rate{} }, false},
		{"it is as slow as one without history", func(u *unit, p *remote) { p.orders.rate.busy = 8 * unmeasured.Seconds() }, false},
		{"it was late last", func(u *unit, p *remote) { p.orders.stalls = 1 }, false},
		{"its pause is over now", func(u *unit, p *remote) { p.sends.pausedUntil = u.now }, true},
		{"its pause is not over", func(u *unit, p *remote) { p.sends.pausedUntil = u.now.Add(1) }, false},
		{"it is being asked for blocks", func(u *unit, p *remote) {
			p.sends.open, p.orders.list = 1, make([]order, 1)
		}, true},
		{"it does not read its getheaders, which has no clock of an order", func(u *unit, p *remote) { p.sends.open = 1 }, false},
	} {
		u := newUnit(10)
		p := u.join(1, 10, 10*time.Millisecond)
		c.change(u, p)
		if got := p.quick(u.now); got != c.quick {
			t.Errorf("%s: quick is %v", c.name, got)
		}
	}
}

func TestWhoDeliversSoonest(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *unit, a, b *remote)
		want   actor.ID
	}{
		{"both are the same, so the first", func(u *unit, a, b *remote) {}, 1},
		{"the second is quicker, and both are idle", func(u *unit, a, b *remote) { b.orders.rate.busy /= 2 }, 2},
		{"the first is quicker and has as much more to do", func(u *unit, a, b *remote) {
			a.orders.rate.busy /= 2
			a.orders.list = make([]order, 2)
		}, 2},
		{"the first does not have the block", func(u *unit, a, b *remote) { a.share(4, u.tip.Hash) }, 2},
		{"nobody has it", func(u *unit, a, b *remote) {
			a.share(4, u.tip.Hash)
			b.share(4, u.tip.Hash)
		}, 0},
	} {
		u := newUnit(10)
		a, b := u.join(1, 10, 10*time.Millisecond), u.join(2, 10, 10*time.Millisecond)
		c.change(u, a, b)
		var got actor.ID
		if p := soonest(u.ready, 5); p != nil {
			got = p.id
		}
		if got != c.want {
			t.Errorf("%s: peer %v, want %v", c.name, got, c.want)
		}
	}
}

// A peer that can take no order of the span costs no look at it.
func TestWhoCanTakeAnOrder(t *testing.T) {
	const n = 400
	for _, c := range []struct {
		name   string
		change func(u *unit, p *remote)
		free   bool
	}{
		{"it has all", func(*unit, *remote) {}, true},
		{"it has room for one", func(u *unit, p *remote) { p.orders.limit, p.orders.list = 3, make([]order, 2) }, true},
		{"it has no room", func(u *unit, p *remote) { p.orders.limit, p.orders.list = 3, make([]order, 3) }, false},
		{"it is on another path", func(u *unit, p *remote) { p.route.sharedTo = u.tr.genesis.Hash }, false},
		{"it has the first block, and no more", func(u *unit, p *remote) { p.route.shared = 1 }, true},
		{"it has none of the span", func(u *unit, p *remote) { p.route.shared = 0 }, false},
		{"it has pruned all but the last", func(u *unit, p *remote) {
			p.full, p.best.Height = false, n+limitedBlocks-1
		}, true},
		{"it has pruned the last", func(u *unit, p *remote) { p.full, p.best.Height = false, n+limitedBlocks }, false},
		{"its rest is over now", func(u *unit, p *remote) { p.orders.restUntil = u.now }, true},
		{"it rests", func(u *unit, p *remote) { p.orders.restUntil = u.now.Add(1) }, false},
		{"a Send is open", func(u *unit, p *remote) { p.sends.open = 1 }, false},
	} {
		u := newUnit(n)
		c.change(u, u.join(1, n, 0))
		if free, _, _ := u.orders.freePeers(); (len(free) > 0) != c.free {
			t.Errorf("%s: it can take an order: %v", c.name, len(free) > 0)
		}
	}
}

// Peers without history may be many, and silent. They wait for a quick one, as
// long as it has room and the next block.
func TestWhoWaitsForTheQuick(t *testing.T) {
	for _, c := range []struct {
		name  string
		quick func(u *unit, p *remote)
		want  []actor.ID
	}{
		{"it has room", func(*unit, *remote) {}, []actor.ID{1, 2}},
		{"it will have room for the next Send", func(u *unit, p *remote) {
			p.sends.open, p.orders.list = 1, make([]order, 1)
		}, []actor.ID{2}},
		{"it is full", func(u *unit, p *remote) { p.orders.limit, p.orders.list = 1, make([]order, 1) }, []actor.ID{2, 3}},
		{"it has pruned the next block", func(u *unit, p *remote) {
			p.full, p.best.Height = false, 5+limitedBlocks
		}, []actor.ID{1, 2, 3}},
		{"it is slow", func(u *unit, p *remote) { p.orders.rate.busy = 8 }, []actor.ID{1, 2, 3}},
	} {
		u := newUnit(20)
		c.quick(u, u.join(1, 20, 10*time.Millisecond))
		u.join(2, 20, time.Second)
		u.join(3, 20, 0)
		if free, _, _ := u.orders.freePeers(); !slices.Equal(ids(free), c.want) {
			t.Errorf("%s: peers %v can take an order, want %v", c.name, ids(free), c.want)
		}
	}
}

// When the quick have no room left, the others get their turn in the same step.
func TestTheOthersGetWhatTheQuickLeave(t *testing.T) {
	u := newUnit(20)
	quick, untried := u.join(1, 20, 10*time.Millisecond), u.join(2, 20, 0)
	quick.orders.limit = 3
	u.orders.plan()
	if len(quick.orders.list) != 3 || len(untried.orders.list) != u.cfg.StartInFlight {
		t.Errorf("%d orders and %d", len(quick.orders.list), len(untried.orders.list))
	}
	if got := untried.orders.list[0].height; got != 4 {
		t.Errorf("the other one begins with block %d", got)
	}
}

func TestAPrunedPeerIsAskedFromItsLowestBlock(t *testing.T) {
	u := newUnit(400)
	p := u.join(1, 400, 0)
	p.full = false
	if _, lowest, highest := u.orders.freePeers(); lowest != 400-limitedBlocks+1 || highest != 400 {
		t.Errorf("it has the blocks from %d to %d", lowest, highest)
	}
	u.orders.plan()
	if got := p.orders.list[0].height; got != 400-limitedBlocks+1 {
		t.Errorf("the first order is block %d, want the lowest that it serves, %d", got, 400-limitedBlocks+1)
	}
	u.wantSound(t)
}

// What is held and expected stays within the budget. A block is taken to weigh what
// the last ones did, and a kilobyte at least. What chain needs next is ordered anyway.
func TestOrdersStayWithinTheBudget(t *testing.T) {
	for _, c := range []struct {
		name    string
		average float64
		budget  int
		want    int
	}{
		{"nothing is known of their size", 0, 3 * 1024, 3},
		{"a byte is missing", 0, 3*1024 - 1, 2},
		{"they are large", 5000, 20_000, 4},
		{"a byte is missing for large ones", 5000, 20_000 - 1, 3},
		{"there is room for none", 5000, 0, 1},
	} {
		u := newUnit(40)
		u.cfg.HeldBytes, u.orders.avgSize = c.budget, c.average
		p := u.join(1, 40, 0)
		u.orders.plan()
		if got := len(p.orders.list); got != c.want || u.span.ordered != got {
			t.Errorf("%s: %d blocks are ordered, the span says %d, want %d", c.name, got, u.span.ordered, c.want)
		}
	}
	u := newUnit(40)
	u.cfg.HeldBytes = 7 * 1024
	u.hold(3, 4, 2048) // what is held counts too
	p := u.join(1, 40, 0)
	u.orders.plan()
	if got := len(p.orders.list); got != 3 {
		t.Errorf("beside four of seven kilobytes held %d blocks are ordered, want 3", got)
	}
}

// A quick peer is asked for all blocks that it has room for, before a slow one is asked
// for any.
func TestAQuickPeerIsFilledFirst(t *testing.T) {
	u := newUnit(9)
	quick, slow := u.join(1, 9, time.Millisecond), u.join(2, 9, time.Minute)
	quick.orders.limit = 4
	u.orders.orderSome()
	if len(quick.orders.list) != 4 || quick.orders.list[3].height != 4 || len(slow.orders.list) == 0 {
		t.Errorf("the quick peer is asked for %+v, the slow one for %+v", quick.orders.list, slow.orders.list)
	}
}

// What may be held is another budget than what chain may have.
func TestABlockIsHeldWithinItsBudget(t *testing.T) {
	for budget, want := range map[int]bool{3000: true, 10: false} {
		u := newUnit(9)
		u.cfg.HeldBytes, u.cfg.SubmitBytes = budget, 3010-budget
		u.join(1, 9, time.Millisecond)
		u.orders.order(u.find(1), u.span.base+2)
		n := u.tip.at(3)
		u.orders.onBlock(n.sent(1, 1000, true))
		if got := u.entryAt(3).state == held; got != want {
			t.Errorf("with a budget of %d bytes it is held: %v", budget, got)
		}
	}
}

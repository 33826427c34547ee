package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// An order that cannot stand is a mistake of the caller, and a silent one would make
// the sums wrong.
func TestOrdersThatCannotStand(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(u *unit, seq int)
		ok     bool
	}{
		{"the first", func(*unit, int) {}, true},
		{"a second peer", func(u *unit, q int) { u.span.order(q, 1, u.now) }, true},
		{"the same peer", func(u *unit, q int) { u.span.order(q, 2, u.now) }, false},
		{"a third peer", func(u *unit, q int) {
			u.span.order(q, 1, u.now)
			u.span.order(q, 3, u.now)
		}, false},
		{"a block that is here", func(u *unit, q int) { u.hold(1, 1, 500) }, false},
	} {
		u := newUnit(3)
		c.before(u, u.span.base)
		func() {
			defer func() {
				if ok := recover() == nil; ok != c.ok {
					t.Errorf("%s: it can be ordered: %v", c.name, ok)
				}
			}()
			u.span.order(u.span.base, 2, u.now)
		}()
	}
}

func TestTheSpanCountsItsOrders(t *testing.T) {
	u := newUnit(5)
	s := u.span
	s.order(s.base, 1, u.now)
	s.order(s.base+1, 1, u.now)
	s.order(s.base+1, 2, u.now)
	if s.ordered != 2 || s.unordered != 3 {
		t.Fatalf("%d blocks are ordered and %d are not, want 2 and 3", s.ordered, s.unordered)
	}
	if s.takeBack(chainhash.Hash{1}, 1) || s.takeBack(u.tip.at(1).Hash, 2) {
		t.Error("an order was taken back that nobody had")
	}
	if !s.takeBack(u.tip.at(1).Hash, 1) || s.ordered != 1 || s.firstFree() != s.base {
		t.Errorf("%d blocks are ordered, the first free is %d", s.ordered, s.firstFree()-s.base)
	}
	if !s.takeBack(u.tip.at(2).Hash, 1) || s.ordered != 1 || u.entryAt(2).by != [2]actor.ID{2} {
		t.Errorf("%d blocks are ordered, the second from %v", s.ordered, u.entryAt(2).by)
	}
}

// What chain needs next may be held however large it is. Nothing else may. A block
// that is not kept is free again.
func TestTheBudgetOfHeldBlocks(t *testing.T) {
	for _, c := range []struct {
		name   string
		height int32
		size   int
		kept   bool
	}{
		{"the next, of all bytes", 1, 1000, true},
		{"the next, too large", 1, 1001, true},
		{"another, of all bytes", 2, 1000, true},
		{"another, too large", 2, 1001, false},
	} {
		u := newUnit(4)
		s := u.span
		for q := s.base; q < s.end(); q++ {
			s.order(q, 1, u.now)
		}
		s.firstFree()
		n := u.tip.at(c.height)
		kept := s.hold(n.Hash, make([]byte, c.size), 1, 1000)
		if free := s.firstFree() == s.index[n.Hash]; kept != c.kept || free == c.kept {
			t.Errorf("%s: kept %v, free again %v", c.name, kept, free)
		}
		if err := s.check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A block that is not kept does not hide those before it, which nobody has been asked for.
func TestABlockThatIsNotKeptIsNotTheFirstFree(t *testing.T) {
	u := newUnit(8)
	s := u.span
	s.order(s.base, 1, u.now)
	s.order(s.base+2, 1, u.now)
	s.firstFree()
	n := u.tip.at(3)
	if s.hold(n.Hash, make([]byte, 1000), 1, 1) || s.firstFree() != s.base+1 {
		t.Errorf("the first free is %d, want 1", s.firstFree()-s.base)
	}
}

// A block that is dropped does not hide those before it either.
func TestADroppedBlockIsNotTheFirst(t *testing.T) {
	u := newUnit(8)
	s := u.span
	s.order(s.base, 1, u.now)
	u.hold(3, 3, 500)
	s.head()
	s.firstFree()
	s.drop(s.base + 2)
	if q, _ := s.head(); q != s.base || s.firstFree() != s.base+1 {
		t.Errorf("the head is %d, the first free %d, want 0 and 1", q-s.base, s.firstFree()-s.base)
	}
}

// The highest held blocks make room. They are needed last.
func TestHeldBlocksMakeRoom(t *testing.T) {
	u := newUnit(5)
	u.cfg.HeldBytes = 1500
	u.hold(3, 5, 500)
	u.hold(2, 2, 700)
	for h, want := range map[int32]entryState{1: wanted, 2: held, 3: held, 4: wanted, 5: wanted} {
		if got := u.entryAt(h).state; got != want {
			t.Errorf("block %d is in state %d, want %d", h, got, want)
		}
	}
	if u.span.heldBytes != 1200 || u.span.held != 2 {
		t.Errorf("%d blocks with %d bytes are held", u.span.held, u.span.heldBytes)
	}
}

func TestWhatChainNeedsNext(t *testing.T) {
	u := newUnit(4)
	s := u.span
	u.hold(1, 1, 500)
	s.set(u.entryAt(1), handed)
	for h, want := range map[int32]bool{1: true, 2: true, 3: false} {
		if got := s.isNext(s.index[u.tip.at(h).Hash]); got != want {
			t.Errorf("block %d is next: %v", h, got)
		}
	}
}

// The path may be left and taken again while chain judges a block of it. Its verdict
// is about a copy that the span does not have any more.
func TestAVerdictOnACopyThatIsNotThere(t *testing.T) {
	for name, verdict := range map[string]func(s *span, h chainhash.Hash){
		"not yet": (*span).unhand, "bad": (*span).refuse, "good": (*span).finish,
	} {
		u := newUnit(3)
		s := u.span
		u.hold(1, 2, 500)
		s.set(u.entryAt(1), handed)
		s.order(s.base+2, 1, u.now)
		for _, h := range []chainhash.Hash{u.tip.at(2).Hash, u.tip.at(3).Hash, {1}} {
			verdict(s, h)
		}
		if u.entryAt(1).state != handed || u.entryAt(2).state != held || u.entryAt(3).by[0] != 1 {
			t.Errorf("%s: states %d and %d, the third is ordered from %v", name, u.entryAt(1).state, u.entryAt(2).state, u.entryAt(3).by)
		}
		if err := s.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A block that chain has may come to the front when the path is asked for again. It is
// not looked at any more.
func TestAReplacedSpanBeginsWithWhatIsMissing(t *testing.T) {
	u := newUnit(3)
	s := u.span
	u.hold(1, 2, 500)
	s.set(u.entryAt(1), handed)
	s.set(u.entryAt(2), handed)
	s.finish(u.tip.at(2).Hash)
	s.replace(points(u.tip.at(2), u.tip.at(3)))
	if s.len() != 1 || s.entries[0].at != u.tip.at(3).Point {
		t.Errorf("the span has %d blocks", s.len())
	}
}

// Chain can name a block a second time. What is known of it stays, and the index names
// one entry for it.
func TestASpanIsExtendedWithWhatItLacks(t *testing.T) {
	for _, c := range []struct {
		name string
		more []int32 // heights
		len  int
	}{
		{"nothing is there", []int32{4, 5}, 5},
		{"the first ones are there", []int32{2, 3, 4}, 4},
		{"all are there", []int32{1, 2, 3}, 3},
		{"the last one is there", []int32{3}, 3},
		{"a new one comes twice", []int32{4, 4, 5}, 5},
	} {
		u := newUnit(5)
		s := u.span
		s.cut(3)
		u.hold(2, 2, 500)
		s.order(s.base+2, 1, u.now)
		var more []chain.Point
		for _, h := range c.more {
			more = append(more, u.tip.at(h).Point)
		}
		s.extend(more)
		if err := s.check(); err != nil || s.len() != c.len || s.unordered != c.len-2 {
			t.Errorf("%s: %d blocks, %d without an order, want %d and %d; %v", c.name, s.len(), s.unordered, c.len, c.len-2, err)
		}
		for h := int32(1); h <= int32(c.len); h++ {
			if q, there := s.index[u.tip.at(h).Hash]; !there || q != s.base+int(h-1) || s.entry(q).at != u.tip.at(h).Point {
				t.Errorf("%s: the index names entry %d for block %d", c.name, q, h)
			}
		}
		if u.entryAt(2).state != held || u.entryAt(3).by[0] != 1 {
			t.Errorf("%s: block 2 is in state %d, block 3 is ordered from %v", c.name, u.entryAt(2).state, u.entryAt(3).by)
		}
	}
}

// The cursors may lie below the first entry when nobody has looked for long.
func TestCursorsBelowTheSpan(t *testing.T) {
	u := newUnit(3)
	s := u.span
	u.hold(1, 2, 500)
	for h := int32(1); h <= 2; h++ {
		s.set(u.entryAt(h), handed)
		s.finish(u.tip.at(h).Hash)
	}
	if q := s.firstFree(); q != s.base {
		t.Errorf("the first free is %d, want %d", q, s.base)
	}
	if q, e := s.head(); q != s.base || e.at != u.tip.at(3).Point || s.firstFree() != s.base {
		t.Errorf("the head is %d, the first free %d, want %d", q, s.firstFree(), s.base)
	}
}

// What is cut off is not kept in memory.
func TestACutSpanLetsItsBlocksGo(t *testing.T) {
	u := newUnit(3)
	u.hold(2, 3, 500)
	u.span.order(u.span.base, 1, u.now.Add(time.Second))
	behind := u.span.entries
	u.span.cut(1)
	for i, e := range behind[1:] {
		if e.block != nil {
			t.Errorf("the block of entry %d stays", i+1)
		}
	}
	if err := u.span.check(); err != nil || u.span.len() != 1 || u.span.heldBytes != 0 {
		t.Errorf("%d blocks are left, with %d bytes; %v", u.span.len(), u.span.heldBytes, err)
	}
}

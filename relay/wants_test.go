package relay

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

func (w *wants) bytes() int { return w.items.bytes() + w.runs.bytes() + w.missed.bytes() }

// A peer that asks for as much as it may costs relay 38 bytes an item at most, however
// it asks and whatever has been served. Bounds.Together says what they are.
func TestL4WhatAPeerWantsIsKeptOnce(t *testing.T) {
	const each = 38
	most := DefaultBounds().MaxWanted
	for _, size := range []int{1, 2, 1000, most} {
		var w wants
		for range most / size {
			if !w.getdata(items(wire.InvTypeBlock, 0, size), most) {
				t.Fatal("refused")
			}
		}
		if w.getdata(items(wire.InvTypeBlock, 0, 1), most) {
			t.Error("one too many was taken")
		}
		worst := w.bytes()
		for i := 0; w.items.n > 0; i++ {
			if i%3 == 0 {
				w.take()
			} else {
				w.miss()
			}
			w.notFound(isBlock)
			worst = max(worst, w.bytes())
		}
		t.Logf("messages of %d items: %d bytes, %.1f an item", size, worst, float64(worst)/float64(most))
		if worst > each*most {
			t.Errorf("messages of %d items cost %d bytes", size, worst)
		}
		if left := w.bytes(); w.missed.n > 0 || left > 100_000 {
			t.Errorf("%d items are left, and %d bytes", w.missed.n, left)
		}
	}
}

// Between two getdata there is nothing to read: first it is said what was not found of the
// one that has ended.
func TestAGetdataEndsBeforeTheNextIsRead(t *testing.T) {
	var w wants
	w.getdata(items(wire.InvTypeBlock, 0, 1), 9)
	w.miss()
	w.getdata(items(wire.InvTypeBlock, 1, 1), 9)
	if got := w.next(); got != noRead {
		t.Errorf("read %v comes before the notfound", got)
	}
	if m := w.notFound(isBlock); m == nil || m.notFound != 1 {
		t.Errorf("not found: %+v", m)
	}
	if got := w.next(); got != readBlock {
		t.Errorf("read %v, want the second getdata's block", got)
	}
}

// What was not found of a getdata counts until that is said, and a getdata for nothing
// leaves nothing behind.
func TestWhatIsNotFoundCounts(t *testing.T) {
	var w wants
	if !w.getdata(nil, 3) || w.runs.n != 0 {
		t.Error("a getdata for nothing is kept")
	}
	if !w.getdata(items(wire.InvTypeBlock, 0, 3), 3) {
		t.Fatal("three are not too many")
	}
	w.miss()
	if w.getdata(items(wire.InvTypeBlock, 3, 1), 3) || w.count() != 3 {
		t.Errorf("two wait and one was not found: counted are %d, or a fourth is taken", w.count())
	}
	w.take()
	if !w.getdata(items(wire.InvTypeBlock, 3, 1), 3) {
		t.Error("one was served, which makes room")
	}
}

func isBlock(v *want) bool { return kindOf(v) == block }

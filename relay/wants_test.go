package relay

import (
	"testing"
	"unsafe"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

func TestFifo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var naive []int
		for i := range rapid.IntRange(0, 2000).Draw(t, "steps") {
			if len(naive) == 0 || rapid.IntRange(0, 3).Draw(t, "push") > 0 {
				q.push(i)
				naive = append(naive, i)
				continue
			}
			if h, x := *q.head(), q.pop(); h != naive[0] || x != naive[0] {
				t.Fatalf("head %d, popped %d, want %d", h, x, naive[0])
			}
			naive = naive[1:]
		}
		if q.n != len(naive) || q.count() != q.n {
			t.Fatalf("%d members, counted %d, want %d", q.n, q.count(), len(naive))
		}
	})
}

// bytes is what the chunks of a queue take.
func (q *fifo[T]) bytes() (n int) {
	var x T
	for _, c := range q.chunks {
		n += cap(c) * int(unsafe.Sizeof(x))
	}
	return n + cap(q.chunks)*int(unsafe.Sizeof(q.chunks[:1]))
}

func (w *wants) bytes() int { return w.items.bytes() + w.runs.bytes() + w.missed.bytes() }

// A peer that asks for as much as it may costs relay 43 bytes an item at most, however it
// asks and whatever has been served: 36 for the inventory vector and 4 for the
// message that it came in, and the rest is what append leaves free.
func TestL4WhatAPeerWantsIsKeptOnce(t *testing.T) {
	const each = 43
	most := testConfig().MaxWanted
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
			w.notFound()
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

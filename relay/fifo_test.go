package relay

import (
	"runtime"
	"slices"
	"testing"
	"unsafe"
	"weak"

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

// A chunk holds 248 members, and its memory is free as soon as they have been taken out.
func TestFifoGivesItsMemoryBack(t *testing.T) {
	var q fifo[int]
	for i := range 2*chunk + 1 {
		q.push(i)
	}
	if len(q.chunks) != 3 || len(q.chunks[0]) != chunk {
		t.Fatalf("%d chunks, the first of %d members", len(q.chunks), len(q.chunks[0]))
	}
	first := weak.Make(&q.chunks[0][chunk-1])
	for range chunk {
		q.pop()
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("a chunk outlives its members")
	}
	runtime.KeepAlive(&q)
}

// A chunk begins small and doubles, so a short queue is small, and a long one is seldom
// copied. A full chunk has no room that it cannot use.
func TestAChunkDoubles(t *testing.T) {
	var q fifo[[33]byte] // append would round up to a size of the allocator
	var sizes []int
	for range chunk {
		q.push([33]byte{})
		if c := cap(q.chunks[0]); len(sizes) == 0 || c != sizes[len(sizes)-1] {
			sizes = append(sizes, c)
		}
	}
	if want := []int{4, 8, 16, 32, 64, 128, chunk}; !slices.Equal(sizes, want) {
		t.Errorf("the chunk has room for %v, want %v", sizes, want)
	}
	if len(q.chunks) != 1 {
		t.Errorf("%d chunks, want 1", len(q.chunks))
	}
}

// bytes is what the chunks of a queue take.
func (q *fifo[T]) bytes() (n int) {
	var x T
	for _, c := range q.chunks {
		n += cap(c) * int(unsafe.Sizeof(x))
	}
	return n + cap(q.chunks)*int(unsafe.Sizeof(q.chunks[:1]))
}

package relay

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Parents go before children, and then the one that pays more. What is beyond any measure
// stays in its place.
func TestTheRankOfATransaction(t *testing.T) {
	inOrder := []pooled{
		{rate: 1 << 62}, {rate: 1 << 40}, {rate: 1}, {rate: 0},
		{ancestors: 1, rate: 1 << 62}, {ancestors: 1}, {ancestors: 2, rate: 7},
		{ancestors: 1<<16 - 2}, {ancestors: 1 << 16, rate: 1}, {ancestors: 1 << 16},
	}
	for i := range inOrder[1:] {
		if a, b := &inOrder[i], &inOrder[i+1]; rankOf(a) >= rankOf(b) {
			t.Errorf("%+v has rank %#x, and %+v rank %#x", a, rankOf(a), b, rankOf(b))
		}
	}
	for _, same := range [][2]pooled{
		{{rate: -5}, {rate: 0}}, {{rate: 1 << 48}, {rate: 1<<48 - 1}}, {{ancestors: 1 << 20}, {ancestors: 1<<16 - 1}},
	} {
		if rankOf(&same[0]) != rankOf(&same[1]) {
			t.Errorf("%+v and %+v differ in rank", same[0], same[1])
		}
	}
}

// A queue that was long and is empty takes no memory.
func TestL4AnEmptyTxQueueGivesItsMemoryBack(t *testing.T) {
	var q txQueue
	for n := range uint64(1000) {
		q.push(&pooled{number: n}, 1000, nil)
	}
	for len(q) > 0 {
		q.pop()
	}
	if cap(q) != 0 {
		t.Errorf("there is room for %d", cap(q))
	}
}

// The queue gives out what a sorted list would.
func TestTxQueueAgainstASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q txQueue
		var naive []queuedTx
		pool := map[uint64]*pooled{}
		sorted := func() {
			slices.SortFunc(naive, func(a, b queuedTx) int {
				if a.rank != b.rank && a.rank < b.rank || a.rank == b.rank && a.number < b.number {
					return -1
				}
				return 1
			})
		}
		for n := range rapid.IntRange(0, 300).Draw(t, "steps") {
			if len(naive) > 0 && rapid.IntRange(0, 9).Draw(t, "pop") == 0 {
				sorted()
				if got := q.pop(); got != naive[0].number {
					t.Fatalf("popped %d, want %d", got, naive[0].number)
				}
				naive = naive[1:]
				continue
			}
			e := &pooled{number: uint64(n), rate: rapid.Int64Range(-1, 5).Draw(t, "rate"), ancestors: rapid.IntRange(0, 3).Draw(t, "ancestors")}
			pool[e.number] = e
			naive = append(naive, queuedTx{rankOf(e), e.number})
			want := 0
			if len(naive) > 50 {
				naive = slices.DeleteFunc(naive, func(q queuedTx) bool { return pool[q.number] == nil })
				if sorted(); len(naive) > 49 {
					want = len(naive) - 44 // the last ones go, so that it is not full again at once
					naive = naive[:44]
				}
			}
			if got := q.push(e, 50, pool); got != want || len(q) != len(naive) {
				t.Fatalf("%d were taken out and %d are kept, want %d and %d", got, len(q), want, len(naive))
			}
			if len(naive) > 0 && rapid.IntRange(0, 19).Draw(t, "leaves the pool") == 0 {
				delete(pool, naive[rapid.IntRange(0, len(naive)-1).Draw(t, "which")].number)
			}
			if err := q.check(50); err != nil {
				t.Fatal(err)
			}
		}
	})
}

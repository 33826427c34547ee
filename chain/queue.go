package chain

import (
	"cmp"
	"fmt"
	"slices"
)

// queue is one kind of work for the engine, in the order in which it came. The
// callers' windows bound how much waits, and chain's port how much of it is asked
// at the worker. Numbers are the keys of the questions.
type queue[W any] struct {
	next  uint64    // the number of the next piece
	waits []item[W] // not asked
	asked []item[W]
}

// item is one piece of work.
type item[W any] struct {
	number uint64
	work   W
}

func inOrder[W any](a, b item[W]) int { return cmp.Compare(a.number, b.number) }

// push adds a piece.
func (q *queue[W]) push(w W) {
	q.waits = append(q.waits, item[W]{q.next, w})
	q.next++
}

// send asks the pieces that wait, the oldest first, until ask finds no slot. An
// answer, or Freed, brings the next chance.
func (q *queue[W]) send(ask func(key uint64, w W) bool) {
	for len(q.waits) > 0 && ask(q.waits[0].number, q.waits[0].work) {
		q.asked = append(q.asked, q.waits[0])
		q.waits = slices.Delete(q.waits, 0, 1)
	}
}

// take removes the asked piece with a number.
func (q *queue[W]) take(number uint64) item[W] {
	i := slices.IndexFunc(q.asked, func(it item[W]) bool { return it.number == number })
	if i < 0 {
		panic(fmt.Sprintf("chain: an answer about piece %d of %T, which was not asked", number, q))
	}
	it := q.asked[i]
	q.asked = slices.Delete(q.asked, i, i+1)
	return it
}

// back returns a piece to where it was: before all that came after it.
func (q *queue[W]) back(it item[W]) {
	i, _ := slices.BinarySearchFunc(q.waits, it, inOrder)
	q.waits = slices.Insert(q.waits, i, it)
}

// drop removes and returns all that waits.
func (q *queue[W]) drop() []item[W] {
	all := q.waits
	q.waits = nil
	return all
}

func (q *queue[W]) check() error {
	for _, list := range [][]item[W]{q.waits, q.asked} {
		for _, it := range list {
			if it.number >= q.next {
				return fmt.Errorf("piece %d of %T, of which there have been %d", it.number, q, q.next)
			}
		}
	}
	if !slices.IsSortedFunc(q.waits, inOrder) {
		return fmt.Errorf("%T is out of order", q)
	}
	return nil
}

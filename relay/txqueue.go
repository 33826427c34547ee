package relay

import (
	"cmp"
	"fmt"
	"slices"
)

// txQueue has the transactions that are to be announced to one peer. It is a heap: the
// next one to announce is at index 0. It has numbers of the pool's transactions, so those
// that have left the pool are not looked for here until the queue is full: their numbers
// name nothing.
type txQueue []queuedTx

// queuedTx is 16 bytes. The lower rank goes first.
type queuedTx struct{ rank, number uint64 }

// Parents come first, because they have fewer ancestors than their children, and of those
// with the same number of ancestors the one that pays more (Bitcoin Core's
// CompareDepthAndScore).
func rankOf(e *pooled) uint64 {
	const rateBits = 48
	return min(uint64(e.ancestors), 1<<(64-rateBits)-1)<<rateBits | (1<<rateBits - 1 - min(uint64(max(0, e.rate)), 1<<rateBits-1))
}

func compare(a, b queuedTx) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.number, b.number))
}

func (q txQueue) before(i, j int) bool { return compare(q[i], q[j]) < 0 }

// push adds a transaction. If there are more than max then, it takes out those that have
// left the pool, and if that does not make room, those that would be announced last: the
// new one may be among them. It returns how many of the pool were taken out.
func (q *txQueue) push(e *pooled, max int, pool map[uint64]*pooled) (dropped int) {
	q.add(queuedTx{rankOf(e), e.number})
	if len(*q) <= max {
		return 0
	}
	// A queue is gone through once for so many pushes.
	const few, many = 32, 8
	stays := slices.DeleteFunc(slices.Clone(*q), func(t queuedTx) bool { return pool[t.number] == nil })
	if len(stays) > max-max/few {
		slices.SortFunc(stays, compare) // then it is a heap
		dropped = len(stays) - (max - max/many)
		*q = stays[:max-max/many]
		return dropped
	}
	*q = (*q)[:0]
	for _, t := range stays {
		q.add(t)
	}
	return 0
}

func (q *txQueue) add(t queuedTx) {
	*q = append(*q, t)
	// The first one is its own parent, and not before itself.
	for i := len(*q) - 1; q.before(i, (i-1)/2); i = (i - 1) / 2 {
		(*q)[i], (*q)[(i-1)/2] = (*q)[(i-1)/2], (*q)[i]
	}
}

// pop takes out the next one. There must be one.
func (q *txQueue) pop() uint64 {
	list := *q
	first, last := list[0].number, len(list)-1
	list[0] = list[last]
	list = list[:last]
	for i := 0; ; {
		next := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < last && list.before(child, next) {
				next = child
			}
		}
		if next == i {
			break
		}
		list[i], list[next] = list[next], list[i]
		i = next
	}
	*q = list
	if last == 0 {
		*q = nil // gives the memory back
	}
	return first
}

func (q txQueue) check(max int) error {
	if len(q) > max {
		return fmt.Errorf("%d transactions are to be announced, at most %d are kept", len(q), max)
	}
	for i := range q {
		if q.before(i, (i-1)/2) {
			return fmt.Errorf("the transactions to be announced are out of order")
		}
	}
	return nil
}

package relay

import "fmt"

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

func (q txQueue) before(i, j int) bool {
	if q[i].rank != q[j].rank {
		return q[i].rank < q[j].rank
	}
	return q[i].number < q[j].number
}

// push adds a transaction. It returns false if there are max already.
func (q *txQueue) push(e *pooled, max int) bool {
	if len(*q) >= max {
		return false
	}
	q.add(queuedTx{rankOf(e), e.number})
	return true
}

func (q *txQueue) add(t queuedTx) {
	*q = append(*q, t)
	for i := len(*q) - 1; i > 0 && q.before(i, (i-1)/2); i = (i - 1) / 2 {
		(*q)[i], (*q)[(i-1)/2] = (*q)[(i-1)/2], (*q)[i]
	}
}

// clear takes out what has left the pool.
func (q *txQueue) clear(pool map[uint64]*pooled) {
	list := *q
	*q = list[:0]
	for _, t := range list {
		if pool[t.number] != nil {
			q.add(t) // overwrites what was looked at
		}
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
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if list.before(child, next) {
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
		if i > 0 && q.before(i, (i-1)/2) {
			return fmt.Errorf("the transactions to be announced are out of order")
		}
	}
	return nil
}

package relay

// fifo is a queue that gives back the memory of what has been taken out of it.
// It keeps its members in chunks and drops a chunk once it is empty.
type fifo[T any] struct {
	chunks [][]T // none of them empty
	n      int
}

// chunk is how many members a chunk has at most. Of 33 bytes each, which is what the
// longest queue has, they just fit a size that the allocator has (8,192).
const chunk = 248

func (q *fifo[T]) push(x T) {
	last := len(q.chunks) - 1
	if last < 0 || len(q.chunks[last]) >= chunk {
		q.chunks = append(q.chunks, nil)
		last++
	}
	c := q.chunks[last]
	if len(c) == cap(c) { // append would leave more free
		c = append(make([]T, 0, min(chunk, max(4, 2*len(c)))), c...)
	}
	q.chunks[last] = append(c, x)
	q.n++
}

// at is the i-th oldest member. There must be one. It is fast for a small i.
func (q *fifo[T]) at(i int) *T {
	for _, c := range q.chunks {
		if i < len(c) {
			return &c[i]
		}
		i -= len(c)
	}
	panic("relay: a queue is shorter")
}

// head is the oldest member. There must be one.
func (q *fifo[T]) head() *T { return &q.chunks[0][0] }

// pop takes out the oldest member. There must be one.
func (q *fifo[T]) pop() T {
	x := q.chunks[0][0]
	q.n--
	if q.chunks[0] = q.chunks[0][1:]; len(q.chunks[0]) == 0 {
		q.chunks[0] = nil
		q.chunks = q.chunks[1:]
	}
	return x
}

// count counts the members one by one. It is for Check.
func (q *fifo[T]) count() (n int) {
	for _, c := range q.chunks {
		n += len(c)
	}
	return n
}

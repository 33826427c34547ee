package relay

// fifo is a queue that gives back the memory of what has been taken out of it.
// It keeps its members in chunks and drops a chunk once it is empty.
type fifo[T any] struct {
	chunks [][]T // none of them empty
	n      int
}

// chunk is how many members a chunk has at most.
const chunk = 256

func (q *fifo[T]) push(x T) {
	last := len(q.chunks) - 1
	if last < 0 || len(q.chunks[last]) >= chunk {
		q.chunks = append(q.chunks, nil)
		last++
	}
	q.chunks[last] = append(q.chunks[last], x)
	q.n++
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

package mailbox

// ring is a first-in first-out queue that grows up to max and then refuses.
type ring[T any] struct {
	buf     []T
	head, n int
	max     int
}

// push appends v; false when the ring is full.
func (r *ring[T]) push(v T) bool {
	if r.n == r.max {
		return false
	}
	if r.n == len(r.buf) {
		r.grow()
	}
	i := r.head + r.n
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	r.buf[i] = v
	r.n++
	return true
}

func (r *ring[T]) grow() {
	bigger := make([]T, min(max(8, 2*len(r.buf)), r.max))
	k := copy(bigger, r.buf[r.head:])
	copy(bigger[k:], r.buf[:r.head])
	r.buf, r.head = bigger, 0
}

// pop removes the first element; the ring must not be empty.
func (r *ring[T]) pop() T {
	var none T
	v := r.buf[r.head]
	r.buf[r.head] = none // what it pointed to may be freed
	if r.head++; r.head == len(r.buf) {
		r.head = 0
	}
	r.n--
	return v
}

// first points at the first element; the ring must not be empty.
func (r *ring[T]) first() *T { return &r.buf[r.head] }

// reset empties the ring and keeps its memory.
func (r *ring[T]) reset() {
	clear(r.buf)
	r.head, r.n = 0, 0
}

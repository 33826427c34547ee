package mailbox

// ring is a first-in first-out queue of envelopes that grows up to max and then refuses.
// Envelopes are large: they are written and read without a copy.
type ring struct {
	buf     []Envelope
	head, n int
	max     int
}

// push makes room for an envelope at the end. It returns nil if the ring is full.
func (r *ring) push() *Envelope {
	if r.n == len(r.buf) {
		if r.n == r.max {
			return nil
		}
		r.grow()
	}
	i := r.head + r.n
	if i >= len(r.buf) {
		i -= len(r.buf)
	}
	r.n++
	return &r.buf[i]
}

func (r *ring) grow() {
	bigger := make([]Envelope, min(max(8, 2*len(r.buf)), r.max))
	k := copy(bigger, r.buf[r.head:])
	copy(bigger[k:], r.buf[:r.head])
	r.buf, r.head = bigger, 0
}

// first points at the first envelope. The ring must not be empty.
func (r *ring) first() *Envelope { return &r.buf[r.head] }

// at points at the i-th envelope.
func (r *ring) at(i int) *Envelope { return &r.buf[(r.head+i)%len(r.buf)] }

// drop removes the first envelope. The ring must not be empty.
func (r *ring) drop() {
	e := &r.buf[r.head]
	e.In.Body, e.In.Err = nil, nil // what they point to may be freed
	if r.head++; r.head == len(r.buf) {
		r.head = 0
	}
	r.n--
}

// reset empties the ring and keeps its memory.
func (r *ring) reset() {
	clear(r.buf)
	r.head, r.n = 0, 0
}

package mailbox

import (
	"sync"
	"time"

	"acyclic/internal/kernel/actor"
)

// Result says what became of a Put.
type Result uint8

// The results.
const (
	Queued Result = iota
	Full          // the lane has no room
	Closed        // the cell is gone
)

// Mailbox is a Box that many goroutines put into and the cell's goroutine (an
// adapter's workers) takes from. Its mutex is a leaf: no other lock is taken while
// it is held, and nothing is called but wake, which does not wait. So no method
// waits for anything but another method of the same kind.
type Mailbox struct {
	mu       sync.Mutex
	box      Box
	closed   bool
	sleepers int // takers that found nothing and have not been woken
	wake     func()
}

// New returns an open mailbox. wake is called, with the mutex held, once for
// each taker that has to be woken. It must not wait.
func New(id actor.ID, spec Spec, wake func()) *Mailbox {
	return &Mailbox{box: NewBox(id, spec), wake: wake}
}

// Put queues an envelope and wakes a sleeping taker.
func (m *Mailbox) Put(e Envelope) Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Closed
	}
	if !m.box.put(&e) {
		return Full
	}
	m.rouse()
	return Queued
}

// rouse wakes one sleeping taker. The check and the registration in Take stand
// in critical sections of the same mutex: no wake-up can be lost.
func (m *Mailbox) rouse() {
	if m.sleepers > 0 {
		m.sleepers--
		m.wake()
	}
}

// Taken says what a taker has to do next.
type Taken uint8

// The values of Taken.
const (
	Awake  Taken = iota // take again after the batch
	Asleep              // nothing there: wait for the wake-up
	Over                // the mailbox is closed
)

// Take appends the next batch to buf. When nothing is left for the caller, not
// even for Done, it is registered as asleep in the same critical section: it
// then waits for its wake-up, or until next (a Stamp; zero: for ever). If it is
// woken by its clock, it still counts as asleep, and wake is called once for nothing. A
// mailbox has one taker, or workers that use TakeOne.
func (m *Mailbox) Take(now time.Time, buf []Envelope) (batch []Envelope, next int64, what Taken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return buf, 0, Over
	}
	batch = m.box.Take(Stamp(now), buf)
	if len(batch) == len(buf) && m.box.Empty() && len(m.box.done) == 0 {
		m.sleepers = 1
		what = Asleep
	}
	return batch, m.box.Next(), what
}

// TakeOne is Take for the workers of an adapter: one input each.
func (m *Mailbox) TakeOne() (e Envelope, what Taken) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return e, Over
	}
	e, ok := m.box.TakeFirst(0)
	if !ok {
		m.sleepers++
		return e, Asleep
	}
	return e, Awake
}

// TakeFirst is Take for a driver that interleaves as finely as can be: the most
// urgent input alone.
func (m *Mailbox) TakeFirst(now time.Time) (e Envelope, next int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok = m.box.TakeFirst(Stamp(now))
	if !ok {
		m.sleepers = 1
	}
	return e, m.box.Next(), ok
}

// Rest registers the taker as asleep if there is nothing to take.
func (m *Mailbox) Rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.box.Empty() {
		return false
	}
	m.sleepers = 1
	return true
}

// Reserve takes a slot for an answer, see Box.Reserve.
func (m *Mailbox) Reserve(port int, to actor.ID, key uint64, deadline time.Time, none any) (actor.RawCall, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Reserve(port, to, key, deadline, none)
}

// Free counts the free slots of a port.
func (m *Mailbox) Free(port int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Free(port)
}

// Answer delivers an answer, see Box.Answer.
func (m *Mailbox) Answer(call actor.RawCall, body any, err error, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	ok := m.box.Answer(call, body, err, Stamp(now))
	if ok {
		m.rouse()
	}
	return ok
}

// Settle strikes an owed answer, see Box.Settle.
func (m *Mailbox) Settle(call actor.RawCall) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Settle(call)
}

// Done returns the publishers of which nothing is left, see Box.Done.
func (m *Mailbox) Done() []actor.ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Done()
}

// Reset empties the mailbox and queues first, in one critical section: nothing
// can come before it.
func (m *Mailbox) Reset(first Envelope) (owed []actor.RawCall, charges []Charge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	owed, charges = m.box.Reset()
	m.box.put(&first)
	m.rouse()
	return owed, charges
}

// Close empties the mailbox and refuses everything from now on. All sleeping
// takers are woken.
func (m *Mailbox) Close() (owed []actor.RawCall, charges []Charge) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for m.sleepers > 0 {
		m.rouse()
	}
	return m.box.Reset()
}

// Stats returns the figures as they are now.
func (m *Mailbox) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Stats()
}

// Oldest is the input that has been queued for longest.
func (m *Mailbox) Oldest() (Oldest, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Oldest()
}

// Asking appends the questions of the cell that have no answer to buf.
func (m *Mailbox) Asking(buf []Open) []Open {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Asking(buf)
}

// Owed lists the questions that the cell has not answered.
func (m *Mailbox) Owed() []actor.RawCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Owed()
}

// Check verifies the invariants of the box.
func (m *Mailbox) Check() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.box.Check()
}

package cell

import (
	"cmp"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// hand is a goroutine that works for a cell: its machine's, or one of an adapter's
// workers. Only that goroutine writes what it does. All may read it.
type hand struct {
	since atomic.Int64 // a mailbox.Stamp; zero: idle
	with  atomic.Value // the reflect.Type of the input
}

// begin notes an input. For a machine since is when its batch was taken, the only time at
// which a cell looks at the clock. Within a batch there is mostly nothing new, and to see
// that is much cheaper than to write.
func (h *hand) begin(body any, since time.Time) {
	if t := reflect.TypeOf(body); h.with.Load() != any(t) {
		h.with.Store(t)
	}
	if at := mailbox.Stamp(since); h.since.Load() != at {
		h.since.Store(at)
	}
}

func (h *hand) rest() { h.since.Store(0) }

// Begin notes that an adapter's worker has taken a question, End that it is done.
func (c *Cell) Begin(hand int, in actor.Input, now time.Time) { c.hands[hand].begin(in.Body, now) }

// End: see Begin.
func (c *Cell) End(hand int) { c.hands[hand].rest() }

// Work is what a hand is doing.
type Work struct {
	Since int64        // a mailbox.Stamp: when the batch, or an adapter's question, was taken
	With  reflect.Type // the type of the input that is being handled
}

// Work appends what the cell's busy hands are doing to buf.
func (c *Cell) Work(buf []Work) []Work {
	for i := range c.hands {
		h := &c.hands[i]
		since := h.since.Load()
		if t, ok := h.with.Load().(reflect.Type); ok && since != 0 {
			buf = append(buf, Work{since, t})
		}
	}
	return buf
}

// Handles says whether the cell takes inputs by itself, as a machine or with
// workers. Askers look into their mailbox only while they ask.
func (c *Cell) Handles() bool { return len(c.hands) > 0 }

// Stats is what a cell shows of itself (law L12).
type Stats struct {
	mailbox.Stats
	ID        actor.ID
	Name      string
	Deaths    uint32
	BusyWith  string // the type of the input that is being handled; "" when idle
	BusySince int64  // a mailbox.Stamp; zero when idle
}

// Stats returns the cell's figures as they are now.
func (c *Cell) Stats() Stats {
	st := Stats{Stats: c.Mail.Stats(), ID: c.ID, Name: c.Name, Deaths: c.deaths.Load()}
	if work := c.Work(nil); len(work) > 0 {
		first := slices.MinFunc(work, func(x, y Work) int { return cmp.Compare(x.Since, y.Since) })
		st.BusySince, st.BusyWith = first.Since, first.With.String()
	}
	return st
}

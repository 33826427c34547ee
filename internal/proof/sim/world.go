package sim

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"time"

	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Epoch is when every world begins.
var Epoch = time.Date(2011, 2, 3, 0, 0, 0, 0, time.UTC)

// World is a run: nodes, a clock, a seed.
type World struct {
	Now   time.Time
	Steps uint64 // inputs handled

	// Check says whether the invariants of machine and mailbox are verified
	// after each batch.
	Check bool
	// Even gives all cells the same delay, for tests that are not about
	// schedules.
	Even bool

	nodes int
	rng   *rand.Rand
	queue events
	batch []mailbox.Envelope
	seq   uint64
	hash  hash.Hash64
	buf   []byte
	err   error
}

// runner is what the driver keeps with a cell.
type runner struct {
	node   *Node
	cell   *cell.Cell
	due    time.Time // when its next event stands in the queue; zero: none
	speed  int64     // nanoseconds that a batch takes, about
	change time.Time // when the next speed is drawn
	heat   heat
}

// event lets a cell run.
type event struct {
	at  time.Time
	seq uint64
	r   *runner
}

// events is a heap, the first event on top.
type events []event

func (q events) Len() int { return len(q) }
func (q events) Less(i, j int) bool {
	return cmp.Or(q[i].at.Compare(q[j].at), cmp.Compare(q[i].seq, q[j].seq)) < 0
}
func (q events) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *events) Push(x any)   { *q = append(*q, x.(event)) }
func (q *events) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	*q = (*q)[:last]
	return e
}

// New returns an empty world.
func New(seed uint64) *World {
	return &World{Now: Epoch, rng: rand.New(rand.NewPCG(seed, 0x5eed)), hash: fnv.New64a()}
}

// ahead is how far the cell's clock is ahead.
func (r *runner) ahead() time.Duration {
	if r.cell.Stop() == partsLast {
		return 0
	}
	return r.node.Ahead
}

// delay is how long a cell's next batch has to wait.
func (w *World) delay(r *runner) time.Duration {
	if w.Even {
		return time.Microsecond
	}
	if !w.Now.Before(r.change) {
		// From 10^9 to 10^3 batches a second, for 1 ms to 10 s.
		r.speed = int64(math.Pow10(w.rng.IntN(7)))
		r.change = w.Now.Add(time.Duration(math.Pow10(w.rng.IntN(5))) * time.Millisecond)
	}
	return time.Duration(1 + w.rng.Int64N(2*r.speed))
}

// schedule lets a cell run at a time, unless it runs earlier.
func (w *World) schedule(r *runner, at time.Time) {
	if r.due.IsZero() || at.Before(r.due) {
		r.due = at
		w.seq++
		heap.Push(&w.queue, event{at, w.seq, r})
	}
}

// Run handles inputs until the condition until holds, the bound of virtual time is
// reached, nothing is left to do, or something is wrong.
func (w *World) Run(bound time.Duration, until func() bool) error {
	end := w.Now.Add(bound)
	for len(w.queue) > 0 && w.err == nil {
		if w.queue[0].at.After(end) {
			w.Now = end
			break
		}
		e := heap.Pop(&w.queue).(event)
		if !e.at.Equal(e.r.due) {
			continue // the cell ran earlier
		}
		e.r.due = time.Time{}
		if e.at.After(w.Now) {
			w.Now = e.at
		}
		w.run(e.r)
		if until != nil && until() {
			break
		}
	}
	return w.err
}

// run runs one batch of a cell and schedules the next.
func (w *World) run(r *runner) {
	c := r.cell
	if !c.Runs() || c.Ended() {
		return
	}
	now := w.Now.Add(r.ahead())
	next := w.take(r, now)
	w.mix(uint64(w.Now.UnixNano()), uint64(r.node.index), uint64(c.ID), uint64(len(w.batch)))
	for _, e := range w.batch {
		w.Steps++
		w.Mix([]byte(reflect.TypeOf(e.In.Body).String()))
		w.mix(uint64(e.In.From), uint64(e.In.Ticket))
	}
	if c.Stop() != partsLast { // an adapter has no questions to ask again
		if err := r.heat.count(w.Now.Unix(), w.batch); err != nil {
			w.fail(fmt.Errorf("%s %s at %v %w", r.node.Name, c.Name, w.Now.Sub(Epoch), err))
		}
	}
	r.node.Sys.Run(c, now, w.batch)
	if c.Ended() {
		return
	}
	if w.Check {
		w.check(r)
	}
	if !c.Mail.Rest() {
		w.schedule(r, w.Now.Add(w.delay(r)))
	}
	if next != 0 {
		w.schedule(r, w.later(time.Unix(0, next).UTC().Add(-r.ahead()), r))
	}
	if d := c.Deadline(); !d.IsZero() {
		w.schedule(r, w.later(d.Add(-r.ahead()), r))
	}
}

// take fills batch: as the live driver does, or with one input, which is the finest
// interleaving. It returns when the next question times out.
func (w *World) take(r *runner, now time.Time) (next int64) {
	w.batch = w.batch[:0]
	if w.Even || w.rng.IntN(2) == 0 {
		w.batch, next, _ = r.cell.Mail.Take(now, w.batch)
		return next
	}
	e, next, ok := r.cell.Mail.TakeFirst(now)
	if ok {
		w.batch = append(w.batch, e)
	}
	return next
}

// later is a deadline, or a little after now if the deadline has passed.
func (w *World) later(d time.Time, r *runner) time.Time {
	if d.After(w.Now) {
		return d
	}
	return w.Now.Add(w.delay(r))
}

// mix adds numbers to the hash.
func (w *World) mix(values ...uint64) {
	for _, v := range values {
		w.buf = binary.LittleEndian.AppendUint64(w.buf[:0], v)
		w.Mix(w.buf)
	}
}

// Mix adds bytes to the hash. A test adds what the world cannot see: what nodes
// write to each other.
func (w *World) Mix(data []byte) { w.hash.Write(data) }

// Hash sums up the run so far.
func (w *World) Hash() uint64 { return w.hash.Sum64() }

func (w *World) check(r *runner) {
	if err := r.cell.Machine().Check(); err != nil {
		w.fail(fmt.Errorf("%s %s at %v: %w", r.node.Name, r.cell.Name, w.Now.Sub(Epoch), err))
	}
	if err := r.cell.Mail.Check(); err != nil {
		w.fail(fmt.Errorf("%s mailbox of %s: %w", r.node.Name, r.cell.Name, err))
	}
}

func (w *World) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

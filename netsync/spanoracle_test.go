package netsync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// oracle is the span as one would write it without a thought for speed: a list of
// records, searched from the start each time.
type oracle struct{ rows []oracleRow }

type oracleRow struct {
	at    chain.Point
	state entryState
	size  int
	by    []actor.ID
}

func (o *oracle) row(h chainhash.Hash) *oracleRow {
	for i := range o.rows {
		if o.rows[i].at.Hash == h {
			return &o.rows[i]
		}
	}
	return nil
}

func (o *oracle) heldBytes() (n int) {
	for _, r := range o.rows {
		if r.state == held {
			n += r.size
		}
	}
	return n
}

func (o *oracle) add(ps []chain.Point) {
	for _, p := range ps {
		o.rows = append(o.rows, oracleRow{at: p})
	}
}

func (o *oracle) pop() {
	for len(o.rows) > 0 && o.rows[0].state == done {
		o.rows = o.rows[1:]
	}
}

// next is the first block that has not been handed over.
func (o *oracle) next() *oracleRow {
	for i := range o.rows {
		if s := o.rows[i].state; s == wanted || s == held {
			return &o.rows[i]
		}
	}
	return nil
}

func (o *oracle) hold(h chainhash.Hash, size, budget int) bool {
	r := o.row(h)
	for o.heldBytes()+size > budget {
		i := len(o.rows) - 1
		for ; &o.rows[i] != r && o.rows[i].state != held; i-- {
		}
		if &o.rows[i] == r {
			break
		}
		o.rows[i].state = wanted
	}
	fits := o.heldBytes()+size <= budget || o.next() == r
	r.by = nil
	if fits {
		r.state, r.size = held, size
	}
	return fits
}

// compare fails unless the span and the oracle say the same.
func compare(t *rapid.T, s *span, o *oracle) {
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	if s.len() != len(o.rows) || s.heldBytes != o.heldBytes() {
		t.Fatalf("span %d entries, %d bytes; oracle %d, %d", s.len(), s.heldBytes, len(o.rows), o.heldBytes())
	}
	var head, free *oracleRow
	for i := range o.rows {
		r, e := &o.rows[i], &s.entries[i]
		by := slices.DeleteFunc(slices.Clone(e.by[:]), func(id actor.ID) bool { return id == 0 })
		if e.at != r.at || e.state != r.state || !slices.Equal(by, r.by) {
			t.Fatalf("entry %d: span %+v, oracle %+v", i, e, r)
		}
		if head == nil && r.state == wanted {
			head = r
		}
		if free == nil && r.state == wanted && len(r.by) == 0 {
			free = r
		}
	}
	if _, e := s.head(); (e == nil) != (head == nil) || e != nil && e.at != head.at {
		t.Fatalf("head: span %+v, oracle %+v", e, head)
	}
	if q := s.firstFree(); (q == s.end()) != (free == nil) || free != nil && s.entry(q).at != free.at {
		t.Fatalf("first free: span %d, oracle %+v", q, free)
	}
	next := o.next()
	if e := s.nextToHand(); (e != nil) != (next != nil && next.state == held) || e != nil && e.at != next.at {
		t.Fatalf("to hand: span %+v, oracle %+v", e, next)
	}
}

func TestSpanAgainstOracle(t *testing.T) { rapid.Check(t, driveSpan) }

// driveSpan does the same at random to a span and the oracle.
func driveSpan(t *rapid.T) {
	d := &spanDriver{s: newSpan(), o: &oracle{}}
	t.Repeat(map[string]func(*rapid.T){
		"extend":   d.extend,
		"cut":      d.cut,
		"replace":  d.replace,
		"order":    d.order,
		"takeBack": d.takeBack,
		"hold":     d.hold,
		"hand":     d.hand,
		"unhand":   func(t *rapid.T) { d.verdict(t, (*span).unhand, held) },
		"refuse":   func(t *rapid.T) { d.verdict(t, (*span).refuse, wanted) },
		"finish":   func(t *rapid.T) { d.verdict(t, (*span).finish, done) },
		"":         func(t *rapid.T) { compare(t, d.s, d.o) },
	})
}

// spanDriver does the same to a span and the oracle. Each cut begins a new branch.
type spanDriver struct {
	s      *span
	o      *oracle
	height int32
	branch uint32
}

// pick returns a row in one of these states.
func (d *spanDriver) pick(t *rapid.T, states ...entryState) *oracleRow {
	var fit []*oracleRow
	for i := range d.o.rows {
		if slices.Contains(states, d.o.rows[i].state) {
			fit = append(fit, &d.o.rows[i])
		}
	}
	if len(fit) == 0 {
		t.Skip("none")
	}
	return fit[rapid.IntRange(0, len(fit)-1).Draw(t, "row")]
}

// grow returns the next points of the branch.
func (d *spanDriver) grow(n int) (ps []chain.Point) {
	for range n {
		d.height++
		hash := chainhash.HashH(fmt.Appendf(nil, "%d %d", d.branch, d.height))
		ps = append(ps, chain.Point{Height: d.height, Hash: hash})
	}
	return ps
}

func (d *spanDriver) extend(t *rapid.T) {
	ps := d.grow(rapid.IntRange(1, 4).Draw(t, "n"))
	d.s.extend(ps)
	d.o.add(ps)
}

func (d *spanDriver) cut(t *rapid.T) {
	h := d.height - rapid.Int32Range(0, 5).Draw(t, "depth")
	d.s.cut(h)
	d.o.rows = slices.DeleteFunc(d.o.rows, func(r oracleRow) bool { return r.at.Height > h })
	d.height, d.branch = max(h, 0), d.branch+1
}

func (d *spanDriver) replace(t *rapid.T) {
	from := rapid.IntRange(0, len(d.o.rows)).Draw(t, "from")
	var ps []chain.Point
	for _, r := range d.o.rows[from:] {
		ps = append(ps, r.at)
	}
	more := d.grow(rapid.IntRange(0, 3).Draw(t, "n"))
	d.s.replace(append(ps, more...))
	d.o.rows = slices.Clone(d.o.rows[from:])
	d.o.add(more)
	d.o.pop()
}

func (d *spanDriver) order(t *rapid.T) {
	r := d.pick(t, wanted)
	id := actor.ID(rapid.IntRange(1, 3).Draw(t, "id"))
	if len(r.by) == 2 || slices.Contains(r.by, id) {
		t.Skip("cannot")
	}
	d.s.order(d.s.index[r.at.Hash], id, time.Time{})
	r.by = append(r.by, id)
}

func (d *spanDriver) takeBack(t *rapid.T) {
	r := d.pick(t, wanted, held, handed)
	id := actor.ID(rapid.IntRange(1, 3).Draw(t, "id"))
	was := r.state == wanted && slices.Contains(r.by, id)
	r.by = slices.DeleteFunc(r.by, func(x actor.ID) bool { return x == id })
	if d.s.takeBack(r.at.Hash, id) != was {
		t.Fatalf("taken back: want %v", was)
	}
}

func (d *spanDriver) hold(t *rapid.T) {
	const budget = 10
	h, size := d.pick(t, wanted).at.Hash, rapid.IntRange(1, 4).Draw(t, "size")
	if d.s.hold(h, make([]byte, size), 1, budget) != d.o.hold(h, size, budget) {
		t.Fatal("kept by one and not by the other")
	}
}

func (d *spanDriver) hand(*rapid.T) {
	if e := d.s.nextToHand(); e != nil {
		d.s.set(e, handed)
		d.o.next().state = handed
	}
}

// verdict tells the span chain's verdict on a block, which brings it to a state.
func (d *spanDriver) verdict(t *rapid.T, tell func(*span, chainhash.Hash), to entryState) {
	r := d.pick(t, handed)
	tell(d.s, r.at.Hash)
	r.state = to
	d.o.pop()
}

package netsync

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// oracle is the window as one would write it without a thought for speed: a
// list of records, searched from the start each time.
type oracle struct{ rows []oracleRow }

type oracleRow struct {
	at    chain.Point
	state slotState
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

// compare fails unless the window and the oracle say the same.
func compare(t *rapid.T, w *window, o *oracle) {
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	if w.len() != len(o.rows) || w.heldBytes != o.heldBytes() {
		t.Fatalf("window %d slots, %d bytes; oracle %d, %d", w.len(), w.heldBytes, len(o.rows), o.heldBytes())
	}
	var head, free *oracleRow
	for i := range o.rows {
		r, s := &o.rows[i], &w.slots[i]
		by := slices.DeleteFunc(slices.Clone(s.by[:]), func(id actor.ID) bool { return id == 0 })
		if s.at != r.at || s.state != r.state || !slices.Equal(by, r.by) {
			t.Fatalf("slot %d: window %+v, oracle %+v", i, s, r)
		}
		if head == nil && r.state == wanted {
			head = r
		}
		if free == nil && r.state == wanted && len(r.by) == 0 {
			free = r
		}
	}
	if _, s := w.head(); (s == nil) != (head == nil) || s != nil && s.at != head.at {
		t.Fatalf("head: window %+v, oracle %+v", s, head)
	}
	if q := w.firstFree(); (q == w.end()) != (free == nil) || free != nil && w.slot(q).at != free.at {
		t.Fatalf("first free: window %d, oracle %+v", q, free)
	}
	next := o.next()
	if _, s := w.nextToHand(); (s != nil) != (next != nil && next.state == held) || s != nil && s.at != next.at {
		t.Fatalf("to hand: window %+v, oracle %+v", s, next)
	}
}

func TestWindowAgainstOracle(t *testing.T) { rapid.Check(t, driveWindow) }

// driveWindow does the same at random to a window and the oracle.
func driveWindow(t *rapid.T) {
	w, o := newWindow(), &oracle{}
	height, branch := int32(0), uint32(0)
	const budget = 10
	body := &wire.MsgBlock{}
	pick := func(states ...slotState) *oracleRow {
		var fit []*oracleRow
		for i := range o.rows {
			if slices.Contains(states, o.rows[i].state) {
				fit = append(fit, &o.rows[i])
			}
		}
		if len(fit) == 0 {
			t.Skip("none")
		}
		return fit[rapid.IntRange(0, len(fit)-1).Draw(t, "row")]
	}
	grow := func(n int) (ps []chain.Point) {
		for range n {
			height++
			ps = append(ps, chain.Point{Height: height, Hash: chainhash.HashH(fmt.Appendf(nil, "%d %d", branch, height))})
		}
		return ps
	}
	add := func(ps []chain.Point) {
		for _, p := range ps {
			o.rows = append(o.rows, oracleRow{at: p})
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"extend": func(t *rapid.T) {
			ps := grow(rapid.IntRange(1, 4).Draw(t, "n"))
			w.extend(ps)
			add(ps)
		},
		"cut": func(t *rapid.T) {
			h := height - rapid.Int32Range(0, 5).Draw(t, "depth")
			w.cut(h)
			o.rows = slices.DeleteFunc(o.rows, func(r oracleRow) bool { return r.at.Height > h })
			height, branch = max(h, 0), branch+1
		},
		"replace": func(t *rapid.T) {
			from := rapid.IntRange(0, len(o.rows)).Draw(t, "from")
			var ps []chain.Point
			for _, r := range o.rows[from:] {
				ps = append(ps, r.at)
			}
			more := grow(rapid.IntRange(0, 3).Draw(t, "n"))
			w.replace(append(ps, more...))
			o.rows = slices.Clone(o.rows[from:])
			add(more)
			o.pop()
		},
		"order": func(t *rapid.T) {
			r := pick(wanted)
			id := actor.ID(rapid.IntRange(1, 3).Draw(t, "id"))
			if len(r.by) == 2 || slices.Contains(r.by, id) {
				t.Skip("cannot")
			}
			w.order(w.index[r.at.Hash], id, time.Time{})
			r.by = append(r.by, id)
		},
		"takeBack": func(t *rapid.T) {
			r := pick(wanted, held, handed)
			id := actor.ID(rapid.IntRange(1, 3).Draw(t, "id"))
			was := r.state == wanted && slices.Contains(r.by, id)
			r.by = slices.DeleteFunc(r.by, func(x actor.ID) bool { return x == id })
			if w.takeBack(r.at.Hash, id) != was {
				t.Fatalf("taken back: want %v", was)
			}
		},
		"hold": func(t *rapid.T) {
			r, size := pick(wanted), rapid.IntRange(1, 4).Draw(t, "size")
			h := r.at.Hash
			if w.hold(h, body, size, 1, budget) != o.hold(h, size, budget) {
				t.Fatal("kept by one and not by the other")
			}
		},
		"hand": func(t *rapid.T) {
			if q, s := w.nextToHand(); s != nil {
				w.hand(q)
				o.next().state = handed
			}
		},
		"unhand": func(t *rapid.T) {
			r := pick(handed)
			w.unhand(r.at.Hash)
			r.state = held
		},
		"refuse": func(t *rapid.T) {
			r := pick(handed)
			w.refuse(r.at.Hash)
			r.state = wanted
		},
		"finish": func(t *rapid.T) {
			r := pick(handed)
			w.finish(r.at.Hash)
			r.state = done
			o.pop()
		},
		"": func(t *rapid.T) { compare(t, &w, o) },
	})
}

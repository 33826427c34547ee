package explore

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// part is one piece of a state: a cell, the bus, or what is outside. Each content is
// stored once and shared by all states that have it.
type part struct {
	number uint32
	cell   cell.Snapshot
	bus    *bus.Snapshot
	rest   *outside

	ready   bool      // the cell has something to take
	tick    time.Time // its machine's deadline; zero: none
	expires time.Time // when its oldest question times out; zero: never
	adapter bool      // it has no machine: Env serves it
	held    bool      // effects of its last step wait to be performed
}

// outside is what is neither a cell nor the bus.
type outside struct {
	Env      Env
	Clock    time.Time
	Jumps    int
	Crashes  int
	Stopped  bool                            // the node has been told to stop
	Halted   bool                            // the node has asked to be stopped
	Group    int                             // of the stop order: the cells that are stopping
	Lives    map[life]phase                  // what each cell has seen of each peer
	Hands    map[actor.ID][]mailbox.Envelope // inputs that are taken and not handled
	Asked    map[asked]bool                  // open questions
	Violated string                          // a law that was broken in the step
}

// life is one cell's view of one publisher of a ledger.
type life struct{ Cell, Of actor.ID }

type phase uint8

const (
	_ phase = iota
	opened
	closed
)

// state is a whole node: the environment, the bus, and the cells in order.
type state []*part

// load puts the node into a state.
func (w *World) load(s state) {
	w.look(s)
	w.outside = clone(s[0].rest)
}

// look puts the node into a state to look at. What is outside must not be changed.
// Only the parts that differ are copied.
func (w *World) look(s state) {
	w.outside = s[0].rest
	if w.bus != s[1] {
		w.bus = s[1]
		w.Sys.Bus().Load(clone(s[1].bus))
	}
	for _, p := range s[2:] {
		if w.loaded[p.cell.ID] != p || w.Sys.Lookup(p.cell.ID) == nil {
			w.Sys.Load(clone(p.cell))
			w.loaded[p.cell.ID] = p
		}
	}
	for _, c := range w.Sys.Cells() {
		if c.ID.Parent() != 0 && !slices.ContainsFunc(s[2:], func(p *part) bool { return p.cell.ID == c.ID }) {
			w.Sys.Forget(c.ID)
			delete(w.loaded, c.ID)
			continue
		}
		c.Rewind(w.Clock)
	}
	clear(w.touched)
	w.busTouched = false
}

// save returns the state of the node after a move from the state from. Parts that
// were not touched are taken from there.
func (w *World) save(from state) state {
	was := map[actor.ID]*part{}
	for _, p := range from[min(2, len(from)):] {
		was[p.cell.ID] = p
	}
	s := make(state, 2, len(from)+3)
	for _, c := range w.Sys.Cells() {
		if p := was[c.ID]; p != nil && !w.touched[c.ID] {
			s = append(s, p)
			continue
		}
		s = append(s, w.saveCell(c))
	}
	if from != nil && !w.busTouched {
		s[1] = from[1]
	} else {
		s[1] = w.saveBus()
	}
	out := w.outside
	s[0] = intern(w, out, func() *part { return &part{rest: out} }, func(*part) {})
	return s
}

func (w *World) saveCell(c *cell.Cell) *part {
	sn := c.Save()
	w.loaded[c.ID] = nil
	return intern(w, &sn, func() *part {
		p := &part{cell: sn, adapter: sn.Machine == nil}
		if next := sn.Box.Next(); next != 0 {
			p.expires = time.Unix(0, next).UTC()
		}
		if sn.Machine != nil && !sn.Ended {
			if err := errors.Join(sn.Machine.Check(), sn.Box.Check()); err != nil {
				w.Violate("%s: %v", c.Name, err)
			}
			if d := sn.Machine.Deadline(); !d.IsZero() {
				p.tick = d.UTC()
			}
		}
		p.ready = !sn.Box.Empty() && !sn.Ended
		m, ok := sn.Machine.(*mortal)
		p.held = ok && len(m.Held) > 0
		return p
	}, func(p *part) { w.loaded[c.ID] = p })
}

func (w *World) saveBus() *part {
	sn := w.Sys.Bus().Save()
	w.bus = nil
	return intern(w, sn, func() *part {
		if err := w.Sys.Bus().Check(); err != nil {
			w.Violate("bus: %v", err)
		}
		return &part{bus: sn}
	}, func(p *part) { w.bus = p })
}

// intern returns the part with this content. A new part takes over the node's memory. Of
// an old one the node is a copy, which old may note.
func intern[T any](w *World, content *T, fresh func() *part, old func(*part)) *part {
	w.buf = encode(w.buf[:0], content)
	key := w.names.of(w.buf)
	p := w.parts[key]
	if p != nil {
		old(p)
		return p
	}
	if err := whole(content); err != nil {
		panic("explore: this is not plain data: " + err.Error())
	}
	p = fresh()
	p.number = uint32(len(w.parts))
	w.parts[key] = p
	return p
}

// hash names a state.
func (w *World) hash(s state) name {
	w.buf = w.buf[:0]
	for _, p := range s {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, p.number)
	}
	return w.names.of(w.buf)
}

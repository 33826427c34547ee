package explore

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// part is one component of a state: a cell, the bus, or the environment. It is
// made once for each content and shared by all states that have it.
type part struct {
	number uint32
	cell   cell.Snapshot
	bus    *bus.Snapshot
	rest   *outside

	ready   bool      // the cell has something to take
	tick    time.Time // its machine's deadline; zero: none
	expires time.Time // when its oldest question times out; zero: never
	adapter bool      // it has no machine: Env serves it
	held    bool      // effects of its last step are still to be performed
}

// outside is what is neither a cell nor the bus.
type outside struct {
	Env      Env
	Clock    time.Time
	Jumps    int
	Crashes  int
	Stopped  bool                            // the node has been told to stop
	Turn     int                             // of the cells that are stopping
	Lives    map[life]phase                  // what each cell has seen of each peer
	Hands    map[actor.ID][]mailbox.Envelope // taken and not handled
	Asked    []asked                         // questions that have had no end yet, in order
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

// look puts the node into a state to look at: what is outside must not be
// changed. Only what is not so already is copied.
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

// save returns the state that the node is in after a move from the state from.
// What has not been touched is taken from there.
func (w *World) save(from state) state {
	was := map[actor.ID]*part{}
	for i, p := range from {
		if i >= 2 {
			was[p.cell.ID] = p
		}
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
	s[0] = w.intern(encode(w.buf[:0], out), func() *part { return &part{rest: out} }, nil)
	return s
}

func (w *World) saveCell(c *cell.Cell) *part {
	sn := c.Save()
	w.loaded[c.ID] = nil
	p := w.intern(encode(w.buf[:0], &sn), func() *part {
		p := &part{cell: sn, adapter: sn.Machine == nil}
		next := sn.Box.Next()
		if next != 0 {
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
		if m, ok := sn.Machine.(*mortal); ok && len(m.Held) > 0 {
			p.held = true
		}
		return p
	}, func(p *part) { w.loaded[c.ID] = p })
	return p
}

func (w *World) saveBus() *part {
	sn := w.Sys.Bus().Save()
	w.bus = nil
	return w.intern(encode(w.buf[:0], sn), func() *part {
		if err := w.Sys.Bus().Check(); err != nil {
			w.Violate("bus: %v", err)
		}
		return &part{bus: sn}
	}, func(p *part) { w.bus = p })
}

// intern returns the part with an encoding. A new one takes over the memory of
// the node; an old one is what the node still is a copy of.
func (w *World) intern(code []byte, fresh func() *part, old func(*part)) *part {
	w.buf = code
	key := [2]uint64{maphash.Bytes(w.seeds[0], code), maphash.Bytes(w.seeds[1], code)}
	p := w.parts[key]
	if p == nil {
		p = fresh()
		if err := p.whole(); err != nil {
			panic("explore: no plain data: " + err.Error())
		}
		p.number = uint32(len(w.known))
		w.parts[key] = p
		w.known = append(w.known, p)
	} else if old != nil {
		old(p)
	}
	return p
}

// whole refuses what would not be the same in a clone.
func (p *part) whole() error {
	switch {
	case p.rest != nil:
		return whole(p.rest)
	case p.bus != nil:
		return whole(p.bus)
	}
	return whole(&p.cell)
}

// hash is a state's name: 128 bits.
func (w *World) hash(s state) [2]uint64 {
	w.buf = w.buf[:0]
	for _, p := range s {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, p.number)
	}
	return [2]uint64{maphash.Bytes(w.seeds[0], w.buf), maphash.Bytes(w.seeds[1], w.buf)}
}

package netsync

import (
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// slotState is the life of one block on the path: wanted until a copy has
// arrived, held until all blocks before it have been handed to chain, handed
// until chain's verdict, done until the ones before it are done too. A verdict
// can send it back to held (chain was not ready for it) or to wanted (this copy
// was bad).
type slotState uint8

const (
	wanted slotState = iota
	held
	handed
	done
)

// slot is one block on the path.
type slot struct {
	at    chain.Point
	state slotState
	block *wire.MsgBlock // held, handed
	size  int            // of block, bytes of memory
	from  actor.ID       // who sent block
	by    [2]actor.ID    // wanted: who was asked for it, the first first; zero: nobody
	since time.Time      // wanted: when by[0] was asked
}

// window tracks the next blocks on the path to the target, in order of height.
// It is passive: it knows who was asked for what, but decides nothing (after
// the example of Bitcoin Core's txrequest). Slots are named by their sequence
// number, which counts from the first slot ever and is not reused when slots
// are popped at the front.
//
// Two cursors make the searches cheap. They are lower bounds: lowered when a
// slot goes back, moved up when somebody looks.
type window struct {
	slots []slot
	base  int // the sequence number of slots[0]
	index map[chainhash.Hash]int

	next int // no wanted slot is below
	free int // no wanted slot that nobody was asked for is below

	unordered int // wanted slots that nobody was asked for
	ordered   int // wanted slots that somebody was asked for
	held      int // held slots
	heldBytes int
}

func newWindow() window { return window{index: map[chainhash.Hash]int{}} }

func (w *window) len() int         { return len(w.slots) }
func (w *window) end() int         { return w.base + len(w.slots) }
func (w *window) slot(q int) *slot { return &w.slots[q-w.base] }

// find returns the slot of a block, or nil.
func (w *window) find(h chainhash.Hash) *slot {
	if q, ok := w.index[h]; ok {
		return w.slot(q)
	}
	return nil
}

// extend appends blocks that nobody was asked for.
func (w *window) extend(points []chain.Point) {
	for _, p := range points {
		if _, ok := w.index[p.Hash]; ok {
			continue
		}
		w.index[p.Hash] = w.end()
		w.slots = append(w.slots, slot{at: p})
		w.unordered++
	}
}

// replace makes the path consist of points. What is known of blocks that were
// on the old path is kept.
func (w *window) replace(points []chain.Point) {
	old := *w
	*w = newWindow()
	w.extend(points)
	for i := range w.slots {
		s := &w.slots[i]
		was := old.find(s.at.Hash)
		if was == nil {
			continue
		}
		*s = *was
		if s.state != wanted || s.by[0] != 0 {
			w.unordered--
		}
		if s.state == wanted && s.by[0] != 0 {
			w.ordered++
		}
		if s.state == held {
			w.held++
			w.heldBytes += s.size
		}
	}
	w.pop()
}

// cut drops the blocks above a height.
func (w *window) cut(height int32) {
	for len(w.slots) > 0 {
		s := &w.slots[len(w.slots)-1]
		if s.at.Height <= height {
			break
		}
		w.forget(s)
		*s = slot{}
		w.slots = w.slots[:len(w.slots)-1]
	}
	w.next, w.free = min(w.next, w.end()), min(w.free, w.end())
}

// clear drops all.
func (w *window) clear() { *w = newWindow() }

func (w *window) forget(s *slot) {
	switch {
	case s.state == wanted && s.by[0] == 0:
		w.unordered--
	case s.state == wanted:
		w.ordered--
	case s.state == held:
		w.held--
		w.heldBytes -= s.size
	}
	delete(w.index, s.at.Hash)
}

// head returns the lowest wanted slot: what all the held ones wait for.
func (w *window) head() (seq int, s *slot) {
	for w.next = max(w.next, w.base); w.next < w.end(); w.next++ {
		if s := w.slot(w.next); s.state == wanted {
			return w.next, s
		}
	}
	return 0, nil
}

// firstFree returns the sequence number of the lowest wanted slot that nobody
// was asked for, or end.
func (w *window) firstFree() int {
	for w.free = max(w.free, w.base); w.free < w.end(); w.free++ {
		if s := w.slot(w.free); s.state == wanted && s.by[0] == 0 {
			break
		}
	}
	return w.free
}

// isNext says whether chain needs this slot next: all before it have been
// handed over. Its block may always be held, or a full budget would be a
// deadlock.
func (w *window) isNext(seq int) bool {
	for q := w.base; q < seq; q++ {
		if s := w.slot(q); s.state == wanted || s.state == held {
			return false
		}
	}
	return true
}

// order notes that a peer was asked for a wanted block.
func (w *window) order(seq int, peer actor.ID, now time.Time) {
	s := w.slot(seq)
	switch {
	case s.state != wanted || s.by[1] != 0 || s.by[0] == peer:
		panic(fmt.Sprintf("netsync: block %d cannot be ordered from %v", s.at.Height, peer))
	case s.by[0] == 0:
		s.by[0], s.since = peer, now
		w.unordered--
		w.ordered++
	default:
		s.by[1] = peer
	}
}

// takeBack notes that a peer is no longer expected to deliver a block. It says
// whether it was, and whether the block still was wanted.
func (w *window) takeBack(h chainhash.Hash, peer actor.ID) bool {
	q, ok := w.index[h]
	if !ok {
		return false
	}
	s := w.slot(q)
	if s.state != wanted {
		return false
	}
	switch peer {
	case s.by[0]:
		s.by[0], s.by[1] = s.by[1], 0
	case s.by[1]:
		s.by[1] = 0
	default:
		return false
	}
	if s.by[0] == 0 {
		w.unordered++
		w.ordered--
		w.free = min(w.free, q)
	}
	return true
}

// hold keeps a copy of a wanted block within a budget of bytes. When the budget
// is spent the highest held blocks make room, for they are needed last. It says
// whether the copy was kept.
func (w *window) hold(h chainhash.Hash, b *wire.MsgBlock, size int, from actor.ID, budget int) bool {
	q := w.index[h]
	s := w.slot(q)
	if s.state != wanted {
		panic("netsync: a block that is not wanted is held")
	}
	for top := w.end() - 1; w.heldBytes+size > budget && top > q; top-- {
		if t := w.slot(top); t.state == held {
			w.release(top, wanted)
		}
	}
	if s.by[0] == 0 {
		w.unordered--
	} else {
		w.ordered--
	}
	s.by = [2]actor.ID{}
	if w.heldBytes+size > budget && !w.isNext(q) {
		w.unordered++
		w.free = min(w.free, q)
		return false
	}
	s.state, s.block, s.size, s.from = held, b, size, from
	w.held++
	w.heldBytes += size
	return true
}

// release takes a slot out of held, into another state.
func (w *window) release(seq int, to slotState) {
	s := w.slot(seq)
	if s.state != held {
		panic("netsync: a block that is not held is released")
	}
	w.held--
	w.heldBytes -= s.size
	s.state = to
	if to == wanted {
		w.drop(seq)
	}
}

// drop makes a slot wanted, without a copy and without an order.
func (w *window) drop(seq int) {
	s := w.slot(seq)
	s.state, s.block, s.size, s.from = wanted, nil, 0, 0
	w.unordered++
	w.next, w.free = min(w.next, seq), min(w.free, seq)
}

// nextToHand returns the slot that chain needs next if its block is here.
func (w *window) nextToHand() (seq int, s *slot) {
	for q := w.base; q < w.end(); q++ {
		switch s := w.slot(q); s.state {
		case held:
			return q, s
		case wanted:
			return 0, nil
		}
	}
	return 0, nil
}

// hand notes that a held block was submitted.
func (w *window) hand(seq int) { w.release(seq, handed) }

// unhand takes a submitted block back to held: chain could not judge it yet.
func (w *window) unhand(h chainhash.Hash) {
	if s := w.find(h); s != nil && s.state == handed {
		s.state = held
		w.held++
		w.heldBytes += s.size
	}
}

// refuse makes a submitted block wanted again: this copy was bad.
func (w *window) refuse(h chainhash.Hash) {
	if q, ok := w.index[h]; ok && w.slot(q).state == handed {
		w.drop(q)
	}
}

// finish notes that chain has a block.
func (w *window) finish(h chainhash.Hash) {
	if s := w.find(h); s != nil && s.state == handed {
		s.state, s.block = done, nil
	}
	w.pop()
}

// pop removes what is done at the front.
func (w *window) pop() {
	for len(w.slots) > 0 && w.slots[0].state == done {
		delete(w.index, w.slots[0].at.Hash)
		w.slots[0] = slot{}
		w.slots = w.slots[1:]
		w.base++
	}
}

// check verifies the counts and cursors against the slots.
func (w *window) check() error {
	var unordered, ordered, heldN, heldBytes int
	for i := range w.slots {
		s := &w.slots[i]
		q := w.base + i
		if w.index[s.at.Hash] != q {
			return fmt.Errorf("the index names slot %d for the block in slot %d", w.index[s.at.Hash], q)
		}
		if (s.block != nil) != (s.state == held || s.state == handed) {
			return fmt.Errorf("slot %d in state %d has a block: %v", q, s.state, s.block != nil)
		}
		if s.state != wanted && s.by != [2]actor.ID{} || s.by[0] == 0 && s.by[1] != 0 ||
			s.by[0] != 0 && s.by[0] == s.by[1] {
			return fmt.Errorf("slot %d in state %d is ordered from %v", q, s.state, s.by)
		}
		if i > 0 && s.at.Height <= w.slots[i-1].at.Height {
			return errors.New("heights do not rise")
		}
		switch {
		case s.state == held:
			heldN++
			heldBytes += s.size
		case s.state == wanted && q < w.next:
			return errors.New("a wanted slot is below the cursor next")
		case s.state == wanted && s.by[0] == 0:
			unordered++
			if q < w.free {
				return errors.New("an unordered slot is below the cursor free")
			}
		case s.state == wanted:
			ordered++
		}
	}
	if len(w.index) != len(w.slots) {
		return fmt.Errorf("%d in the index, %d slots", len(w.index), len(w.slots))
	}
	if unordered != w.unordered || ordered != w.ordered || heldN != w.held || heldBytes != w.heldBytes {
		return fmt.Errorf("counted %d unordered, %d ordered, %d held with %d bytes; noted %d, %d, %d, %d",
			unordered, ordered, heldN, heldBytes, w.unordered, w.ordered, w.held, w.heldBytes)
	}
	return nil
}

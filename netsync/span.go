package netsync

import (
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// entryState is the life of one block of the span. It is wanted until a copy has
// arrived, held until all blocks before it have been handed to chain, handed
// until chain's verdict, and done until the blocks before it are done too. A
// verdict can send it back: to held if chain was not ready for it, to wanted if
// this copy was bad.
type entryState uint8

const (
	wanted entryState = iota
	held
	handed
	done
)

// entry is one block of the span.
type entry struct {
	at    chain.Point
	state entryState
	block []byte      // held, handed: its payload
	size  int         // of block, in bytes
	from  actor.ID    // the peer that sent block
	by    [2]actor.ID // wanted: the peers that were asked for it, in order; zero: none
	since time.Time   // wanted: when by[0] was asked
}

// span tracks the next blocks on the path to the target, in order of height. It
// knows which peers were asked for what, and decides nothing (after the example
// of Bitcoin Core's txrequest). An entry is named by its sequence number, which
// counts from the first entry ever and is not reused.
//
// Two cursors make the searches cheap. They are lower bounds. They go down when
// an entry goes back, and up when somebody looks.
type span struct {
	entries []entry
	base    int // the sequence number of entries[0]
	index   map[chainhash.Hash]int

	next int // no wanted entry is below
	free int // no wanted entry without an order is below

	unordered int // wanted entries without an order
	ordered   int // wanted entries with an order
	held      int // held entries
	heldBytes int
}

func newSpan() *span { return &span{index: map[chainhash.Hash]int{}} }

func (s *span) len() int           { return len(s.entries) }
func (s *span) end() int           { return s.base + len(s.entries) }
func (s *span) entry(q int) *entry { return &s.entries[q-s.base] }

// find returns the entry of a block, or nil.
func (s *span) find(h chainhash.Hash) *entry {
	if q, ok := s.index[h]; ok {
		return s.entry(q)
	}
	return nil
}

// last returns the highest entry of a span that is not empty.
func (s *span) last() *entry { return &s.entries[len(s.entries)-1] }

// extend appends blocks.
func (s *span) extend(points []chain.Point) {
	for _, p := range points {
		if _, there := s.index[p.Hash]; there {
			continue // the index names one entry for a block
		}
		s.index[p.Hash] = s.end()
		s.entries = append(s.entries, entry{at: p})
		s.unordered++
	}
}

// replace makes points the blocks of the span. What is known of those that were
// in it is kept.
func (s *span) replace(points []chain.Point) {
	old := *s
	s.clear()
	s.extend(points)
	for i := range s.entries {
		e := &s.entries[i]
		if was := old.find(e.at.Hash); was != nil {
			s.count(e, -1)
			*e = *was
			s.count(e, 1)
		}
	}
	s.pop()
}

// cut drops the blocks above a height.
func (s *span) cut(height int32) {
	for len(s.entries) > 0 {
		e := s.last()
		if e.at.Height <= height {
			break
		}
		s.count(e, -1)
		delete(s.index, e.at.Hash)
		*e = entry{}
		s.entries = s.entries[:len(s.entries)-1]
	}
	s.next, s.free = min(s.next, s.end()), min(s.free, s.end())
}

// clear drops all blocks.
func (s *span) clear() { *s = *newSpan() }

// count adds an entry to the sums, or takes it out: n is 1 or -1.
func (s *span) count(e *entry, n int) {
	switch {
	case e.state == wanted && e.by[0] == 0:
		s.unordered += n
	case e.state == wanted:
		s.ordered += n
	case e.state == held:
		s.held += n
		s.heldBytes += n * e.size
	}
}

// set moves an entry to another state.
func (s *span) set(e *entry, to entryState) {
	s.count(e, -1)
	e.state = to
	s.count(e, 1)
}

// head returns the lowest wanted entry. All that is held waits for it.
func (s *span) head() (seq int, e *entry) {
	for s.next = max(s.next, s.base); s.next < s.end(); s.next++ {
		if e := s.entry(s.next); e.state == wanted {
			return s.next, e
		}
	}
	return 0, nil
}

// firstFree returns the sequence number of the lowest wanted entry without an
// order, or end.
func (s *span) firstFree() int {
	for s.free = max(s.free, s.base); s.free < s.end(); s.free++ {
		if e := s.entry(s.free); e.state == wanted && e.by[0] == 0 {
			break
		}
	}
	return s.free
}

// toHand returns the sequence number of the first entry that has not been handed
// to chain, or end.
func (s *span) toHand() int {
	q := s.base
	for q < s.end() && s.entry(q).state >= handed {
		q++
	}
	return q
}

// isNext says whether chain needs this entry next. Its block may always be held.
// Otherwise a full budget would be a deadlock.
func (s *span) isNext(seq int) bool { return seq <= s.toHand() }

// order notes that a peer was asked for a wanted block.
func (s *span) order(seq int, peer actor.ID, now time.Time) {
	e := s.entry(seq)
	if e.state != wanted || e.by[1] != 0 || e.by[0] == peer {
		panic(fmt.Sprintf("netsync: block %d cannot be ordered from %v", e.at.Height, peer))
	}
	s.count(e, -1)
	if e.by[0] == 0 {
		e.by[0], e.since = peer, now
	} else {
		e.by[1] = peer
	}
	s.count(e, 1)
}

// takeBack notes that a peer is no longer expected to deliver a block. It returns
// true if the peer was expected to and the block is still wanted.
func (s *span) takeBack(h chainhash.Hash, peer actor.ID) bool {
	q, ok := s.index[h]
	if !ok {
		return false
	}
	e := s.entry(q)
	if peer != e.by[0] && peer != e.by[1] {
		return false
	}
	s.count(e, -1)
	if peer == e.by[0] {
		e.by[0] = e.by[1]
	}
	e.by[1] = 0
	s.count(e, 1)
	if e.by[0] == 0 {
		s.free = min(s.free, q)
	}
	return true
}

// hold keeps a copy of a wanted block within a budget of bytes, and returns
// whether it did. If the budget is spent, the highest held blocks make room: they
// are needed last.
func (s *span) hold(h chainhash.Hash, block []byte, from actor.ID, budget int) bool {
	size := len(block)
	q := s.index[h]
	e := s.entry(q)
	if e.state != wanted {
		panic("netsync: a block that is not wanted is held")
	}
	for top := s.end() - 1; s.heldBytes+size > budget && top > q; top-- {
		if s.entry(top).state == held {
			s.drop(top)
		}
	}
	s.count(e, -1)
	e.by = [2]actor.ID{}
	kept := s.heldBytes+size <= budget || s.isNext(q)
	if kept {
		e.state, e.block, e.size, e.from = held, block, size, from
	} else {
		s.free = min(s.free, q)
	}
	s.count(e, 1)
	return kept
}

// drop makes an entry wanted, without a copy and without an order.
func (s *span) drop(seq int) {
	e := s.entry(seq)
	s.count(e, -1)
	*e = entry{at: e.at}
	s.count(e, 1)
	s.next, s.free = min(s.next, seq), min(s.free, seq)
}

// nextToHand returns the entry that chain needs next, if its block is here.
func (s *span) nextToHand() *entry {
	if q := s.toHand(); q < s.end() && s.entry(q).state == held {
		return s.entry(q)
	}
	return nil
}

// unhand takes a submitted block back to held. Chain could not judge it yet.
func (s *span) unhand(h chainhash.Hash) {
	if e := s.find(h); e != nil && e.state == handed {
		s.set(e, held)
	}
}

// refuse makes a submitted block wanted again. This copy was bad.
func (s *span) refuse(h chainhash.Hash) {
	if q, ok := s.index[h]; ok && s.entry(q).state == handed {
		s.drop(q)
	}
}

// finish notes that chain has a block.
func (s *span) finish(h chainhash.Hash) {
	if e := s.find(h); e != nil && e.state == handed {
		e.block = nil
		s.set(e, done)
	}
	s.pop()
}

// pop removes the entries at the front that are done.
func (s *span) pop() {
	for len(s.entries) > 0 && s.entries[0].state == done {
		delete(s.index, s.entries[0].at.Hash)
		s.entries = s.entries[1:] // a done entry has no block that would stay in memory
		s.base++
	}
}

// check verifies the sums and cursors against the entries.
func (s *span) check() error {
	var sum span
	for i := range s.entries {
		e := &s.entries[i]
		q := s.base + i
		sum.count(e, 1)
		switch {
		case s.index[e.at.Hash] != q:
			return fmt.Errorf("the index names entry %d for the block in entry %d", s.index[e.at.Hash], q)
		case (e.block != nil) != (e.state == held || e.state == handed):
			return fmt.Errorf("entry %d in state %d has a block: %v", q, e.state, e.block != nil)
		case e.state != wanted && e.by != [2]actor.ID{}, e.by[0] == 0 && e.by[1] != 0, e.by[0] != 0 && e.by[0] == e.by[1]:
			return fmt.Errorf("entry %d in state %d is ordered from %v", q, e.state, e.by)
		case i > 0 && e.at.Height <= s.entries[i-1].at.Height:
			return errors.New("heights do not rise")
		case e.state == wanted && q < s.next:
			return errors.New("a wanted entry is below the cursor next")
		case e.state == wanted && e.by[0] == 0 && q < s.free:
			return errors.New("an unordered entry is below the cursor free")
		}
	}
	if len(s.index) != len(s.entries) {
		return fmt.Errorf("%d in the index, %d entries", len(s.index), len(s.entries))
	}
	if sum.unordered != s.unordered || sum.ordered != s.ordered || sum.held != s.held || sum.heldBytes != s.heldBytes {
		return fmt.Errorf("counted %d unordered, %d ordered, %d held with %d bytes; noted %d, %d, %d, %d",
			sum.unordered, sum.ordered, sum.held, sum.heldBytes, s.unordered, s.ordered, s.held, s.heldBytes)
	}
	return nil
}

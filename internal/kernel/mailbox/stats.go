package mailbox

import (
	"fmt"

	"acyclic/internal/kernel/actor"
)

// Counts is what a box has seen since it was made.
type Counts struct {
	Taken   uint64 // inputs handed out
	Refused uint64 // puts that found the lane full
	Late    uint64 // answers that came after their question had timed out
	Stray   uint64 // answers to no open question: a second answer, or to a cell that died
	Expired uint64 // questions that timed out
	Dropped uint64 // peer traffic whose peer was gone
	Missed  uint64 // stream events lost to a slow subscriber
}

// Stats is what a box shows of itself (law L12).
type Stats struct {
	Counts
	Depth   [actor.NumLanes]int
	Oldest  int64 // when the oldest queued input was queued, a Stamp; zero: none
	Asking  int   // own questions without an answer
	Zombies int   // own questions given up, which the target still owes
	Owing   int   // questions of others without an answer
}

// Stats returns the figures as they are now.
func (b *Box) Stats() Stats {
	st := Stats{Counts: b.counts, Owing: len(b.owed)}
	st.Asking, st.Zombies = b.slots.count()
	for i := range b.lanes {
		st.Depth[i] = b.lanes[i].n
	}
	if o, ok := b.Oldest(); ok {
		st.Oldest = o.Since
	}
	return st
}

// Check verifies the box's invariants.
func (b *Box) Check() error {
	inLane, free := 0, 0
	for i := range b.slots.ports {
		free += len(b.slots.ports[i].free)
	}
	for i := range b.slots.all {
		switch b.slots.all[i].state {
		case slotAnswered, slotLate, slotSettled, slotFreed:
			inLane++
		case slotFree:
			free--
		}
	}
	if n := b.lanes[actor.Answers].n; n != inLane {
		return fmt.Errorf("%d answers are queued for %d slots that expect one", n, inLane)
	}
	if free != 0 {
		return fmt.Errorf("free list and free slots differ by %d", free)
	}
	r, asked := &b.lanes[actor.Questions], 0 // queued questions that want an answer
	for i := range r.n {
		if r.at(i).In.Call.Seq != 0 {
			asked++
		}
	}
	if asked > len(b.owed) {
		return fmt.Errorf("%d questions are queued, only %d are owed an answer", asked, len(b.owed))
	}
	return nil
}

package bus

import (
	"fmt"

	"acyclic/internal/kernel/actor"
)

// Snapshot is what a bus remembers, without its wiring. The explorer keeps
// copies of whole nodes.
type Snapshot struct {
	latest map[actor.TopicID]map[uint64]any // of the State topics that have subscribers
	used   map[actor.Kind]int
	seats  map[actor.ID]*seat
	seqs   map[actor.ID]uint32
}

// Save returns what the bus remembers, sharing its memory.
func (b *Bus) Save() *Snapshot {
	s := &Snapshot{
		latest: map[actor.TopicID]map[uint64]any{}, used: map[actor.Kind]int{},
		seats: b.seats, seqs: b.seqs,
	}
	for id, t := range b.topics {
		if t.Kind == actor.StateTopic && len(t.Subs) > 0 {
			s.latest[id] = t.latest
		}
	}
	for id, k := range b.kinds {
		s.used[id] = k.used
	}
	return s
}

// Load makes the bus remember what a snapshot holds, its memory included.
func (b *Bus) Load(s *Snapshot) {
	b.seats, b.seqs = s.seats, s.seqs
	for id, latest := range s.latest {
		b.topics[id].latest = latest
	}
	for id, used := range s.used {
		b.kinds[id].used = used
	}
}

// Life is how far a spawned cell is, as the bus knows it.
type Life struct {
	ID                   actor.ID
	Opened, Closed, Dead bool
	Waiting              int // subscribers, and the parent, that have not taken its last words
}

// Lives lists the seats that are taken, in order of ID.
func (b *Bus) Lives() []Life {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Life
	for _, id := range b.sorted() {
		p := b.seats[id]
		all = append(all, Life{id, p.opened != nil, p.closed, p.dead, len(p.waiting)})
	}
	return all
}

// Check verifies that the seats are counted right, and that a seat is free once all have
// seen the cell's end.
func (b *Bus) Check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	used := map[actor.Kind]int{}
	for _, id := range b.sorted() {
		p := b.seats[id]
		used[p.kind]++
		if p.dead && len(p.waiting) == 0 {
			return fmt.Errorf("the seat of %v is taken although all have seen its end", id)
		}
	}
	for id, k := range b.kinds {
		if k.used != used[id] || k.used > k.Seats {
			return fmt.Errorf("%d seats of kind %s are counted, %d are taken of %d", k.used, k.Name, used[id], k.Seats)
		}
	}
	return nil
}

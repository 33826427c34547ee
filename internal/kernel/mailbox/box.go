package mailbox

import (
	"acyclic/internal/kernel/actor"
)

// Box holds what is on its way to one cell. It is plain data without a lock.
type Box struct {
	id     actor.ID
	lanes  [actor.NumLanes]ring
	share  [actor.NumLanes]int
	slots  slots
	owed   map[actor.RawCall]struct{} // questions queued or taken, not answered
	latest map[stateKey]Envelope      // values whose token is queued
	states int                        // capacity of latest
	stream []streamState
	open   map[actor.ID]bool // publishers between Open and Close, as seen by Take; false: Close taken, traffic left
	queued map[actor.ID]int  // traffic queued by publisher
	done   []actor.ID        // publishers whose Close and last traffic have been taken
	counts Counts
}

// NewBox returns an empty box for the cell id.
func NewBox(id actor.ID, spec Spec) Box {
	b := Box{
		id:     id,
		slots:  newSlots(spec.Ports),
		owed:   make(map[actor.RawCall]struct{}),
		latest: make(map[stateKey]Envelope),
		open:   make(map[actor.ID]bool),
		queued: make(map[actor.ID]int),
		states: spec.States,
	}
	events := spec.States
	for _, s := range spec.Streams {
		b.stream = append(b.stream, streamState{Stream: s})
		events += s.Cap + 1 // one for Lagged
	}
	for lane, max := range [actor.NumLanes]int{spec.Control, len(b.slots.all), events, spec.Questions, spec.Inbound} {
		b.lanes[lane].max = max
	}
	s := spec.Share
	if s == (Shares{}) {
		s = DefaultShares
	}
	b.share = [actor.NumLanes]int{spec.Control, s.Answers, s.Events, s.Questions, s.Inbound}
	return b
}

// Put queues an envelope in its lane. It returns false when the lane is full. In
// control and inbound that is a wrong sum in the limits. Among questions it happens
// to spawned cells only.
func (b *Box) Put(e Envelope) bool { return b.put(&e) }

func (b *Box) put(e *Envelope) bool {
	if e.Lane == actor.Events {
		return b.putEvent(e)
	}
	room := b.lanes[e.Lane].push()
	if room == nil {
		b.counts.Refused++
		return false
	}
	*room = *e
	switch {
	case e.In.Call.Seq != 0:
		b.owed[e.In.Call] = struct{}{}
	case e.traffic():
		b.queued[e.In.From]++
	}
	return true
}

// Take appends the next batch to buf: everything in control and a share of each
// other lane, most urgent first, questions whose time is up included.
func (b *Box) Take(now int64, buf []Envelope) []Envelope {
	b.expire(now)
	for lane := range b.lanes {
		r := &b.lanes[lane]
		for left := b.share[lane]; left > 0 && r.n > 0; left-- {
			buf = append(buf, *r.first())
			r.drop()
			if last := len(buf) - 1; !b.taken(&buf[last]) {
				buf = buf[:last]
			}
		}
	}
	return buf
}

// TakeFirst takes the most urgent input alone.
func (b *Box) TakeFirst(now int64) (e Envelope, ok bool) {
	b.expire(now)
	for lane := range b.lanes {
		for r := &b.lanes[lane]; r.n > 0; {
			e = *r.first()
			if r.drop(); b.taken(&e) {
				return e, true
			}
		}
	}
	return Envelope{}, false
}

// taken does the books for an envelope that leaves the box. It returns false if the
// envelope is not to be delivered.
func (b *Box) taken(e *Envelope) bool {
	switch {
	case e.Lane == actor.Answers:
		b.takenAnswer(e.slot)
	case e.Lag:
		b.takenLag(e)
	case e.Lane == actor.Events:
		b.takenEvent(e)
	case e.Ledger:
		b.takenLedger(e)
	case e.traffic():
		if !b.takenTraffic(e) {
			return false
		}
	}
	b.counts.Taken++
	return true
}

// Reset empties the box because its cell died (law L11). It returns what the cell
// owed, to be settled with ErrGone, and the credit that the inputs held. The slots
// of its questions stay taken until their targets answer or die (law L3).
// Tickets are not reused.
func (b *Box) Reset() (owed []actor.RawCall, charges []Charge) {
	owed = b.Owed()
	r := &b.lanes[actor.Inbound]
	for i := range r.n {
		if c := r.at(i).Charge; c.Account != 0 {
			charges = append(charges, c)
		}
	}
	for i := range b.slots.all {
		switch s := &b.slots.all[i]; s.state {
		case slotOpen:
			b.slots.unlink(int32(i))
			s.state = slotZombie
		case slotLate:
			s.state = slotZombie
		case slotAnswered, slotSettled, slotFreed:
			b.slots.release(int32(i))
		}
	}
	for lane := range b.lanes {
		b.lanes[lane].reset()
	}
	for i := range b.stream {
		b.stream[i] = streamState{Stream: b.stream[i].Stream}
	}
	clear(b.owed)
	clear(b.latest)
	clear(b.open)
	clear(b.queued)
	b.done = nil
	return owed, charges
}

// Next is when the oldest open question times out, a Stamp. Zero means never.
func (b *Box) Next() int64 { return b.slots.next() }

// Empty says whether there is nothing to take before Next.
func (b *Box) Empty() bool {
	for i := range b.lanes {
		if b.lanes[i].n > 0 {
			return false
		}
	}
	return true
}

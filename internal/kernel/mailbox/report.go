package mailbox

import (
	"reflect"

	"acyclic/internal/kernel/actor"
)

// Oldest is the input that has been queued for longest (law L12).
type Oldest struct {
	Since int64 // a Stamp
	Lane  actor.Lane
	Type  reflect.Type // of its body
}

// Oldest returns it. ok is false if nothing is queued.
func (b *Box) Oldest() (o Oldest, ok bool) {
	var first *Envelope
	for i := range b.lanes {
		if r := &b.lanes[i]; r.n > 0 && (first == nil || r.first().Queued < first.Queued) {
			first = r.first()
		}
	}
	if first == nil {
		return Oldest{}, false
	}
	body := first.In.Body
	switch {
	case first.Lag:
		body = actor.Lagged{}
	case body == nil: // a token of the latest value
		body = b.latest[stateKey{first.Topic, first.In.Key}].In.Body
	}
	return Oldest{Since: first.Queued, Lane: first.Lane, Type: reflect.TypeOf(body)}, true
}

// Open is a question of the cell that has no answer. Nothing is kept for it
// beyond what its slot has anyway: the port knows the question's type and, as
// the difference of deadline and timeout, when it was asked.
type Open struct {
	Call     actor.RawCall
	Port     int
	Deadline int64 // a Stamp
	GivenUp  bool  // it timed out; the target still owes (law L3)
}

// Asking appends the questions that have no answer to buf, in the order of
// their slots.
func (b *Box) Asking(buf []Open) []Open {
	for i := range b.slots.all {
		switch s := &b.slots.all[i]; s.state {
		case slotOpen, slotLate, slotZombie:
			buf = append(buf, Open{
				Call: actor.RawCall{Asker: b.id, To: s.to, Slot: uint32(i), Seq: s.seq},
				Port: int(s.port), Deadline: s.deadline, GivenUp: s.state != slotOpen,
			})
		}
	}
	return buf
}

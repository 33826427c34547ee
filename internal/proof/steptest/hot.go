package steptest

import (
	"reflect"
	"time"

	"acyclic/internal/kernel/actor"
)

// The rig finds hot loops, in every test. A question that ended in ErrGone or ErrBusy
// ended at once, so a machine that asks it again at once spins. ErrTimeout is
// another matter: the port's time has passed, and the slot stays taken (law L3), so a
// window bounds what is asked at once.

// maxRepeats is how often one question may be asked at one moment, and
// maxAfterFailure how many of one kind after one of them has failed. A peer of a test
// may want the same block a hundred times, and there may be a hundred peers. A loop
// has no end.
const (
	maxRepeats      = 500
	maxAfterFailure = 500
)

// subject is what a question is about.
type subject struct {
	question reflect.Type
	to       actor.ID
	key      uint64
}

// moment is what the machine has asked by itself: since the clock moved, or since
// something came to it that is no answer and no Tick.
type moment struct {
	at     time.Time
	asked  map[subject][]repeat
	failed map[reflect.Type]int // questions asked after one of their kind has failed; no entry: none has
}

// repeat is one question, how often it was asked, and whether it has failed.
type repeat struct {
	q      any
	times  int
	failed bool
}

func (r *Rig) moment() *moment {
	if m := &r.hot; m.asked == nil || !m.at.Equal(r.Now) {
		*m = moment{r.Now, map[subject][]repeat{}, map[reflect.Type]int{}}
	}
	return &r.hot
}

// find returns what is known of a question at this moment.
func (m *moment) find(s subject, q any) *repeat {
	for i := range m.asked[s] {
		if k := &m.asked[s][i]; reflect.DeepEqual(k.q, q) {
			return k
		}
	}
	m.asked[s] = append(m.asked[s], repeat{q: q})
	return &m.asked[s][len(m.asked[s])-1]
}

// asks notes a question, and fails the test if it makes a hot loop.
func (r *Rig) asks(e actor.Effect) {
	r.t.Helper()
	m, s := r.moment(), subject{reflect.TypeOf(e.Body), e.To, r.keys[e.Call.Seq]}
	k := m.find(s, e.Body)
	k.times++
	n, after := m.failed[s.question]
	if after {
		m.failed[s.question]++
	}
	switch {
	case k.failed:
		r.t.Fatalf("steptest: a hot loop: %T to %v failed and is asked again at once", e.Body, e.To)
	case k.times > maxRepeats:
		r.t.Fatalf("steptest: a hot loop: %T to %v is asked %d times at one moment", e.Body, e.To, k.times)
	case n >= maxAfterFailure:
		r.t.Fatalf("steptest: a hot loop: %T is asked %d times at one moment after one has failed", e.Body, n+1)
	}
}

// fails notes that a question has ended without a value.
func (r *Rig) fails(a Asked, err error) {
	if err != actor.ErrGone && err != actor.ErrBusy {
		return
	}
	m, s := r.moment(), subject{reflect.TypeOf(a.q), a.To, r.keys[a.call.Seq]}
	m.find(s, a.q).failed = true
	if _, before := m.failed[s.question]; !before {
		m.failed[s.question] = 0
	}
}

package mailbox

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"acyclic/internal/actor"
)

// Spec says how much a box holds. Every number is a sum that the wiring derives
// from config/limits.go.
type Spec struct {
	Ports     []actor.PortSpec // the places for answers
	Control   int              // inputs in the control lane
	Questions int              // questions that callers may have outstanding
	Inbound   int              // messages of peer traffic
	States    int              // keys of all State topics, edges' latest included
	Streams   []Stream         // subscribed Stream topics
	Share     Shares
}

// Stream is a subscription to a Stream topic.
type Stream struct {
	Topic actor.TopicID
	Cap   int // events queued at most
}

// Shares is how many inputs of each lane one batch takes at most. Control is
// always taken whole: its capacity bounds it, and a peer's Ready must not be
// overtaken by that peer's messages (law L7).
type Shares struct{ Answers, Events, Questions, Inbound int }

// DefaultShares keep a batch short enough that Stop is obeyed at once, and long
// enough that a wake-up is paid for once per many messages.
var DefaultShares = Shares{Answers: 64, Events: 32, Questions: 16, Inbound: 16}

// Charge is credit that an envelope holds until it has been handled (law L5).
type Charge struct {
	Account actor.ID // the peer cell whose connection it came from; zero: none
	Bytes   int
}

// Envelope is one input on its way.
type Envelope struct {
	In     actor.Input
	Topic  actor.TopicID // of an event; zero: not from a topic
	Lane   actor.Lane
	Last   bool   // a ledger's Close
	Ledger bool   // a ledger's Open or Close; In.From is the key
	Lag    bool   // stands for the events that a Stream dropped
	Key    uint64 // of a State
	Queued int64  // unix nanoseconds
	Charge Charge
	slot   int32 // of an answer
}

// stateKey names a State's value, or the latest of an edge (topic 0).
type stateKey struct {
	topic actor.TopicID
	key   uint64
}

// streamState is a subscription at work.
type streamState struct {
	Stream
	queued  int
	lagging bool
	missed  uint64
}

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

// Box holds what is on its way to one cell. It is plain data without a lock.
type Box struct {
	id     actor.ID
	lanes  [actor.NumLanes]ring[Envelope]
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

// Put queues an envelope in its lane. It returns false when the lane is full:
// for control and inbound that is a bug in the sums of config/limits.go, for
// questions it happens at dynamic edges only.
func (b *Box) Put(e Envelope) bool {
	switch {
	case e.Lane == actor.Events:
		return b.putEvent(e)
	case !b.lanes[e.Lane].push(e):
		b.counts.Refused++
		return false
	}
	switch {
	case e.Lane == actor.Questions && e.In.Call.Seq != 0:
		b.owed[e.In.Call] = struct{}{}
	case e.Lane == actor.Inbound && e.Topic != 0:
		b.queued[e.In.From]++
	}
	return true
}

// putEvent queues a State's value in the place of an older one, or a Stream's
// event unless the subscriber lags.
func (b *Box) putEvent(e Envelope) bool {
	for i := range b.stream {
		if s := &b.stream[i]; s.Topic == e.Topic {
			b.putStream(s, e)
			return true
		}
	}
	k := stateKey{e.Topic, e.Key}
	if old, ok := b.latest[k]; ok {
		e.Queued = old.Queued // the reader has been slow since then
		b.latest[k] = e
		return true
	}
	if len(b.latest) == b.states {
		b.counts.Refused++
		return false
	}
	b.latest[k] = e
	b.lanes[actor.Events].push(Envelope{Topic: e.Topic, Key: e.Key, Lane: actor.Events, Queued: e.Queued})
	return true
}

func (b *Box) putStream(s *streamState, e Envelope) {
	switch {
	case s.lagging:
		s.missed++
	case s.queued == s.Cap:
		s.lagging, s.missed = true, 1
		b.lanes[actor.Events].push(Envelope{Topic: e.Topic, Lag: true, Lane: actor.Events, Queued: e.Queued})
	default:
		s.queued++
		b.lanes[actor.Events].push(e)
	}
}

// Reserve takes a place for an answer. ok is false when the port has none.
func (b *Box) Reserve(port int, to actor.ID, deadline time.Time, none any) (actor.RawCall, bool) {
	idx, ok := b.slots.reserve(port, to, deadline.UnixNano(), none)
	if !ok {
		return actor.RawCall{}, false
	}
	return actor.RawCall{Asker: b.id, To: to, Slot: uint32(idx), Seq: b.slots.all[idx].seq}, true
}

// Free counts a port's free places.
func (b *Box) Free(port int) int { return len(b.slots.ports[port].free) }

// Answer puts an answer into its reserved place. It cannot be refused (law L3).
// It returns false when the question is no longer open: the answer is counted
// and dropped (law L2).
func (b *Box) Answer(call actor.RawCall, body any, err error, now int64) bool {
	s := b.slots.find(call)
	if s == nil {
		b.counts.Stray++
		return false
	}
	switch s.state {
	case slotOpen:
		b.slots.unlink(int32(call.Slot))
		s.state = slotAnswered
		if err != nil {
			body = s.none
		}
		b.pushAnswer(int32(call.Slot), body, err, now)
		return true
	case slotLate:
		s.state = slotSettled
		b.counts.Late++
	case slotZombie:
		b.slots.release(int32(call.Slot))
		b.counts.Late++
	default:
		b.counts.Stray++
	}
	return false
}

func (b *Box) pushAnswer(idx int32, body any, err error, now int64) {
	s := &b.slots.all[idx]
	ok := b.lanes[actor.Answers].push(Envelope{
		In:   actor.Input{Body: body, From: s.to, Ticket: actor.Ticket(s.seq), Err: err},
		Lane: actor.Answers, Queued: now, slot: idx,
	})
	if !ok {
		panic("mailbox: an answer found no room in its reserved place")
	}
}

// expire ends the open questions whose time is up.
func (b *Box) expire(now int64) {
	for p := range b.slots.ports {
		for {
			idx := b.slots.ports[p].head
			if idx < 0 || b.slots.all[idx].deadline > now {
				break
			}
			b.slots.unlink(idx)
			b.slots.all[idx].state = slotLate
			b.counts.Expired++
			b.pushAnswer(idx, b.slots.all[idx].none, actor.ErrTimeout, now)
		}
	}
}

// Take appends the next batch to buf: everything in control and a share of each
// other lane, most urgent first, questions whose time is up included.
func (b *Box) Take(now int64, buf []Envelope) []Envelope {
	if at := b.slots.next(); at != 0 && at <= now {
		b.expire(now)
	}
	for lane := range b.lanes {
		r := &b.lanes[lane]
		for left := b.share[lane]; left > 0 && r.n > 0; left-- {
			e := r.pop()
			if b.taken(&e) {
				buf = append(buf, e)
			}
		}
	}
	return buf
}

// TakeFirst takes the most urgent input alone.
func (b *Box) TakeFirst(now int64) (e Envelope, ok bool) {
	if at := b.slots.next(); at != 0 && at <= now {
		b.expire(now)
	}
	for lane := range b.lanes {
		for r := &b.lanes[lane]; r.n > 0; {
			if e = r.pop(); b.taken(&e) {
				return e, true
			}
		}
	}
	return Envelope{}, false
}

// taken does the books for an envelope that leaves the box; false: it is not to
// be delivered.
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
	case e.Lane == actor.Inbound && e.Topic != 0:
		if !b.takenTraffic(e) {
			return false
		}
	}
	b.counts.Taken++
	return true
}

func (b *Box) takenAnswer(idx int32) {
	switch s := &b.slots.all[idx]; s.state {
	case slotAnswered, slotSettled:
		b.slots.release(idx)
	case slotLate:
		s.state = slotZombie
	}
}

func (b *Box) takenLag(e *Envelope) {
	for i := range b.stream {
		if s := &b.stream[i]; s.Topic == e.Topic {
			e.In.Body = actor.Lagged{Topic: e.Topic, N: s.missed}
			b.counts.Missed += s.missed
			s.lagging, s.missed = false, 0
		}
	}
}

func (b *Box) takenEvent(e *Envelope) {
	for i := range b.stream {
		if s := &b.stream[i]; s.Topic == e.Topic {
			s.queued--
			return
		}
	}
	k := stateKey{e.Topic, e.Key}
	*e = b.latest[k]
	delete(b.latest, k)
}

func (b *Box) takenLedger(e *Envelope) {
	id := e.In.From
	switch {
	case !e.Last:
		b.open[id] = true
	case b.queued[id] == 0:
		delete(b.open, id)
		b.done = append(b.done, id)
	default:
		b.open[id] = false // what is left of its traffic is dropped as it comes
	}
}

// takenTraffic says whether the publisher is between Open and Close; nobody
// sees a message of a peer before its Ready or after its Gone (law L7).
func (b *Box) takenTraffic(e *Envelope) bool {
	id := e.In.From
	left := b.queued[id] - 1
	if left > 0 {
		b.queued[id] = left
	} else {
		delete(b.queued, id)
	}
	open, known := b.open[id]
	if open {
		return true
	}
	b.counts.Dropped++
	if known && left == 0 {
		delete(b.open, id)
		b.done = append(b.done, id)
	}
	return false
}

// Done returns the publishers of ledgers of which nothing is left in the box,
// and forgets them.
func (b *Box) Done() []actor.ID {
	d := b.done
	b.done = nil
	return d
}

// Settle strikes a question from the ledger of owed answers; false when it is
// not there: it has been answered before.
func (b *Box) Settle(call actor.RawCall) bool {
	if _, ok := b.owed[call]; !ok {
		return false
	}
	delete(b.owed, call)
	return true
}

// Reset empties the box because its cell died (law L11): it returns what the
// cell owed, to be settled with ErrGone, and the credit that the inputs held. The
// places of the questions that the cell had asked stay taken until their targets
// answer or die (law L3); tickets are not reused.
func (b *Box) Reset() (owed []actor.RawCall, charges []Charge) {
	for call := range b.owed {
		owed = append(owed, call)
	}
	slices.SortFunc(owed, func(x, y actor.RawCall) int {
		return cmp.Or(cmp.Compare(x.Asker, y.Asker), cmp.Compare(x.Seq, y.Seq))
	})
	r := &b.lanes[actor.Inbound]
	for r.n > 0 {
		if e := r.pop(); e.Charge.Account != 0 {
			charges = append(charges, e.Charge)
		}
	}
	for i := range b.slots.all {
		switch s := &b.slots.all[i]; s.state {
		case slotOpen:
			b.slots.unlink(int32(i))
			s.state = slotZombie
		case slotLate:
			s.state = slotZombie
		case slotAnswered, slotSettled:
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

// Next is when the oldest open question times out, in unix nanoseconds; zero:
// never.
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

// Stats is what a box shows of itself (law L12).
type Stats struct {
	Counts
	Depth   [actor.NumLanes]int
	Oldest  int64 // when the oldest queued input was queued, unix nanoseconds; zero: none
	Asking  int   // own questions without an answer
	Zombies int   // own questions given up, which the target still owes
	Owing   int   // questions of others without an answer
}

// Stats returns the figures as they are now.
func (b *Box) Stats() Stats {
	st := Stats{Counts: b.counts, Owing: len(b.owed)}
	st.Asking, st.Zombies = b.slots.count()
	for i := range b.lanes {
		r := &b.lanes[i]
		st.Depth[i] = r.n
		if r.n > 0 && (st.Oldest == 0 || r.first().Queued < st.Oldest) {
			st.Oldest = r.first().Queued
		}
	}
	return st
}

// Owed lists the unanswered questions, and Asking the targets of the cell's own
// open questions: together the wait-for report.
func (b *Box) Owed() []actor.RawCall {
	var calls []actor.RawCall
	for c := range b.owed {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(x, y actor.RawCall) int { return cmp.Compare(x.Seq, y.Seq) })
	return calls
}

// Check verifies the box's invariants.
func (b *Box) Check() error {
	inLane := 0
	for i := range b.slots.all {
		switch b.slots.all[i].state {
		case slotAnswered, slotLate, slotSettled:
			inLane++
		}
	}
	if n := b.lanes[actor.Answers].n; n != inLane {
		return fmt.Errorf("%d answers are queued for %d places that expect one", n, inLane)
	}
	free := 0
	for i := range b.slots.ports {
		free += len(b.slots.ports[i].free)
	}
	for i := range b.slots.all {
		if b.slots.all[i].state == slotFree {
			free--
		}
	}
	if free != 0 {
		return fmt.Errorf("free list and free places differ by %d", free)
	}
	if q := b.questionsQueued(); q > len(b.owed) {
		return fmt.Errorf("%d questions are queued, only %d are owed an answer", q, len(b.owed))
	}
	return nil
}

// questionsQueued counts the queued questions that want an answer.
func (b *Box) questionsQueued() int {
	r, n := &b.lanes[actor.Questions], 0
	for i := range r.n {
		if r.buf[(r.head+i)%len(r.buf)].In.Call.Seq != 0 {
			n++
		}
	}
	return n
}

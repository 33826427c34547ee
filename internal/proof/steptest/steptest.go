// Package steptest drives one machine by hand. A test reads as a story: it gives
// the machine an input, and says which effect it wants next and why.
//
//	r := steptest.New(t, machine, ports.Specs)
//	r.Give(peer.Ready{Peer: 1})
//	_, asked := steptest.WantAsk[peer.Send](r, "a new peer is asked for headers")
//	r.Reply(asked, peer.Sent{})
//	r.Advance(time.Minute)
//	r.WantNothing("one question at a time")
//
// The machine's Check must hold after every step. The rig also holds it to its clock
// (clocks.go), and finds hot loops (hot.go). Churn finds leaks (leaks.go).
package steptest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Self is the ID of the machine under test.
const Self actor.ID = 1000

// Epoch is when a rig's clock starts.
var Epoch = time.Unix(1_600_000_000, 0).UTC()

// Rig is a machine on a bench.
type Rig struct {
	M   actor.Machine
	Now time.Time
	// SeatsLeft is how many cells the machine may still spawn.
	SeatsLeft int
	// Records are the log records so far.
	Records []actor.Record

	t       testing.TB
	out     *actor.Outbox
	box     mailbox.Box // the machine's: its questions take real slots
	seq     uint64      // the last question to the machine
	spawned uint32
	pending []actor.Effect

	last  time.Time         // of the last step
	over  bool              // the machine has finished, or was spoiled
	keys  map[uint64]uint64 // of its open questions, by their number
	asked map[uint64]Asked  // its open questions themselves
	hot   moment
}

// Asked is a question that the machine has asked.
type Asked struct {
	Ticket actor.Ticket
	To     actor.ID

	call actor.RawCall
	q    any
}

// AskedBy returns the question that an effect asks.
func AskedBy(e actor.Effect) Asked {
	return Asked{Ticket: actor.Ticket(e.Call.Seq), To: e.To, call: e.Call, q: e.Body}
}

// New puts m on the bench and gives it Start.
func New(t testing.TB, m actor.Machine, specs []actor.PortSpec) *Rig {
	t.Helper()
	r := &Rig{
		M: m, Now: Epoch, SeatsLeft: 1 << 20, t: t,
		box:  mailbox.NewBox(Self, mailbox.Spec{Ports: specs}),
		keys: map[uint64]uint64{}, asked: map[uint64]Asked{},
	}
	r.out = actor.NewOutbox(host{&r.box, r})
	r.Give(actor.Start{})
	return r
}

// host is what the machine's outbox takes slots and seats from.
type host struct {
	*mailbox.Box
	r *Rig
}

// Reserve notes the key of a question.
func (h host) Reserve(port int, to actor.ID, key uint64, deadline time.Time, none any) (actor.RawCall, bool) {
	call, ok := h.Box.Reserve(port, to, key, deadline, none)
	if ok {
		h.r.keys[call.Seq] = key
	}
	return call, ok
}

// Seat names a new cell.
func (h host) Seat(actor.Kind) (actor.ID, bool) {
	if h.r.SeatsLeft == 0 {
		return 0, false
	}
	h.r.SeatsLeft--
	h.r.spawned++
	return actor.Child(Self, h.r.spawned), true
}

// Seats counts the cells that the machine may still spawn.
func (h host) Seats(actor.Kind) int { return h.r.SeatsLeft }

// Give steps the machine with an event or an input of the driver.
func (r *Rig) Give(body any) { r.t.Helper(); r.step(actor.Input{Body: body}) }

// GiveFrom is Give with a sender.
func (r *Rig) GiveFrom(from actor.ID, body any) {
	r.t.Helper()
	r.step(actor.Input{Body: body, From: from})
}

// Ask steps the machine with a question and returns its handle for WantAnswer.
func (r *Rig) Ask(q any) actor.RawCall {
	r.t.Helper()
	r.seq++
	call := actor.RawCall{Asker: 999, To: Self, Seq: r.seq}
	r.step(actor.Input{Body: q, From: call.Asker, Call: call})
	return call
}

// Reply answers an open question of the machine.
func (r *Rig) Reply(a Asked, answer any) {
	r.t.Helper()
	if !actor.Fits(a.q, answer) {
		r.t.Fatalf("steptest: %T does not ask for %T", a.q, answer)
	}
	r.end(a, answer, nil)
}

// Fail ends an open question of the machine without a value. After ErrTimeout
// the slot stays taken until Late is called (law L3).
func (r *Rig) Fail(a Asked, err error) {
	r.t.Helper()
	r.end(a, nil, err)
}

func (r *Rig) end(a Asked, answer any, err error) {
	r.t.Helper()
	r.early() // as long as the slot is taken
	open := func(o mailbox.Open) bool { return o.Call == a.call && !o.GivenUp }
	if !slices.ContainsFunc(r.box.Asking(nil), open) {
		r.t.Fatalf("steptest: ticket %d is not open", a.Ticket)
	}
	r.fails(a, err)
	delete(r.keys, a.call.Seq)
	delete(r.asked, a.call.Seq)
	if err == actor.ErrTimeout {
		r.box.Expire(a.call, mailbox.Stamp(r.Now))
	} else {
		r.box.Answer(a.call, answer, err, mailbox.Stamp(r.Now))
	}
	r.deliver()
}

// Late brings the answer to a question that has timed out. The machine is given
// Freed.
func (r *Rig) Late(a Asked) {
	r.t.Helper()
	r.early()
	if !r.box.Answer(a.call, nil, actor.ErrGone, mailbox.Stamp(r.Now)) {
		r.t.Fatalf("steptest: ticket %d did not time out", a.Ticket)
	}
	r.deliver()
}

// Open counts the questions of the machine that have not had their end.
func (r *Rig) Open() int {
	n := 0
	for _, o := range r.box.Asking(nil) {
		if !o.GivenUp {
			n++
		}
	}
	return n
}

// StopBeside gives the machine Stop in a batch with an answer. Stop comes first, and the
// answer's slot is free already.
func (r *Rig) StopBeside(a Asked, answer any) {
	r.t.Helper()
	r.box.Answer(a.call, answer, nil, mailbox.Stamp(r.Now))
	if _, ok := r.box.TakeFirst(0); !ok {
		r.t.Fatalf("steptest: ticket %d is not open", a.Ticket)
	}
	delete(r.keys, a.call.Seq)
	r.step(actor.Input{Body: actor.Stop{}})
}

// deliver gives the machine what is in the answers lane.
func (r *Rig) deliver() {
	r.t.Helper()
	for e, ok := r.box.TakeFirst(0); ok; e, ok = r.box.TakeFirst(0) {
		r.step(e.In)
	}
}

// Advance moves the clock by d, with a Tick at each deadline on the way.
func (r *Rig) Advance(d time.Duration) {
	r.t.Helper()
	end := r.Now.Add(d)
	for range 100_000 {
		at := r.M.Deadline()
		if at.IsZero() || at.After(end) {
			r.Now = end
			r.early()
			return
		}
		if at.After(r.Now) {
			r.Now = at
		}
		r.Give(actor.Tick{})
	}
	r.t.Fatalf("steptest: 100,000 ticks in %v: the clock stands nearly still", d)
}

func (r *Rig) step(in actor.Input) {
	r.t.Helper()
	r.early()
	if _, tick := in.Body.(actor.Tick); !tick && in.Ticket == 0 {
		r.hot = moment{}
	}
	for _, e := range r.run(r.Now, in) {
		if rec, ok := e.Body.(actor.Record); ok && e.Kind == actor.Log {
			r.Records = append(r.Records, rec)
			continue
		}
		r.pending = append(r.pending, e)
		switch e.Kind {
		case actor.Ask:
			r.asked[e.Call.Seq] = AskedBy(e)
			r.asks(e)
		case actor.Finish:
			r.over = true
		}
	}
	if _, tick := in.Body.(actor.Tick); tick {
		r.moved()
	}
}

// run has the machine handle an input, and returns what it wants done.
func (r *Rig) run(now time.Time, in actor.Input) []actor.Effect {
	r.t.Helper()
	r.last = now
	r.out.Begin(now)
	r.M.Step(now, in, r.out)
	if err := r.M.Check(); err != nil {
		r.t.Fatalf("after %T: %v", in.Body, err)
	}
	return r.out.Effects()
}

// Pending returns the effects that no Want has taken yet.
func (r *Rig) Pending() []actor.Effect { return r.pending }

// Drop forgets the pending effects.
func (r *Rig) Drop() { r.pending = nil }

// take removes the first pending effect that fits. Without one the test fails:
// what says what was wanted.
func (r *Rig) take(why, what string, fits func(actor.Effect) bool) actor.Effect {
	r.t.Helper()
	i := slices.IndexFunc(r.pending, fits)
	if i < 0 {
		r.t.Fatalf("%s: want %s, have:%s", why, what, list(r.pending))
	}
	e := r.pending[i]
	r.pending = slices.Concat(r.pending[:i], r.pending[i+1:])
	return e
}

// WantEffect takes the first pending effect of a kind whose body is an E.
func WantEffect[E any](r *Rig, kind actor.EffectKind, why string) (E, actor.Effect) {
	r.t.Helper()
	e := wantBody[E](r, why, kind)
	return e.Body.(E), e
}

// Want takes the first pending event, tell or spawn whose body is an E.
func Want[E any](r *Rig, why string) E {
	r.t.Helper()
	return wantBody[E](r, why, actor.Publish, actor.Tell, actor.Spawn).Body.(E)
}

func wantBody[E any](r *Rig, why string, kinds ...actor.EffectKind) actor.Effect {
	r.t.Helper()
	var none E
	return r.take(why, fmt.Sprintf("%v of %T", kinds, none), func(e actor.Effect) bool {
		_, is := e.Body.(E)
		return is && slices.Contains(kinds, e.Kind)
	})
}

// WantAsk takes the first pending question of type Q.
func WantAsk[Q any](r *Rig, why string) (Q, Asked) {
	r.t.Helper()
	q, e := WantEffect[Q](r, actor.Ask, why)
	return q, AskedBy(e)
}

// WantAnswer takes the answer to call. It must be an A and no failure.
func WantAnswer[A any](r *Rig, call actor.RawCall, why string) A {
	r.t.Helper()
	e := r.answerTo(call, why)
	a, ok := e.Body.(A)
	if !ok || e.Err != nil {
		r.t.Fatalf("%s: the answer is %T %v, %v", why, e.Body, e.Body, e.Err)
	}
	return a
}

// WantRefused takes the answer to call. It must be ErrBusy.
func (r *Rig) WantRefused(call actor.RawCall, why string) {
	r.t.Helper()
	if e := r.answerTo(call, why); e.Err != actor.ErrBusy {
		r.t.Fatalf("%s: want a refusal, have %+v", why, e)
	}
}

func (r *Rig) answerTo(call actor.RawCall, why string) actor.Effect {
	r.t.Helper()
	return r.take(why, "an answer", func(e actor.Effect) bool { return e.Kind == actor.Answer && e.Call == call })
}

// WantFinish takes the machine's Finish and returns its reason.
func (r *Rig) WantFinish(why string) string {
	r.t.Helper()
	reason, _ := WantEffect[string](r, actor.Finish, why)
	return reason
}

// WantEnd takes the machine's order that a cell end.
func (r *Rig) WantEnd(cell actor.ID, why string) actor.End {
	r.t.Helper()
	e := r.take(why, fmt.Sprintf("an order that %v end", cell), func(e actor.Effect) bool {
		return e.Kind == actor.EndCell && e.To == cell
	})
	return e.Body.(actor.End)
}

// WantHalt takes the machine's Halt and returns its reason.
func (r *Rig) WantHalt(why string) error {
	r.t.Helper()
	return r.take(why, "halt", func(e actor.Effect) bool { return e.Kind == actor.Halt }).Err
}

// WantNothing fails the test if an effect is pending.
func (r *Rig) WantNothing(why string) {
	r.t.Helper()
	if len(r.pending) > 0 {
		r.t.Fatalf("%s: want nothing, have:%s", why, list(r.pending))
	}
}

func list(effects []actor.Effect) string {
	if len(effects) == 0 {
		return " nothing"
	}
	var b strings.Builder
	for _, e := range effects {
		fmt.Fprintf(&b, "\n\t%v %T %+v", e.Kind, e.Body, e.Body)
	}
	return b.String()
}

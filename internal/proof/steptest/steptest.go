// Package steptest drives one machine by hand, so that its tests read as a
// story: give it an input, say which effect you want next and why.
//
//	r := steptest.New(t, machine, ports.Specs)
//	r.Give(peer.Ready{Peer: 1})
//	ask := steptest.WantAsk[peer.Send](r, "a new peer is asked for headers")
//	r.Reply(ask, peer.Sent{})
//	r.Advance(time.Minute)
//	r.WantNothing("one question at a time")
//
// After every step the machine's Check must hold.
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
	// SeatsLeft is how many cells may still be spawned; tests set it.
	SeatsLeft int
	// Records are the log records so far.
	Records []actor.Record

	t       testing.TB
	out     *actor.Outbox
	box     mailbox.Box // the machine's: what it asks takes real slots
	seq     uint64      // of what the machine is asked
	spawned uint32
	pending []actor.Effect
}

// Asked is a question that the machine has asked.
type Asked struct {
	Ticket actor.Ticket
	To     actor.ID

	call actor.RawCall
	q    any
}

// AskedBy returns the question of an effect.
func AskedBy(e actor.Effect) Asked {
	return Asked{Ticket: actor.Ticket(e.Call.Seq), To: e.To, call: e.Call, q: e.Body}
}

// New puts m on the bench and gives it Start.
func New(t testing.TB, m actor.Machine, specs []actor.PortSpec) *Rig {
	t.Helper()
	r := &Rig{
		M: m, Now: Epoch, SeatsLeft: 1 << 20, t: t,
		box: mailbox.NewBox(Self, mailbox.Spec{Ports: specs}),
	}
	r.out = actor.NewOutbox(r)
	r.Give(actor.Start{})
	return r
}

// Reserve, Free, Seat and Seats are the actor.Host of the machine.
func (r *Rig) Reserve(port int, to actor.ID, key uint64, deadline time.Time, none any) (actor.RawCall, bool) {
	return r.box.Reserve(port, to, key, deadline, none)
}

// Free counts the free slots of a port.
func (r *Rig) Free(port int) int { return r.box.Free(port) }

// Seat names a new cell.
func (r *Rig) Seat(actor.Kind) (actor.ID, bool) {
	if r.SeatsLeft == 0 {
		return 0, false
	}
	r.SeatsLeft--
	r.spawned++
	return actor.Child(Self, r.spawned), true
}

// Seats counts the cells that may still be spawned.
func (r *Rig) Seats(actor.Kind) int { return r.SeatsLeft }

// Give steps the machine with an event or one of the driver's inputs.
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
	r.step(actor.Input{Body: q, From: 999, Call: call})
	return call
}

// Reply answers what the machine has asked. The question must not have had its
// end.
func (r *Rig) Reply(a Asked, answer any) {
	r.t.Helper()
	if !actor.Fits(a.q, answer) {
		r.t.Fatalf("steptest: %T does not ask for %T", a.q, answer)
	}
	r.end(a, answer, nil)
}

// Fail ends what the machine has asked without a value. After ErrTimeout the
// slot stays taken until Late is called (law L3).
func (r *Rig) Fail(a Asked, err error) {
	r.t.Helper()
	r.end(a, nil, err)
}

func (r *Rig) end(a Asked, answer any, err error) {
	r.t.Helper()
	open := func(o mailbox.Open) bool { return o.Call == a.call && !o.GivenUp }
	if !slices.ContainsFunc(r.box.Asking(nil), open) {
		r.t.Fatalf("steptest: ticket %d is not open", a.Ticket)
	}
	if err == actor.ErrTimeout {
		r.box.Expire(a.call, mailbox.Stamp(r.Now))
	} else {
		r.box.Answer(a.call, answer, err, mailbox.Stamp(r.Now))
	}
	r.deliver()
}

// Late is the answer to a question that has timed out. The machine is given
// Freed.
func (r *Rig) Late(a Asked) {
	r.t.Helper()
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

// deliver gives the machine what is in the answers lane.
func (r *Rig) deliver() {
	r.t.Helper()
	for {
		e, ok := r.box.TakeFirst(0)
		if !ok {
			return
		}
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
			return
		}
		if at.After(r.Now) {
			r.Now = at
		}
		r.Give(actor.Tick{})
	}
	r.t.Fatalf("steptest: 100,000 ticks in %v: the deadline does not move on", d)
}

func (r *Rig) step(in actor.Input) {
	r.t.Helper()
	r.out.Begin(r.Now)
	r.M.Step(r.Now, in, r.out)
	for _, e := range r.out.Effects() {
		if rec, ok := e.Body.(actor.Record); ok && e.Kind == actor.Log {
			r.Records = append(r.Records, rec)
			continue
		}
		r.pending = append(r.pending, e)
	}
	if err := r.M.Check(); err != nil {
		r.t.Fatalf("after %T: %v", in.Body, err)
	}
}

// Pending returns the effects that no Want has taken yet.
func (r *Rig) Pending() []actor.Effect { return r.pending }

// Drop forgets the pending effects.
func (r *Rig) Drop() { r.pending = nil }

// take removes the first pending effect that fits.
func (r *Rig) take(fits func(actor.Effect) bool) (actor.Effect, bool) {
	for i, e := range r.pending {
		if fits(e) {
			r.pending = append(r.pending[:i:i], r.pending[i+1:]...)
			return e, true
		}
	}
	return actor.Effect{}, false
}

// WantEffect takes the first pending effect of a kind whose body is an E.
func WantEffect[E any](r *Rig, kind actor.EffectKind, why string) (E, actor.Effect) {
	r.t.Helper()
	e, ok := r.take(func(e actor.Effect) bool {
		_, is := e.Body.(E)
		return e.Kind == kind && is
	})
	if !ok {
		var none E
		r.t.Fatalf("%s: want %v %T, have:%s", why, kind, none, r.list())
	}
	return e.Body.(E), e
}

// Want takes the first pending event or tell whose body is an E.
func Want[E any](r *Rig, why string) E {
	r.t.Helper()
	e, ok := r.take(func(e actor.Effect) bool {
		_, is := e.Body.(E)
		return is && (e.Kind == actor.Publish || e.Kind == actor.Tell || e.Kind == actor.Spawn)
	})
	if !ok {
		var none E
		r.t.Fatalf("%s: want %T, have:%s", why, none, r.list())
	}
	return e.Body.(E)
}

// WantAsk takes the first pending question of type Q.
func WantAsk[Q any](r *Rig, why string) (Q, Asked) {
	r.t.Helper()
	q, e := WantEffect[Q](r, actor.Ask, why)
	return q, AskedBy(e)
}

// WantAnswer takes the answer to call; it must be an A and no failure.
func WantAnswer[A any](r *Rig, call actor.RawCall, why string) A {
	r.t.Helper()
	e, ok := r.take(func(e actor.Effect) bool { return e.Kind == actor.Answer && e.Call == call })
	if !ok {
		r.t.Fatalf("%s: want an answer, have:%s", why, r.list())
	}
	a, ok := e.Body.(A)
	if !ok || e.Err != nil {
		r.t.Fatalf("%s: the answer is %T %v, %v", why, e.Body, e.Body, e.Err)
	}
	return a
}

// WantRefused takes the answer to call; it must be ErrBusy.
func (r *Rig) WantRefused(call actor.RawCall, why string) {
	r.t.Helper()
	e, ok := r.take(func(e actor.Effect) bool { return e.Kind == actor.Answer && e.Call == call })
	if !ok || e.Err != actor.ErrBusy {
		r.t.Fatalf("%s: want a refusal, have %+v and:%s", why, e, r.list())
	}
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
	e, ok := r.take(func(e actor.Effect) bool { return e.Kind == actor.EndCell && e.To == cell })
	if !ok {
		r.t.Fatalf("%s: want an order that %v end, have:%s", why, cell, r.list())
	}
	return e.Body.(actor.End)
}

// WantHalt takes the machine's Halt.
func (r *Rig) WantHalt(why string) error {
	r.t.Helper()
	e, ok := r.take(func(e actor.Effect) bool { return e.Kind == actor.Halt })
	if !ok {
		r.t.Fatalf("%s: want halt, have:%s", why, r.list())
	}
	return e.Err
}

// WantNothing fails when any effect is pending.
func (r *Rig) WantNothing(why string) {
	r.t.Helper()
	if len(r.pending) > 0 {
		r.t.Fatalf("%s: want nothing, have:%s", why, r.list())
	}
}

func (r *Rig) list() string {
	if len(r.pending) == 0 {
		return " nothing"
	}
	var b strings.Builder
	for _, e := range r.pending {
		fmt.Fprintf(&b, "\n\t%v %T %+v", e.Kind, e.Body, e.Body)
	}
	return b.String()
}

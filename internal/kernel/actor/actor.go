package actor

import (
	"errors"
	"fmt"
	"time"
)

// ID names a cell or an adapter. It is never reused. Zero is none.
//
// The high 32 bits of a spawned cell's ID are the ID of the cell that spawned
// it, the low 32 bits a sequence number. A static cell's ID is small.
type ID uint64

// Child returns the ID of the seq-th cell spawned by parent.
func Child(parent ID, seq uint32) ID { return parent<<32 | ID(seq) }

// Parent is the cell that spawned id, or zero for a static cell.
func (id ID) Parent() ID { return id >> 32 }

// String returns "7" for a static cell and "7.12" for the twelfth child of 7.
func (id ID) String() string {
	if p := id.Parent(); p != 0 {
		return fmt.Sprintf("%d.%d", uint64(p), uint32(id))
	}
	return fmt.Sprintf("%d", uint64(id))
}

// Machine is a component: a state machine that never waits (law L1).
type Machine interface {
	// Step handles one input and records its effects in out. now never goes
	// back between two steps of one machine. A panic in Step kills this cell
	// only: nothing of out is performed and the machine is rebuilt (law L11).
	Step(now time.Time, in Input, out *Outbox)

	// Deadline is when the machine next wants a Tick, derived from its state.
	// The zero time means never. As long as it lies in the past, each batch has
	// a Tick, so Step must move it (law L9). Time alone changes nothing before
	// the Deadline: a Tick that came early would have no effect and would not
	// move it. The bench gives such Ticks to every machine.
	Deadline() time.Time

	// Check verifies the machine's invariants. The simulator calls it after
	// every step.
	Check() error
}

// The ways a question can end without a value (law L2).
var (
	// ErrTimeout says that no answer came within the port's timeout. The target
	// may still be at work: what was asked may have happened.
	ErrTimeout = errors.New("no answer in time")

	// ErrGone says that the target stopped or crashed, before or after it
	// took the question.
	ErrGone = errors.New("the other side is gone")

	// ErrBusy says that the target did not take the question. Either it refused,
	// or it is a spawned cell whose inbox is full. The inbox of a static cell has
	// room for all that its callers may have outstanding (law L4).
	ErrBusy = errors.New("the other side is busy")
)

// Input is one thing a machine is given.
type Input struct {
	// Body is Start, Stop, Tick, Lagged, Ended, a question, an answer or an
	// event. Step switches on its type.
	Body any

	// From is the cell or adapter that sent it, or zero for the driver's own inputs.
	From ID

	// Ticket is set when Body is an answer: the ticket that Ask returned.
	Ticket Ticket

	// Key is what an answer, or Freed, is about: the key that the asker gave to
	// Ask. Of a State's value it is the State's key. A machine does not read it
	// in other inputs.
	Key uint64

	// Err is set when Body is an answer that failed: ErrTimeout, ErrGone or
	// ErrBusy. Body is then the zero answer, so that the type switch still
	// finds the right case.
	Err error

	// Call is set when Body is a question. Machines read it through the
	// question's own Call method, which knows the answer's type.
	Call RawCall
}

// The driver's own inputs.
type (
	// Start is the first input of every machine. Generation counts how often
	// the cell has been built: 0 at first, more after a crash.
	Start struct{ Generation uint32 }

	// Stop asks the cell to finish: bring itself in order and call
	// Outbox.Finish, in this step or soon after. Its debts are then
	// settled with ErrGone.
	Stop struct{}

	// Tick says that the machine's Deadline has come.
	Tick struct{}

	// Lagged says that N events of a Stream were dropped because this
	// subscriber was slow. It stands where they would have stood. The
	// subscriber resyncs from the owner (law L6).
	Lagged struct {
		Topic TopicID
		N     uint64
	}

	// Ended says that a spawned cell is no more. Its parent gets it exactly
	// once per spawned cell, after everything the cell sent to the parent.
	Ended struct {
		Child  ID
		Reason string
	}

	// End orders a spawned cell to end, see Outbox.End. Fault says that the
	// remote peer broke a rule.
	End struct {
		Reason string
		Fault  bool
	}

	// Freed says that the slot of a question that timed out is free again: the
	// target has answered, or died. The answer itself is dropped (laws L2, L3).
	// Freed comes in the slot that it frees, so it needs no room.
	Freed struct{}

	// Alive is given to a rebuilt parent, once per cell that it had spawned
	// and that lives on, right after Start (law L11).
	Alive struct {
		Child ID
		Arg   any
	}
)

// Ticket names one question of one cell until its answer has been delivered.
// Tickets are never reused. Zero is no ticket.
type Ticket uint64

// RawCall is the address of the slot reserved for an answer. It is plain data:
// a machine may keep it until the answer is known.
type RawCall struct {
	Asker ID     // the cell that asked
	To    ID     // the cell that owes the answer
	Slot  uint32 // the slot in the asker's table
	Seq   uint64 // the ticket: the slot's generation, never reused
}

// Ref is the ID of a cell or an adapter that answers T's questions. T is a
// marker in its contract. A port that leads to the wrong target does not compile.
type Ref[T any] ID

// Asks is embedded in a question. It names the answer and the target:
//
//	type SubmitBlock struct {
//		actor.Asks[Verdict, Chain]
//		Block *wire.MsgBlock
//	}
type Asks[A, T any] struct{}

// Call returns the typed handle with which the question in is answered. It
// panics when in is another question: a wrong answer is caught in the step that
// would give it.
func (Asks[A, T]) Call(in Input) Call[A] {
	if _, ok := in.Body.(answered[A]); !ok {
		var a A
		panic(fmt.Sprintf("actor: %T does not ask for %T", in.Body, a))
	}
	return Call[A]{in.Call}
}

func (Asks[A, T]) noAnswer() A { var a A; return a }

func (Asks[A, T]) target() (t T) { return t }

func (Asks[A, T]) takes(answer any) bool { _, ok := answer.(A); return ok }

// answered is a question that A answers.
type answered[A any] interface{ noAnswer() A }

// Question is a type with Asks[A, T] embedded.
type Question[A, T any] interface {
	answered[A]
	target() T
}

// fitting is a question that knows its answer's type.
type fitting interface{ takes(answer any) bool }

// Fits says whether an answer has the type that a question asks for. It is how a
// driver checks what an adapter's handler returns.
func Fits(question, answer any) bool {
	q, ok := question.(fitting)
	return ok && q.takes(answer)
}

// Call is the typed handle of a question that must be answered exactly once. It is
// plain data. The zero Call is no call.
type Call[A any] struct{ raw RawCall }

// IsZero says whether the call is no call.
func (c Call[A]) IsZero() bool { return c.raw == RawCall{} }

// Raw returns the untyped address, for drivers and for printing.
func (c Call[A]) Raw() RawCall { return c.raw }

// Answer ends the question with a value. Its slot was reserved when the
// question was asked, so it cannot be refused (law L3).
func (c Call[A]) Answer(out *Outbox, a A) {
	out.add(Effect{Kind: Answer, Call: c.raw, Body: a})
}

// Refuse ends the question with ErrBusy.
func (c Call[A]) Refuse(out *Outbox) {
	var none A
	out.add(Effect{Kind: Answer, Call: c.raw, Body: none, Err: ErrBusy})
}

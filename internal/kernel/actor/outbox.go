package actor

import "time"

// EffectKind says what a driver does with an Effect.
type EffectKind uint8

// The kinds of effect.
const (
	Ask     EffectKind = iota + 1 // Body is the question, Call its slot
	Answer                        // Body is the answer to Call, Err how it failed
	Publish                       // Body is the event on Topic
	Tell                          // Body is for the adapter To
	Spawn                         // Body is the argument of the new cell To
	Finish                        // the cell ends; Body is the reason, a string
	Log                           // Body is a Record
	Halt                          // the node must stop; Err says why
	EndCell                       // Body, an End, is for the spawned cell To
)

func (k EffectKind) String() string {
	return [...]string{"", "ask", "answer", "publish", "tell", "spawn", "finish", "log", "halt", "end"}[k]
}

// Effect is one thing that a machine wants done. Effects are performed by the
// driver after the step, in order. Only the fields named at its kind are set.
type Effect struct {
	Kind  EffectKind
	Last  bool // Publish: Delete or Close
	Topic TopicID
	To    ID
	Key   uint64
	Call  RawCall
	Body  any
	Err   error
}

// Lane is the urgency of an input, most urgent first (law L8).
type Lane uint8

// The lanes. A cell takes everything from Control and a share of every other
// lane in each batch: no lane starves, and nothing waits for more than a batch.
const (
	Control   Lane = iota // start, stop, lifecycle, death of a child
	Answers               // answers; a tick comes after those of a batch
	Events                // State and Stream topics
	Questions             // what others ask
	Inbound               // peer traffic, under credit
	NumLanes  = int(iota)
)

func (l Lane) String() string {
	return [...]string{"control", "answers", "events", "questions", "inbound"}[l]
}

// Level is the severity of a log record.
type Level uint8

// The levels, as logrus and btcd know them.
const (
	Error Level = iota + 1
	Warn
	Info
	Debug
	Trace
)

// Record is a log entry. Logging is an effect: a logger locks and writes, so an
// adapter does it. Fields are key, value, key, value.
type Record struct {
	Level  Level
	Msg    string
	Fields []any
}

// Host is what a driver lends to an Outbox. Its methods only look at the
// cell's own tables. They never wait.
type Host interface {
	// Reserve takes a slot for the answer to a question on a port.
	Reserve(port int, to ID, key uint64, deadline time.Time, none any) (RawCall, bool)

	// Free counts the free slots of a port.
	Free(port int) int

	// Seat takes a seat for a new cell of a kind and names it. ok is false
	// when all are taken.
	Seat(kind Kind) (id ID, ok bool)

	// Seats counts the free seats of a kind.
	Seats(kind Kind) int
}

// Kind names a kind of cell that can be spawned.
type Kind uint8

// Outbox records the effects of one step. It is lent to Step: a machine must
// not keep it.
type Outbox struct {
	now     time.Time
	host    Host
	effects []Effect
}

// NewOutbox returns an empty outbox for the cell behind host.
func NewOutbox(host Host) *Outbox { return &Outbox{host: host} }

// Begin empties the outbox for a step at now.
func (o *Outbox) Begin(now time.Time) {
	o.now = now
	clear(o.effects)
	o.effects = o.effects[:0]
}

// Effects returns what has been recorded since Begin, for the driver. The
// slice is valid until the next Begin.
func (o *Outbox) Effects() []Effect { return o.effects }

func (o *Outbox) add(e Effect) { o.effects = append(o.effects, e) }

func (o *Outbox) ask(port int, to ID, timeout time.Duration, key uint64, q, none any) (Ticket, bool) {
	call, ok := o.host.Reserve(port, to, key, o.now.Add(timeout), none)
	if ok {
		o.add(Effect{Kind: Ask, To: to, Call: call, Body: q})
	}
	return Ticket(call.Seq), ok
}

// Tell sends body to an adapter, which takes it without waiting. The machine
// bounds what it has told and not yet seen done, see its bounds.go.
func (o *Outbox) Tell(adapter ID, body any) { o.add(Effect{Kind: Tell, To: adapter, Body: body}) }

// Spawn makes a new cell with a fresh ID. ok is false if all seats of this kind are
// taken. The seat of an ended cell stays taken until all subscribers have seen its
// end. The parent is given Ended when the cell is no more.
func (o *Outbox) Spawn(kind Kind, arg any) (id ID, ok bool) {
	id, ok = o.host.Seat(kind)
	if ok {
		o.add(Effect{Kind: Spawn, To: id, Key: uint64(kind), Body: arg})
	}
	return id, ok
}

// Seats counts how many cells of a kind Spawn could make now.
func (o *Outbox) Seats(kind Kind) int { return o.host.Seats(kind) }

// End orders a spawned cell to end. Room for one order per cell is reserved, so
// it cannot be refused and needs no answer: the cell's end shows on its ledger.
// The first order counts. Later ones, and orders to a cell that is no more, are
// dropped.
func (o *Outbox) End(cell ID, reason string, fault bool) {
	o.add(Effect{Kind: EndCell, To: cell, Body: End{Reason: reason, Fault: fault}})
}

// Finish ends the cell after this step. Its debts are settled with ErrGone.
func (o *Outbox) Finish(reason string) { o.add(Effect{Kind: Finish, Body: reason}) }

// Halt stops the whole node, cleanly, because going on would be wrong (the
// database failed). err is shown to the user.
func (o *Outbox) Halt(err error) { o.add(Effect{Kind: Halt, Err: err}) }

// Log writes a record at a level. Fields are key, value, key, value.
func (o *Outbox) Log(level Level, msg string, fields ...any) {
	o.add(Effect{Kind: Log, Body: Record{Level: level, Msg: msg, Fields: fields}})
}

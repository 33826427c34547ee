package mailbox

import (
	"acyclic/internal/kernel/actor"
)

// Spec says how much a box holds. Every number is a sum that is derived from the
// wiring.
type Spec struct {
	Ports     []actor.PortSpec // the slots for answers
	Control   int              // inputs in the control lane
	Questions int              // questions that callers may have outstanding
	Inbound   int              // messages of peer traffic
	States    int              // keys of all State topics, adapters' latest included
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
	Last   bool  // a ledger's Close
	Ledger bool  // a ledger's Open or Close; In.From is the key
	Lag    bool  // stands for the events that a Stream dropped
	Queued int64 // a Stamp
	Charge Charge
	slot   int32 // of an answer
}

// traffic says whether the envelope is a Traffic event. What a socket's adapter
// delivers has no topic.
func (e *Envelope) traffic() bool { return e.Lane == actor.Inbound && e.Topic != 0 }

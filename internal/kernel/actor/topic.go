package actor

// TopicID names a topic in the wiring.
type TopicID uint16

// TopicKind says what happens when a subscriber is slow (law L6).
type TopicKind uint8

// The kinds of topic.
const (
	StateTopic   TopicKind = iota + 1 // the latest per key survives
	StreamTopic                       // a bounded ring; what it drops is said
	LedgerTopic                       // lossless; reserved with the seat
	TrafficTopic                      // lossless; bounded by the socket's credit
)

func (k TopicKind) String() string {
	return [...]string{"", "state", "stream", "ledger", "traffic"}[k]
}

// State keeps the latest value per key. A slow subscriber sees fewer values, but
// always the last one. A rebuilt subscriber is given the current values.
type State[E any] struct{ ID TopicID }

// Set publishes the value of key.
func (t State[E]) Set(out *Outbox, key uint64, e E) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Key: key, Body: e})
}

// Delete publishes e as the last value of key, the tombstone: subscribers see
// it like any other value, and then the topic forgets the key.
func (t State[E]) Delete(out *Outbox, key uint64, e E) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Key: key, Body: e, Last: true})
}

// Stream is a bounded sequence. A subscriber that is too slow is given Lagged
// with the number of events it has missed and resyncs from the owner.
type Stream[E any] struct{ ID TopicID }

// Publish appends e.
func (t Stream[E]) Publish(out *Outbox, e E) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Body: e})
}

// Ledger is lossless: each spawned cell may say Open once and Close once. The room
// for both at every subscriber is reserved with its seat. If the cell dies between
// the two, the driver says Close for it. Traffic of the cell reaches a subscriber
// only between the two (law L7).
type Ledger[O, C any] struct{ ID TopicID }

// Open publishes e, once in the publisher's life.
func (t Ledger[O, C]) Open(out *Outbox, e O) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Body: e})
}

// Close publishes e, once and after Open.
func (t Ledger[O, C]) Close(out *Outbox, e C) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Body: e, Last: true})
}

// MaxFanout is how many Traffic events one step may publish. With the credit
// of a connection it bounds what one peer can have queued anywhere (law L4).
const MaxFanout = 4

// Traffic carries what a remote peer sent, from its cell to the component that
// cares. An event takes over the credit of the socket read that caused it. The
// credit comes back when the subscriber has handled the event. So Traffic may be
// published only in a step whose input is traffic, at most MaxFanout times (law L5).
type Traffic[E any] struct{ ID TopicID }

// Publish passes e on.
func (t Traffic[E]) Publish(out *Outbox, e E) {
	out.add(Effect{Kind: Publish, Topic: t.ID, Body: e})
}

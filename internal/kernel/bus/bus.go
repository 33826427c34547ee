// Package bus publishes events to static subscribers. It keeps what a rebuilt
// subscriber has to be told again.
//
// There are four kinds of topic. Each says what happens when a subscriber is slow
// (law L6). State keeps the latest value per key. Stream is a bounded ring that
// says Lagged. Ledger is lossless because its entries were reserved with the seat.
// Traffic is lossless because each event rides on the credit of the socket read
// that caused it.
//
// The bus also counts the seats for spawned cells. Seat takes one. It comes free
// when the cell is dead and every subscriber, and the parent, have taken its last
// words. So at most two ledger entries per seat are queued at a subscriber,
// however slow it is and however fast connections come and go (law L4).
package bus

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// Topic describes one topic in the wiring.
type Topic struct {
	ID   actor.TopicID
	Name string
	Kind actor.TopicKind
	Subs []actor.ID
	// Cap is how many events of a Stream are queued at each subscriber.
	Cap int
	// Closed makes the Close of a cell that died between Open and Close.
	// Ledger only.
	Closed func(id actor.ID, opened any, reason string) any
}

// Kind describes a kind of cell that can be spawned.
type Kind struct {
	ID    actor.Kind
	Name  string
	Seats int // cells of this kind at most, with dead ones whose end is not seen by all
}

// Post puts an envelope into the mailbox of a cell.
type Post func(to actor.ID, e mailbox.Envelope)

// Bus routes events. Its mutex guards what must be atomic with a subscriber's rebuild.
// While it is held, envelopes are put into mailboxes, whose mutexes are leaves, and
// nothing else is called.
type Bus struct {
	mu     sync.Mutex
	topics map[actor.TopicID]*topic
	order  []actor.TopicID
	kinds  map[actor.Kind]*kind
	seats  map[actor.ID]*seat
	seqs   map[actor.ID]uint32
	post   Post
}

type topic struct {
	Topic
	latest map[uint64]any // of a State
}

type kind struct {
	Kind
	used int
}

// seat is what the bus knows of one spawned cell.
type seat struct {
	kind    actor.Kind
	parent  actor.ID
	arg     any
	spawned bool
	ledger  actor.TopicID
	opened  any // the event of Open; nil: not opened
	closed  bool
	dead    bool
	waiting map[wait]bool // for its last words to be taken
}

// wait is a cell that has not yet taken the last words of another: its Close and
// the traffic before that or, at the parent, its Ended.
type wait struct {
	cell  actor.ID
	ended bool
}

// New returns a bus with its topics and kinds. post must not call the bus.
func New(topics []Topic, kinds []Kind, post Post) *Bus {
	b := &Bus{
		topics: map[actor.TopicID]*topic{}, kinds: map[actor.Kind]*kind{},
		seats: map[actor.ID]*seat{}, seqs: map[actor.ID]uint32{}, post: post,
	}
	for _, t := range topics {
		b.topics[t.ID] = &topic{Topic: t, latest: map[uint64]any{}}
		b.order = append(b.order, t.ID)
	}
	for _, k := range kinds {
		b.kinds[k.ID] = &kind{Kind: k}
	}
	return b
}

// Publish sends an event of from to the subscribers of a topic. It returns an error, and
// sends nothing, if the publisher breaks the topic's rules: that is a bug.
func (b *Bus) Publish(now time.Time, from actor.ID, e actor.Effect, charge mailbox.Charge) error {
	t := b.topics[e.Topic]
	if t == nil {
		return fmt.Errorf("topic %d is not in the wiring", e.Topic)
	}
	env := mailbox.Envelope{
		In:    actor.Input{Body: e.Body, From: from, Key: e.Key},
		Topic: e.Topic, Queued: mailbox.Stamp(now),
	}
	switch t.Kind {
	case actor.StreamTopic:
		env.Lane = actor.Events
		b.send(t, env)
	case actor.TrafficTopic:
		if charge.Account == 0 {
			return fmt.Errorf("traffic on %s without credit", t.Name)
		}
		env.Lane, env.Charge = actor.Inbound, charge
		b.send(t, env)
	case actor.StateTopic:
		b.mu.Lock()
		defer b.mu.Unlock()
		t.latest[e.Key] = e.Body
		if e.Last {
			delete(t.latest, e.Key)
		}
		env.Lane = actor.Events
		b.send(t, env)
	case actor.LedgerTopic:
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.ledger(t, env, e.Last)
	}
	return nil
}

func (b *Bus) send(t *topic, env mailbox.Envelope) {
	for _, sub := range t.Subs {
		b.post(sub, env)
	}
}

// Subscribers counts the subscribers of a topic. The credit of an event is charged once
// for each.
func (b *Bus) Subscribers(id actor.TopicID) int { return len(b.topics[id].Subs) }

// IsTraffic says whether a topic carries peer traffic.
func (b *Bus) IsTraffic(id actor.TopicID) bool {
	t := b.topics[id]
	return t != nil && t.Kind == actor.TrafficTopic
}

func (b *Bus) ledger(t *topic, env mailbox.Envelope, last bool) error {
	p := b.seats[env.In.From]
	switch {
	case p == nil || !p.spawned:
		return fmt.Errorf("%s: cell %v has no seat in the ledger", t.Name, env.In.From)
	case !last && p.opened != nil:
		return fmt.Errorf("%s: cell %v opens twice", t.Name, env.In.From)
	case last && (p.opened == nil || p.closed):
		return fmt.Errorf("%s: cell %v closes what is not open", t.Name, env.In.From)
	}
	env.Lane, env.Ledger, env.Last = actor.Control, true, last
	if last {
		p.closed = true
		for _, sub := range t.Subs {
			p.waiting[wait{cell: sub}] = true
		}
	} else {
		p.opened, p.ledger = env.In.Body, t.ID
	}
	b.send(t, env)
	return nil
}

// Seat takes a seat for a new cell of a kind and names the cell. ok is false
// when all seats are taken.
func (b *Bus) Seat(parent actor.ID, k actor.Kind) (id actor.ID, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kd := b.kinds[k]
	if kd == nil || kd.used == kd.Seats {
		return 0, false
	}
	kd.used++
	b.seqs[parent]++
	id = actor.Child(parent, b.seqs[parent])
	b.seats[id] = &seat{kind: k, parent: parent, waiting: map[wait]bool{}}
	return id, true
}

// Seats counts the free seats of a kind.
func (b *Bus) Seats(k actor.Kind) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if kd := b.kinds[k]; kd != nil {
		return kd.Seats - kd.used
	}
	return 0
}

// Unseat gives back a seat whose cell was never spawned: the step that took
// it died.
func (b *Bus) Unseat(id actor.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.seats[id]; p != nil && !p.spawned {
		b.release(id, p)
	}
}

// Spawned notes that the cell of a seat lives, with its argument.
func (b *Bus) Spawned(id actor.ID, arg any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.seats[id]
	p.spawned, p.arg = true, arg
}

// Died closes the dead cell's ledger entry, if it is open, and tells the parent.
// It is called once per spawned cell, when the cell can publish no more.
func (b *Bus) Died(now time.Time, id actor.ID, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.seats[id]
	if p == nil || p.dead {
		return
	}
	if p.opened != nil && !p.closed {
		t := b.topics[p.ledger]
		b.ledger(t, mailbox.Envelope{
			In:    actor.Input{Body: t.Closed(id, p.opened, reason), From: id},
			Topic: t.ID, Queued: mailbox.Stamp(now),
		}, true)
	}
	p.dead = true
	p.waiting[wait{cell: p.parent, ended: true}] = true
	b.post(p.parent, mailbox.Envelope{
		In:   actor.Input{Body: actor.Ended{Child: id, Reason: reason}, From: id},
		Lane: actor.Control, Queued: mailbox.Stamp(now),
	})
}

// Drained notes that a subscriber has taken the Close of a cell and the last of
// its traffic or, with ended, that its parent has taken its Ended.
func (b *Bus) Drained(sub, id actor.ID, ended bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drained(sub, id, ended)
}

func (b *Bus) drained(sub, id actor.ID, ended bool) {
	p := b.seats[id]
	if p == nil {
		return
	}
	delete(p.waiting, wait{sub, ended})
	if p.dead && len(p.waiting) == 0 {
		b.release(id, p)
	}
}

func (b *Bus) release(id actor.ID, p *seat) {
	b.kinds[p.kind].used--
	delete(b.seats, id)
}

// Rebuild tells a rebuilt cell what it must know. reset empties its mailbox and
// queues Start. Then comes an Alive for each living cell that it has spawned, the
// Opens that stand, and the State values. All of it is one atomic act, so nothing
// is told twice or left out.
func (b *Bus) Rebuild(now time.Time, cell actor.ID, reset func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	reset()
	ids := b.living(cell)
	for _, id := range ids {
		if p := b.seats[id]; p.parent == cell && p.spawned && !p.dead {
			b.post(cell, mailbox.Envelope{
				In:   actor.Input{Body: actor.Alive{Child: id, Arg: p.arg}, From: id},
				Lane: actor.Control, Queued: mailbox.Stamp(now),
			})
		}
	}
	for _, tid := range b.order {
		t := b.topics[tid]
		if slices.Contains(t.Subs, cell) {
			b.replay(now, t, cell, ids)
		}
	}
}

// living forgets what the dead cell will not take any more and returns the remaining seats
// in order.
func (b *Bus) living(cell actor.ID) []actor.ID {
	for _, id := range b.sorted() {
		b.drained(cell, id, false)
		b.drained(cell, id, true)
	}
	return b.sorted()
}

func (b *Bus) sorted() []actor.ID { return slices.Sorted(maps.Keys(b.seats)) }

func (b *Bus) replay(now time.Time, t *topic, cell actor.ID, ids []actor.ID) {
	env := mailbox.Envelope{Topic: t.ID, Queued: mailbox.Stamp(now)}
	switch t.Kind {
	case actor.LedgerTopic:
		env.Lane, env.Ledger = actor.Control, true
		for _, id := range ids {
			if p := b.seats[id]; p.opened != nil && !p.closed && p.ledger == t.ID {
				env.In = actor.Input{Body: p.opened, From: id}
				b.post(cell, env)
			}
		}
	case actor.StateTopic:
		env.Lane = actor.Events
		for _, k := range slices.Sorted(maps.Keys(t.latest)) {
			env.In = actor.Input{Body: t.latest[k], Key: k}
			b.post(cell, env)
		}
	}
}

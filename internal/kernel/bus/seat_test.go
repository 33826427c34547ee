package bus

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// A seat of a step that died comes free. A seat whose cell lives does not, and who has
// none changes nothing.
func TestL4OnlyAnUnusedSeatIsGivenBack(t *testing.T) {
	b := newBench()
	free := func(what string, want int) {
		t.Helper()
		if n := b.Seats(1); n != want || b.Check() != nil {
			t.Errorf("%s: %d seats are free, want %d; %v", what, n, want, b.Check())
		}
	}
	lives, _ := b.Seat(parent, 1)
	b.Spawned(lives, nil)
	taken, _ := b.Seat(parent, 1)
	free("two are taken", seats-2)
	b.Unseat(lives)
	b.Unseat(actor.Child(parent, 99))
	free("a living cell's", seats-2)
	b.Unseat(taken)
	free("an unused one", seats-1)
	next, ok := b.Seat(parent, 1)
	if !ok || next == taken || next == lives || next.Parent() != parent {
		t.Errorf("the next seat is %v, after %v and %v", next, lives, taken)
	}
	b.Died(time.Time{}, actor.Child(parent, 99), "nobody")
	b.Drained(watcher, actor.Child(parent, 99), false)
	b.Drained(watcher, lives, false)
	free("the end of nobody", seats-2)
	if b.err != nil || len(b.take(parent)) != 0 {
		t.Errorf("the parent hears of the end of nobody; %v", b.err)
	}
}

// A kind that is not in the wiring has no seats, and each kind has its own.
func TestL4EachKindHasItsSeats(t *testing.T) {
	b := New(nil, []Kind{{ID: 1, Name: "peer", Seats: 1}, {ID: 2, Name: "helper", Seats: 2}}, nil)
	if _, ok := b.Seat(parent, 3); ok || b.Seats(3) != 0 {
		t.Errorf("an unknown kind has %d seats", b.Seats(3))
	}
	b.Seat(parent, 2)
	if id, ok := b.Seat(watcher, 1); !ok || id != actor.Child(watcher, 1) {
		t.Errorf("the first cell of another parent is %v, %v", id, ok)
	}
	if b.Seats(1) != 0 || b.Seats(2) != 1 {
		t.Errorf("%d and %d seats are free", b.Seats(1), b.Seats(2))
	}
	if id, ok := b.Seat(watcher, 1); ok || id != 0 {
		t.Errorf("no seat is left, and it is %v, %v", id, ok)
	}
}

// A cell closes its ledger, or the bus does it for a cell that has not: never both.
func TestL7OneCloseOfEach(t *testing.T) {
	for _, polite := range []bool{false, true} {
		b := newBench()
		made := 0
		closed := b.topics[lifeline].Closed
		b.topics[lifeline].Closed = func(id actor.ID, opened any, reason string) any {
			made++
			if opened != (ready{id}) {
				t.Errorf("the Close is made of %v", opened)
			}
			return closed(id, opened, reason)
		}
		id, _ := b.Seat(parent, 1)
		b.Spawned(id, nil)
		b.publish(id, lifeline, ready{id}, false)
		if polite {
			b.publish(id, lifeline, gone{id, "by itself"}, true)
		}
		b.Died(time.Time{}, id, "crashed")
		want := []any{ready{id}, gone{id, "crashed"}}
		if polite {
			want[1] = gone{id, "by itself"}
		}
		got := b.take(watcher)
		if len(got) != 2 || got[0] != want[0] || got[1] != want[1] || (made == 0) != polite {
			t.Errorf("polite: %v: the subscriber hears %v, want %v; %d were made", polite, got, want, made)
		}
		if got := b.take(parent); len(got) != 1 || got[0] != (actor.Ended{Child: id, Reason: "crashed"}) {
			t.Errorf("polite: %v: the parent hears %v", polite, got)
		}
	}
}

// A cell that says nothing on a ledger ends without one.
func TestACellThatNeverOpened(t *testing.T) {
	b := newBench()
	id, _ := b.Seat(parent, 1)
	b.Spawned(id, nil)
	b.Died(time.Time{}, id, "left")
	if got := b.take(watcher); len(got) != 0 {
		t.Errorf("the subscriber hears %v", got)
	}
	if b.take(parent); b.Seats(1) != seats {
		t.Errorf("%d seats are free, want all", b.Seats(1))
	}
}

// Only what carries peer traffic is traffic. Who breaks a topic's rules is told so.
func TestTheKindOfATopic(t *testing.T) {
	b := newBench()
	for id, want := range map[actor.TopicID]bool{traffic: true, lifeline: false, weather: false, 99: false} {
		if got := b.IsTraffic(id); got != want {
			t.Errorf("topic %d is traffic: %v", id, got)
		}
	}
	if b.Subscribers(weather) != 1 {
		t.Errorf("%d subscribers", b.Subscribers(weather))
	}
	for name, err := range map[string]error{
		"a component opens":  b.publish(parent, lifeline, ready{}, false),
		"a component closes": b.publish(parent, lifeline, gone{}, true),
	} {
		if err == nil {
			t.Errorf("%s what only a connection has", name)
		}
	}
	if got := b.take(watcher); len(got) != 0 {
		t.Errorf("the subscriber hears %v", got)
	}
}

// Each topic has its lane. Traffic brings its charge.
func TestEachTopicHasItsLane(t *testing.T) {
	var sent []mailbox.Envelope
	var to []actor.ID
	b := New([]Topic{
		{ID: 1, Kind: actor.StreamTopic, Subs: []actor.ID{parent, watcher}}, {ID: 2, Kind: actor.TrafficTopic, Subs: []actor.ID{watcher}},
		{ID: 3, Kind: actor.StateTopic, Subs: []actor.ID{watcher}}, {ID: 4, Kind: actor.LedgerTopic, Subs: []actor.ID{watcher}},
	}, []Kind{{ID: 1, Seats: 1}}, func(id actor.ID, e mailbox.Envelope) { to, sent = append(to, id), append(sent, e) })
	id, _ := b.Seat(parent, 1)
	b.Spawned(id, nil)
	now := time.Unix(100, 0)
	charge := mailbox.Charge{Account: id, Bytes: 10}
	for topic, want := range map[actor.TopicID]mailbox.Envelope{
		1: {Lane: actor.Events}, 2: {Lane: actor.Inbound, Charge: charge}, 3: {Lane: actor.Events}, 4: {Lane: actor.Control, Ledger: true},
	} {
		sent, to = nil, nil
		if err := b.Publish(now, id, actor.Effect{Topic: topic, Body: "event", Key: 5}, charge); err != nil {
			t.Error(err)
		}
		want.Topic, want.Queued = topic, mailbox.Stamp(now)
		want.In = actor.Input{Body: "event", From: id, Key: 5}
		if len(sent) != b.Subscribers(topic) || to[len(to)-1] != watcher || sent[0] != want {
			t.Errorf("%+v is sent to %v, want %+v", sent, to, want)
		}
	}
}

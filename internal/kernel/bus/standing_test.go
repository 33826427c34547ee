package bus

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
)

// rebuild empties a cell's box and tells the cell what stands.
func (b *bench) rebuild(cell actor.ID) []any {
	b.Rebuild(time.Unix(100, 0), cell, func() { b.boxes[cell].Reset() })
	return b.take(cell)
}

// A rebuilt parent is told of the cells that live: not of one that has died, whose end
// others have not seen, of a seat without a cell, or of another parent's cells.
func TestL11OnlyTheLivingAreTold(t *testing.T) {
	b := newBench()
	spawn := func(parent actor.ID) actor.ID {
		id, _ := b.Seat(parent, 1)
		b.Spawned(id, "arg")
		return id
	}
	dead, lives := spawn(parent), spawn(parent)
	spawn(watcher)
	b.Seat(parent, 1)
	b.publish(dead, lifeline, ready{dead}, false)
	b.Died(time.Time{}, dead, "left") // the watcher sleeps
	if got, want := fmt.Sprint(b.rebuild(parent)), fmt.Sprint([]any{actor.Alive{Child: lives, Arg: "arg"}}); got != want {
		t.Errorf("the parent is told %v, want %v", got, want)
	}
	if n := b.Seats(1); n != 0 {
		t.Errorf("%d seats are free, and the watcher has not seen the end", n)
	}
	b.take(watcher)
	if n := b.Seats(1); n != 1 {
		t.Errorf("%d seats are free: the rebuilt parent need not see the end", n)
	}
}

// A rebuilt subscriber goes on hearing the peers that are ready, not one that has left. It is told of those of
// its own ledgers only, in the lanes of always.
func TestL11ARebuiltSubscriberGoesOn(t *testing.T) {
	const other actor.TopicID = 7
	b := newBench()
	b.topics[other] = &topic{Topic: Topic{ID: other, Name: "other life", Kind: actor.LedgerTopic, Subs: []actor.ID{parent}}}
	b.order = append(b.order, other)
	spawn := func() actor.ID {
		id, _ := b.Seat(parent, 1)
		b.Spawned(id, nil)
		return id
	}
	peer, quiet, elsewhere, leaving := spawn(), spawn(), spawn(), spawn()
	b.publish(peer, lifeline, ready{peer}, false)
	b.publish(leaving, lifeline, ready{leaving}, false)
	b.publish(leaving, lifeline, gone{leaving, "left"}, true) // its cell still lives
	b.publish(elsewhere, other, ready{elsewhere}, false)
	b.Publish(time.Time{}, 9, actor.Effect{Topic: weather, Body: "sun", Key: 5}, mailbox.Charge{})

	var lanes []actor.Lane
	send := b.post
	b.post = func(to actor.ID, e mailbox.Envelope) {
		lanes = append(lanes, e.Lane)
		if from, key := e.In.From, e.In.Key; e.Lane == actor.Control && from != peer || e.Lane == actor.Events && key != 5 {
			t.Errorf("it is told of key %d, from %v", key, from)
		}
		send(to, e)
	}
	if got, want := fmt.Sprint(b.rebuild(watcher)), fmt.Sprint([]any{ready{peer}, "sun"}); got != want {
		t.Errorf("the subscriber is told %v, want %v", got, want)
	}
	if fmt.Sprint(lanes) != "[control events]" {
		t.Errorf("it is told in %v", lanes)
	}
	b.post = send
	b.publish(peer, traffic, message{peer, 1}, false)
	b.publish(quiet, traffic, message{quiet, 1}, false)
	if got, want := fmt.Sprint(b.take(watcher)), fmt.Sprint([]any{message{peer, 1}}); got != want {
		t.Errorf("it hears %v, want %v", got, want)
	}
}

// What the explorer saves of a bus it gets back: seats, lives, values.
func TestASavedBusComesBack(t *testing.T) {
	b := newBench()
	unheard := actor.TopicID(8)
	b.topics[unheard] = &topic{Topic: Topic{ID: unheard, Kind: actor.StateTopic}, latest: map[uint64]any{}}
	lives, _ := b.Seat(parent, 1)
	b.Spawned(lives, "arg")
	b.publish(lives, lifeline, ready{lives}, false)
	dead, _ := b.Seat(parent, 1)
	b.Spawned(dead, nil)
	b.publish(dead, lifeline, ready{dead}, false)
	b.Died(time.Time{}, dead, "left")
	leaving, _ := b.Seat(parent, 1)
	b.Spawned(leaving, nil)
	b.publish(leaving, lifeline, ready{leaving}, false)
	b.publish(leaving, lifeline, gone{leaving, "left"}, true)
	b.publish(9, weather, "sun", false)
	b.publish(9, unheard, "noise", false)
	saved := b.Save()
	if _, kept := saved.latest[unheard]; kept || len(saved.latest) != 1 {
		t.Errorf("what nobody hears is saved: %v", saved.latest)
	}

	other := newBench()
	other.topics[unheard] = &topic{Topic: Topic{ID: unheard, Kind: actor.StateTopic}, latest: map[uint64]any{}}
	other.Load(saved)
	want := []Life{{lives, true, false, false, 0}, {dead, true, true, true, 2}, {leaving, true, true, false, 1}}
	if got := other.Lives(); fmt.Sprint(got) != fmt.Sprint(want) || fmt.Sprint(b.Lives()) != fmt.Sprint(want) {
		t.Errorf("the lives are %v and %v, want %v", b.Lives(), got, want)
	}
	if n := other.Seats(1); n != seats-3 || other.Check() != nil {
		t.Errorf("%d seats are free: %v", n, other.Check())
	}
	if next, _ := other.Seat(parent, 1); next != actor.Child(parent, 4) {
		t.Errorf("the next cell is %v", next)
	}
	if got, want := fmt.Sprint(other.rebuild(watcher)), fmt.Sprint([]any{ready{lives}, "sun"}); got != want {
		t.Errorf("a rebuilt subscriber is told %v, want %v", got, want)
	}
}

// A check that never fails would prove nothing.
func TestTheCheckOfSeats(t *testing.T) {
	for name, spoil := range map[string]func(*Bus, *seat){
		"a seat is counted twice":        func(b *Bus, _ *seat) { b.kinds[1].used++ },
		"all have seen the end":          func(_ *Bus, p *seat) { p.dead = true },
		"more seats are taken than are":  func(b *Bus, _ *seat) { b.kinds[1].Seats = 0 },
		"a seat is free and not counted": func(b *Bus, _ *seat) { clear(b.seats) },
	} {
		b := newBench()
		id, _ := b.Seat(parent, 1)
		if err := b.Check(); err != nil {
			t.Fatal(err)
		}
		spoil(b.Bus, b.seats[id])
		if b.Check() == nil {
			t.Errorf("the check does not notice: %s", name)
		}
	}
}

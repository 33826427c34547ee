package mailbox

import (
	"fmt"
	"testing"

	"acyclic/internal/kernel/actor"
)

// ledger is the Open or Close of a publisher, event a piece of its traffic.
func ledger(of actor.ID, last bool) Envelope {
	return Envelope{In: actor.Input{From: of}, Lane: actor.Control, Topic: 1, Ledger: true, Last: last}
}

func event(of actor.ID, body any) Envelope {
	return Envelope{In: actor.Input{From: of, Body: body}, Lane: actor.Inbound, Topic: 2}
}

func value(key uint64, body any) Envelope {
	return Envelope{In: actor.Input{Key: key, Body: body}, Lane: actor.Events, Topic: 3}
}

func news(body any) Envelope {
	return Envelope{In: actor.Input{Body: body}, Lane: actor.Events, Topic: 4}
}

// bodies takes a batch.
func (b *Box) bodies() string {
	var all []any
	for _, e := range b.Take(0, nil) {
		all = append(all, e.In.Body)
	}
	return fmt.Sprint(all)
}

// The successor of a dead cell begins with nothing: no input, no debt, and nothing of what
// the dead one knew of publishers, values and streams.
func TestL11ASuccessorBeginsWithNothing(t *testing.T) {
	const open, left, leaving actor.ID = 7, 8, 9
	b := NewBox(1, Spec{Control: 9, Questions: 9, Inbound: 9, States: 1, Streams: []Stream{{Topic: 4, Cap: 1}}})
	// The dead cell has seen one publisher open, another one leave with a message still
	// queued, and a third one leave for good.
	for _, e := range []Envelope{ledger(open, false), ledger(left, false), ledger(leaving, false), ledger(leaving, true),
		ledger(left, true), event(left, "old")} {
		b.Put(e)
	}
	b.share[actor.Inbound] = 0
	b.Take(0, nil)
	b.share[actor.Inbound] = 9
	owed := actor.RawCall{Asker: 7, To: 1, Seq: 5}
	for _, e := range []Envelope{event(open, "old"), value(1, "old"), news("old"), news("old"), question(owed), ledger(open, true)} {
		if !b.Put(e) {
			t.Fatalf("%+v is refused", e)
		}
	}

	b.Reset()
	if done := b.Done(); !b.Empty() || len(done) > 0 || b.Settle(owed) || len(b.Owed()) > 0 {
		t.Errorf("the successor finds %v; nothing is left of %v; it owes %v", b.Stats(), done, b.Owed())
	}
	// It hears again what stands, and what comes from now on. Nothing is compared with
	// what the dead cell knew.
	b.Put(event(open, "before its Ready"))
	b.Put(event(left, "after its Gone"))
	b.Put(value(1, "value"))
	b.Put(news("news"))
	b.Put(news("missed"))
	want := fmt.Sprint([]any{"value", "news", actor.Lagged{Topic: 4, N: 1}})
	if got := b.bodies(); got != want || b.Stats().Dropped != 2 || len(b.Done()) != 0 {
		t.Errorf("it is given %v, want %v; %+v", got, want, b.Stats())
	}
	b.Put(ledger(open, false))
	b.Put(ledger(open, true))
	b.Take(0, nil)
	if done := b.Done(); len(done) != 1 || done[0] != open {
		t.Errorf("a publisher without traffic has left, and %v are done", done)
	}
}

// What a dead cell owed is returned in a fixed order, with the credit of inputs only.
func TestL11DebtsComeInOrder(t *testing.T) {
	b := NewBox(1, Spec{Questions: 9, Inbound: 9})
	for _, c := range []actor.RawCall{{Asker: 8, Seq: 1}, {Asker: 7, Seq: 9}, {Asker: 8, Seq: 3}, {Asker: 7, Seq: 2}} {
		b.Put(question(c))
	}
	b.Put(Envelope{Lane: actor.Questions}) // it wants no answer
	for i := range 3 {
		b.Put(Envelope{Lane: actor.Inbound, Charge: Charge{Account: actor.ID(i), Bytes: i}})
	}
	owed, charges := b.Reset()
	if got, want := fmt.Sprint(owed), "[{7 0 0 2} {7 0 0 9} {8 0 0 1} {8 0 0 3}]"; got != want {
		t.Errorf("it owed %v, want %v", got, want)
	}
	if got, want := fmt.Sprint(charges), "[{1 1} {2 2}]"; got != want {
		t.Errorf("its inputs held %v, want %v", got, want)
	}
}

// Nothing is kept of a publisher that has left, whatever it left behind.
func TestL4NothingIsKeptOfWhoHasLeft(t *testing.T) {
	for _, story := range [][]Envelope{
		{ledger(7, false), ledger(7, true)},
		{ledger(7, false), event(7, "a"), event(7, "b"), ledger(7, true)},
		{event(7, "before its Ready"), ledger(7, false), ledger(7, true), event(7, "after its Gone")},
	} {
		b := NewBox(1, Spec{Control: 9, Inbound: 9})
		for _, e := range story {
			b.Put(e)
			b.share[actor.Inbound] = 1
			if e.Last { // it is seen with traffic left
				b.share[actor.Inbound] = 0
			}
			if e.Lane == actor.Control {
				b.Take(0, nil)
			}
		}
		b.share[actor.Inbound] = 1
		for !b.Empty() {
			b.Take(0, nil)
		}
		if done := b.Done(); fmt.Sprint(done) != "[7]" || len(b.open)+len(b.queued) > 0 {
			t.Errorf("%d events: done %v, kept %v and %v", len(story), done, b.open, b.queued)
		}
		if len(b.Done()) > 0 {
			t.Error("it is done twice")
		}
	}
}

// A subscriber that lags catches up: behind Lagged the stream goes on.
func TestL6AStreamGoesOnBehindLagged(t *testing.T) {
	b := NewBox(1, Spec{States: 1, Streams: []Stream{{Topic: 5, Cap: 1}, {Topic: 4, Cap: 2}}})
	for i := range 5 {
		if !b.Put(news(i)) {
			t.Fatalf("event %d is refused", i)
		}
	}
	if !b.Put(value(1, "value")) {
		t.Error("a stream takes the room of a value")
	}
	other := news("other")
	other.Topic = 5
	if !b.Put(other) {
		t.Error("a stream takes the room of another one")
	}
	if got, want := b.bodies(), fmt.Sprint([]any{0, 1, actor.Lagged{Topic: 4, N: 3}, "value", "other"}); got != want || b.Stats().Missed != 3 {
		t.Errorf("it is given %v, want %v; %+v", got, want, b.Stats())
	}
	for round := range 3 {
		b.Put(news(round))
		b.Put(news(round))
		if got := b.bodies(); got != fmt.Sprint([]any{round, round}) {
			t.Errorf("round %d: it is given %v", round, got)
		}
	}
	if b.Stats().Missed != 3 {
		t.Errorf("%+v", b.Stats())
	}
}

// A State has room for its keys. A newer value takes the place of the older one and stays
// where that stands.
func TestL6ANewerValueNeedsNoRoom(t *testing.T) {
	b := NewBox(1, Spec{States: 2})
	b.Put(value(1, "older"))
	b.Put(value(2, "other"))
	if !b.Put(value(1, "newer")) || b.Put(value(3, "one too many")) {
		t.Error("two keys have their room, and no third one")
	}
	if got := b.bodies(); got != "[newer other]" || b.Stats().Refused != 1 {
		t.Errorf("it is given %v, %+v", got, b.Stats())
	}
	if !b.Put(value(3, "now")) || b.bodies() != "[now]" || len(b.latest) > 0 {
		t.Errorf("what has been taken has left its room: %v", b.latest)
	}
}

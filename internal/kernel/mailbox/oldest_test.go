package mailbox

import (
	"reflect"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// The oldest input is named, in whichever lane it is. Of two that are as old it is the more
// urgent one.
func TestL12TheOldestInput(t *testing.T) {
	for _, c := range []struct {
		control, questions, inbound int64 // when these were queued; zero: not
		lane                        actor.Lane
		since                       int64
	}{
		{10, 20, 30, actor.Control, 10},
		{20, 10, 30, actor.Questions, 10},
		{30, 20, 10, actor.Inbound, 10},
		{0, 20, 30, actor.Questions, 20},
		{0, 0, 30, actor.Inbound, 30},
		{20, 20, 30, actor.Control, 20},
		{30, 20, 20, actor.Questions, 20},
	} {
		b := NewBox(1, Spec{Control: 1, Questions: 1, Inbound: 1})
		for lane, at := range map[actor.Lane]int64{actor.Control: c.control, actor.Questions: c.questions, actor.Inbound: c.inbound} {
			if at > 0 {
				b.Put(Envelope{Lane: lane, Queued: at, In: actor.Input{Body: lane}})
			}
		}
		want := Oldest{Since: c.since, Lane: c.lane, Type: reflect.TypeOf(c.lane)}
		if o, ok := b.Oldest(); !ok || o != want || b.Stats().Oldest != c.since {
			t.Errorf("%+v: it names %+v, want %+v", c, o, want)
		}
	}
}

// What stands for other events is named by what the cell will be given.
func TestL12WhatIsLateIsNamed(t *testing.T) {
	b := NewBox(1, Spec{States: 1, Streams: []Stream{{Topic: 4, Cap: 1}}})
	b.Put(news(1))
	b.Put(news(2))
	b.Take(0, nil)
	for want, e := range map[any]Envelope{"": value(1, "value"), 0: news(1)} {
		b.Put(e)
		if o, _ := b.Oldest(); o.Type != reflect.TypeOf(want) || o.Lane != actor.Events {
			t.Errorf("a %T is named %v", want, o)
		}
		b.Take(0, nil)
	}
	b.stream[0].Cap = 0
	lost := news(3)
	lost.Queued = 40
	b.Put(lost)
	if o, _ := b.Oldest(); o.Type != reflect.TypeOf(actor.Lagged{}) || o.Since != 40 {
		t.Errorf("Lagged is named %v", o)
	}
}

// A report may be made at any time, again and again.
func TestL12ReportsLeaveNothingLocked(t *testing.T) {
	m := New(1, Spec{Control: 1, Ports: port(1)}, func() {})
	m.Put(Envelope{Lane: actor.Control, Queued: 10})
	m.Reserve(0, 2, 0, begin, "none")
	for range 2 {
		if o, ok := m.Oldest(); !ok || o.Since != 10 || len(m.Asking(nil)) != 1 || len(m.Owed()) != 0 || m.Free(0) != 0 || m.Check() != nil {
			t.Errorf("the oldest is %+v, %v", o, ok)
		}
	}
}

// Each question without an answer shows its port. It is given up once its time is up, even
// if the cell has not taken that yet.
func TestL12AQuestionThatIsGivenUp(t *testing.T) {
	b := NewBox(1, Spec{Ports: append(port(1), port(2)...)})
	var calls []actor.RawCall
	for _, p := range []int{1, 0, 1} {
		call, _ := b.Reserve(p, 2, 0, time.Unix(9, 0), "none")
		calls = append(calls, call)
	}
	b.Expire(calls[0], 1)
	b.Take(1, nil)
	b.Expire(calls[1], 1)
	want := map[actor.RawCall]Open{
		calls[0]: {Call: calls[0], Port: 1, Deadline: 9 * second, GivenUp: true},
		calls[1]: {Call: calls[1], Port: 0, Deadline: 9 * second, GivenUp: true},
		calls[2]: {Call: calls[2], Port: 1, Deadline: 9 * second},
	}
	asking := b.Asking(nil)
	for _, o := range asking {
		if o != want[o.Call] {
			t.Errorf("it asks %+v, want %+v", o, want[o.Call])
		}
	}
	if st := b.Stats(); len(asking) != 3 || st.Asking != 1 || st.Zombies != 2 {
		t.Errorf("it asks %d, %+v", len(asking), st)
	}
}

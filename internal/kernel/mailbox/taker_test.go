package mailbox

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// sleepy is a mailbox that counts whom it wakes.
type sleepy struct {
	*Mailbox
	woken int
}

func newSleepy(spec Spec) *sleepy {
	s := &sleepy{}
	s.Mailbox = New(1, spec, func() { s.woken++ })
	return s
}

func (s *sleepy) put(lane actor.Lane) Result { return s.Put(Envelope{Lane: lane}) }

var noTime time.Time

// A sleeping taker is woken once, by the first thing that comes. Nobody is woken who is
// awake.
func TestL1ASleeperIsWokenOnce(t *testing.T) {
	takers := map[string]func(*sleepy) bool{
		"Take":      func(s *sleepy) bool { _, _, what := s.Take(noTime, nil); return what == Asleep },
		"TakeFirst": func(s *sleepy) bool { _, _, ok := s.TakeFirst(noTime); return !ok },
		"TakeOne":   func(s *sleepy) bool { _, what := s.TakeOne(); return what == Asleep },
		"Rest":      func(s *sleepy) bool { return s.Rest() },
	}
	for name, take := range takers {
		s := newSleepy(Spec{Questions: 9, Control: 9, Ports: port(1)})
		step := func(what string, want int) {
			t.Helper()
			if s.woken != want {
				t.Errorf("%s: %s: it has been woken %d times, want %d", name, what, s.woken, want)
			}
		}
		if s.put(actor.Questions); take(s) {
			t.Errorf("%s: it sleeps, and something is there", name)
		}
		s.put(actor.Questions)
		step("awake", 0)
		if s.Mailbox.box.Take(0, nil); !take(s) {
			t.Errorf("%s: nothing is there, and it does not sleep", name)
		}
		s.put(actor.Questions)
		step("asleep", 1)
		s.put(actor.Questions)
		step("woken already", 1)
		s.Mailbox.box.Take(0, nil)
		take(s)
		call, _ := s.Reserve(0, 2, 0, time.Unix(9, 0), "none")
		step("a question of its own", 1)
		if s.Answer(actor.RawCall{Slot: 99}, "answer", nil, noTime) || !s.Answer(call, "answer", nil, noTime) {
			t.Errorf("%s: only the second answer is one", name)
		}
		step("an answer", 2)
		s.Mailbox.box.Take(0, nil)
		take(s)
		s.Reset(Envelope{Lane: actor.Control})
		step("its cell is rebuilt", 3)
		if first := s.Mailbox.box.Take(0, nil); len(first) != 1 || first[0].Lane != actor.Control {
			t.Errorf("%s: the successor is given %+v", name, first)
		}
		take(s)
		s.Rewind()
		s.Close()
		step("closed", 4)
		if s.put(actor.Questions) != Closed {
			t.Errorf("%s: a closed mailbox takes a question", name)
		}
		step("closed already", 4)
	}
}

// Each sleeping worker is woken by a question of its own, and all are when the adapter is
// closed.
func TestL1EachSleepingWorkerIsWoken(t *testing.T) {
	s := newSleepy(Spec{Questions: 9})
	sleep := func(n int) {
		for range n {
			if _, what := s.TakeOne(); what != Asleep {
				t.Fatalf("nothing is there, and a worker is %v", what)
			}
		}
	}
	sleep(3)
	for i := range 4 {
		s.put(actor.Questions)
		if want := min(i+1, 3); s.woken != want {
			t.Errorf("%d questions have woken %d workers, want %d", i+1, s.woken, want)
		}
	}
	for range 4 {
		if _, what := s.TakeOne(); what != Awake {
			t.Errorf("a question is there, and a worker is %v", what)
		}
	}
	sleep(2)
	s.Close()
	if s.woken != 5 {
		t.Errorf("%d sleepers have been woken, want the two that slept when it closed", s.woken-3)
	}
	if _, what := s.TakeOne(); what != Over {
		t.Errorf("it is closed, and a worker is %v", what)
	}
}

// Nothing gets into a closed mailbox, and what was in it is returned.
func TestL11AClosedMailboxRefuses(t *testing.T) {
	s := newSleepy(Spec{Questions: 9, Inbound: 9, Ports: port(1)})
	mine, _ := s.Reserve(0, 2, 0, time.Unix(9, 0), "none")
	owed := actor.RawCall{Asker: 7, To: 1, Seq: 5}
	s.Put(question(owed))
	charge := Charge{Account: 9, Bytes: 10}
	s.Put(Envelope{Lane: actor.Inbound, Charge: charge})
	s.Put(Envelope{Lane: actor.Inbound})
	if got := s.Owed(); len(got) != 1 || got[0] != owed {
		t.Errorf("it owes %v, want %v", got, owed)
	}
	debts, charges := s.Close()
	if fmt.Sprint(debts, charges) != fmt.Sprint([]actor.RawCall{owed}, []Charge{charge}) {
		t.Errorf("it owes %v and holds %v", debts, charges)
	}
	if s.put(actor.Questions) != Closed || s.Answer(mine, "answer", nil, noTime) || s.Settle(owed) {
		t.Error("something gets into a closed mailbox")
	}
	if batch, _, what := s.Take(noTime, nil); len(batch) != 0 || what != Over {
		t.Errorf("a taker finds %v and is %v", batch, what)
	}
}

// A full lane refuses, and counts. It takes no other lane's room.
func TestL4AFullLaneRefuses(t *testing.T) {
	s := newSleepy(Spec{Control: 1, Questions: 2, Inbound: 3, States: 4})
	event := 0
	for lane, room := range map[actor.Lane]int{actor.Control: 1, actor.Questions: 2, actor.Inbound: 3, actor.Events: 4} {
		before := s.Stats()
		for i := range room + 1 {
			want := Queued
			if i == room {
				want = Full
			}
			event++
			if got := s.Put(Envelope{Lane: lane, Topic: 1, In: actor.Input{Key: uint64(event)}}); got != want {
				t.Errorf("%v: put %d: %v, want %v", lane, i, got, want)
			}
		}
		if st := s.Stats(); st.Depth[lane] != room || st.Refused != before.Refused+1 {
			t.Errorf("%v: %+v", lane, st)
		}
	}
}

// The most urgent input comes first, one at a time, and questions end at their time.
func TestL8OneAtATime(t *testing.T) {
	s := newSleepy(Spec{Control: 1, Questions: 1, Inbound: 2, States: 1, Ports: port(1)})
	for _, lane := range []actor.Lane{actor.Inbound, actor.Questions, actor.Events, actor.Control} {
		s.Put(Envelope{Lane: lane, In: actor.Input{Body: lane}})
	}
	s.Put(Envelope{Lane: actor.Inbound, Topic: 3, In: actor.Input{From: 99}}) // traffic of nobody: dropped
	s.Reserve(0, 2, 0, time.Unix(1, 0), "none")
	for _, want := range []actor.Lane{actor.Control, actor.Answers, actor.Events, actor.Questions, actor.Inbound} {
		at := time.Unix(0, 0)
		if want != actor.Control {
			at = time.Unix(1, 0) // now the question's time is up
		}
		e, next, ok := s.TakeFirst(at)
		if !ok || e.Lane != want {
			t.Errorf("it is given %+v, %v, want something of %v", e, ok, want)
		}
		if (want == actor.Control) != (next == second) {
			t.Errorf("after %v the next clock is at %d", want, next)
		}
	}
	e, _, ok := s.TakeFirst(time.Unix(1, 0))
	if st := s.Stats(); ok || e.In.Body != nil || st.Taken != 5 || st.Dropped != 1 || !s.Mailbox.box.Empty() {
		t.Errorf("nothing is left, and it is given %+v, %+v", e, st)
	}
}

// A batch that was dropped whole is followed by the next: something is left.
func TestATakerOfDroppedTrafficDoesNotSleep(t *testing.T) {
	s := newSleepy(Spec{Inbound: 9, Share: Shares{Inbound: 4}})
	for range 4 {
		s.Put(Envelope{Lane: actor.Inbound, Topic: 3, In: actor.Input{From: 99}})
	}
	s.Put(Envelope{Lane: actor.Inbound})
	if batch, _, what := s.Take(noTime, nil); len(batch) != 0 || what != Awake {
		t.Errorf("it is given %v and is %v", batch, what)
	}
	if batch, _, _ := s.Take(noTime, nil); len(batch) != 1 {
		t.Errorf("it is given %v, want what was left", batch)
	}
	if s.Stats().Dropped != 4 || len(s.Done()) != 0 {
		t.Errorf("traffic of nobody: %+v", s.Stats())
	}
}

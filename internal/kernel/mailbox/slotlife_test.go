package mailbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
)

// life plays events on a box with one slot and writes down what comes of each.
type life struct {
	Box
	call actor.RawCall
	now  int64
}

// play returns what the cell is given, and for each answer whether there was something
// new to take.
func (l *life) play(t *testing.T, event string) string {
	t.Helper()
	l.now++
	switch event {
	case "answer":
		return fmt.Sprint(l.Answer(l.call, "answer", nil, l.now))
	case "fail":
		return fmt.Sprint(l.Answer(l.call, "garbage", actor.ErrGone, l.now))
	case "time out":
		l.Expire(l.call, l.now)
	case "die":
		l.Reset()
	case "take":
		var given []string
		for _, e := range l.Take(l.now, nil) {
			given = append(given, l.name(t, e))
		}
		return strings.Join(given, "+")
	}
	return ""
}

// name says what an input is. Whatever it is, it tells whom and what it is about.
func (l *life) name(t *testing.T, e Envelope) string {
	t.Helper()
	want := actor.Input{Body: e.In.Body, Err: e.In.Err, From: 2, Key: 7, Ticket: actor.Ticket(l.call.Seq)}
	name := fmt.Sprint(e.In.Body)
	if _, freed := e.In.Body.(actor.Freed); freed {
		want.Ticket, name = 0, "freed" // the question has had its end
	}
	if e.In != want || e.Lane != actor.Answers || e.Queued == 0 || e.Queued >= l.now {
		t.Errorf("it is given %+v, want %+v", e, want)
	}
	if e.In.Err != nil {
		name += ": " + e.In.Err.Error()
	}
	return name
}

// Each question has its end, once, and its slot comes free when the target owes nothing any
// more. A cell that dies knows nothing of its questions, but their slots do.
func TestL2TheLifeOfASlot(t *testing.T) {
	const timedOut, gone = "none: no answer in time", "none: the other side is gone"
	type row struct {
		events string
		comes  string // of each event, if something does
		free   int
		asking int
		counts Counts
	}
	for _, c := range []row{
		{"", "", 0, 1, Counts{}},
		{"answer", "true", 0, 0, Counts{}},
		{"answer, take", "true, answer", 1, 0, Counts{Taken: 1}},
		{"fail, take", "true, " + gone, 1, 0, Counts{Taken: 1}},
		{"answer, answer, take", "true, false, answer", 1, 0, Counts{Taken: 1, Stray: 1}},
		{"answer, take, answer", "true, answer, false", 1, 0, Counts{Taken: 1, Stray: 1}},
		{"time out", "", 0, 0, Counts{Expired: 1}},
		{"time out, time out, take", timedOut, 0, 0, Counts{Expired: 1, Taken: 1}},
		{"time out, answer, take", "false, " + timedOut, 1, 0, Counts{Expired: 1, Late: 1, Taken: 1}},
		{"time out, answer, answer", "false, false", 0, 0, Counts{Expired: 1, Late: 1, Stray: 1}},
		{"time out, take, answer", timedOut + ", true", 0, 0, Counts{Expired: 1, Late: 1, Taken: 1}},
		{"time out, take, answer, take", timedOut + ", true, freed", 1, 0, Counts{Expired: 1, Late: 1, Taken: 2}},
		{"time out, take, answer, answer", timedOut + ", true, false", 0, 0, Counts{Expired: 1, Late: 1, Taken: 1, Stray: 1}},
		{"die, take", "", 0, 0, Counts{}},
		{"die, answer, take", "true, freed", 1, 0, Counts{Late: 1, Taken: 1}},
		{"answer, die, take", "true", 1, 0, Counts{}},
		{"time out, die, answer, take", "true, freed", 1, 0, Counts{Expired: 1, Late: 1, Taken: 1}},
		{"time out, answer, die, answer", "false, false", 1, 0, Counts{Expired: 1, Late: 1, Stray: 1}},
		{"time out, take, die, answer, take", timedOut + ", true, freed", 1, 0, Counts{Expired: 1, Late: 1, Taken: 2}},
		{"time out, take, answer, die, take", timedOut + ", true", 1, 0, Counts{Expired: 1, Late: 1, Taken: 1}},
	} {
		l := &life{Box: NewBox(1, Spec{Ports: port(1)}), now: 1}
		l.call, _ = l.Reserve(0, 2, 7, time.Unix(9, 0), "none")
		var comes []string
		for event := range strings.SplitSeq(c.events, ", ") {
			if what := l.play(t, event); what != "" {
				comes = append(comes, what)
			}
			if err := l.Check(); err != nil {
				t.Errorf("%s: after %s: %v", c.events, event, err)
			}
		}
		got := row{c.events, strings.Join(comes, ", "), l.Free(0), l.Stats().Asking, l.Stats().Counts}
		if got != c {
			t.Errorf("%+v, want %+v", got, c)
		}
	}
}

// An answer whose call names no question of the cell is counted. It may be a call of
// before, of another cell, or no call at all.
func TestAnAnswerToNoQuestion(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(2)})
	call, ok := b.Reserve(0, 2, 0, time.Unix(9, 0), "none")
	if !ok || call.Asker != 1 || call.To != 2 || call.Seq == 0 {
		t.Fatalf("the call is %+v, %v", call, ok)
	}
	for i, wrong := range []actor.RawCall{
		{}, {Slot: call.Slot}, {Slot: call.Slot, Seq: call.Seq + 1}, {Slot: 1 - call.Slot, Seq: call.Seq}, {Slot: 2, Seq: call.Seq}, {Slot: 99},
	} {
		b.Expire(wrong, 1)
		if b.Answer(wrong, "answer", nil, 1) || b.Stats().Stray != uint64(i+1) || !b.Empty() {
			t.Errorf("%+v: %+v", wrong, b.Stats())
		}
	}
}

// A port has as many slots as its window. Each question has another ticket.
func TestL3APortIsItsWindow(t *testing.T) {
	b := NewBox(1, Spec{Ports: append(port(2), port(1)...)})
	tickets := map[uint64]bool{}
	slots := map[uint32]bool{}
	for _, p := range []int{0, 1, 0} {
		call, ok := b.Reserve(p, 2, 0, time.Unix(9, 0), "none")
		if !ok {
			t.Fatalf("port %d has no slot", p)
		}
		tickets[call.Seq], slots[call.Slot] = true, true
	}
	if len(tickets) != 3 || len(slots) != 3 || tickets[0] {
		t.Errorf("three questions have the tickets %v and the slots %v", tickets, slots)
	}
	for p := range 2 {
		if call, ok := b.Reserve(p, 2, 0, time.Unix(9, 0), "none"); ok || call != (actor.RawCall{}) || b.Free(p) != 0 {
			t.Errorf("port %d has a slot beyond its window: %+v", p, call)
		}
	}
}

// Questions are answered in any order. Those that are left time out in the order in which
// they were asked, each at its own time.
func TestL2TheRestTimesOutInOrder(t *testing.T) {
	const window = 4
	for answered := range 1 << window {
		for _, backwards := range []bool{false, true} {
			b := NewBox(1, Spec{Ports: port(window + 1)})
			var calls []actor.RawCall
			ask := func() {
				call, _ := b.Reserve(0, 2, 0, time.Unix(int64(len(calls)+1), 0), "none")
				calls = append(calls, call)
			}
			for range window {
				ask()
			}
			order := []int{0, 1, 2, 3}
			if backwards {
				slices.Reverse(order)
			}
			for _, i := range order {
				if answered>>i&1 == 1 {
					b.Answer(calls[i], "answer", nil, 1)
				}
			}
			b.Take(0, nil)
			ask() // behind those that are left
			for i, call := range calls {
				if i < window && answered>>i&1 == 1 {
					continue
				}
				at := int64(i+1) * second
				if b.Next() != at {
					t.Fatalf("%04b: the next clock is at %d, want %d", answered, b.Next(), at)
				}
				if early := b.Take(at-1, nil); len(early) > 0 {
					t.Fatalf("%04b: before its time: %+v", answered, early)
				}
				got := b.Take(at, nil)
				if len(got) != 1 || got[0].In.Ticket != actor.Ticket(call.Seq) || !errors.Is(got[0].In.Err, actor.ErrTimeout) {
					t.Fatalf("%04b: question %d is up, and it is given %+v", answered, i, got)
				}
			}
			if b.Next() != 0 || !b.Empty() {
				t.Errorf("%04b: all have ended, and the next clock is at %d", answered, b.Next())
			}
		}
	}
}

// A cell dies. Its questions' clocks stop, and its successor's are asked in the slots
// that are left.
func TestL11TheDeadHaveNoClock(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(3)})
	for range 2 {
		b.Reserve(0, 2, 0, time.Unix(1, 0), "none")
	}
	b.Reset()
	if b.Next() != 0 {
		t.Errorf("the next clock is at %d", b.Next())
	}
	call, _ := b.Reserve(0, 2, 0, time.Unix(2, 0), "none")
	if got := b.Take(2*second, nil); len(got) != 1 || got[0].In.Ticket != actor.Ticket(call.Seq) {
		t.Errorf("it is given %+v, want the end of its own question", got)
	}
}

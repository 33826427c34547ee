package mailbox

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/negative"
)

// Each law's test is a function of a sabotage: with none it must hold, with
// each of its broken variants it must fail. A check that cannot fail proves
// nothing.
type sabotage func(*Box)

func honest(*Box) {}

// mustHold runs law against a healthy box, and demands that it notices every
// sabotage.
func mustHold(t *testing.T, law func(sabotage) error, broken map[string]sabotage) {
	t.Helper()
	if err := law(honest); err != nil {
		t.Fatal(err)
	}
	for name, s := range broken {
		if law(s) == nil {
			t.Errorf("the check does not notice %q", name)
		}
	}
}

const second = int64(time.Second)

func question(call actor.RawCall) Envelope {
	return Envelope{In: actor.Input{Body: "question", From: call.Asker, Call: call}, Lane: actor.Questions}
}

func port(window int) []actor.PortSpec {
	return []actor.PortSpec{{Name: "test", To: 2, Window: window, Timeout: time.Second}}
}

// A caller with a window of three asks a target that never answers, again and
// again as its questions time out. The target's inbox has room for three and
// must never overflow: a slot is not reused before the target has answered.
func TestL3AnswersCannotBeRefused(t *testing.T) {
	law := func(s sabotage) error {
		asker, target := NewBox(1, Spec{Ports: port(3)}), NewBox(2, Spec{Questions: 3})
		for now := int64(1); now < 20*second; now += second {
			for asker.Free(0) > 0 {
				call, _ := asker.Reserve(0, 2, 0, time.Unix(0, now+second), "none")
				if !target.Put(question(call)) {
					return fmt.Errorf("after %d s the target's inbox overflows", now/second)
				}
			}
			asker.Take(now+second, nil)
			s(&asker)
		}
		// The target wakes up and answers all. No answer is delivered. The
		// asker is told of each slot that is free again.
		for _, e := range target.Take(0, nil) {
			target.Settle(e.In.Call)
			asker.Answer(e.In.Call, "late", nil, 0)
		}
		told := asker.Take(0, nil)
		for _, e := range told {
			if _, freed := e.In.Body.(actor.Freed); !freed || e.In.Ticket != 0 {
				return fmt.Errorf("a late answer is delivered: %+v", e.In)
			}
		}
		if len(told) != 3 {
			return fmt.Errorf("the asker is told of %d freed slots, want 3", len(told))
		}
		if asker.Free(0) != 3 || asker.counts.Late != 3 {
			return fmt.Errorf("%d slots free, %d late answers counted, want 3 and 3", asker.Free(0), asker.counts.Late)
		}
		return asker.Check()
	}
	mustHold(t, law, map[string]sabotage{
		"a slot is freed in silence": func(b *Box) {
			for i := range b.slots.all {
				if b.slots.all[i].state == slotZombie {
					b.slots.all[i].state = slotSettled
				}
			}
		},
		"a slot is freed when its question times out": func(b *Box) {
			for i := range b.slots.all {
				if b.slots.all[i].state == slotZombie {
					b.slots.release(int32(i))
				}
			}
		},
	})
}

// Questions are asked, answered (some twice), left to time out, and their cell
// dies now and then: every question ends exactly once.
func TestL2OneTicketOneAnswer(t *testing.T) {
	law := func(s sabotage) error {
		return negative.Property(t, func(t *rapid.T) {
			b := NewBox(1, Spec{Ports: port(4)})
			ended := map[actor.Ticket]int{}
			asked := map[actor.Ticket]bool{}
			var calls []actor.RawCall
			now := second
			take := func() {
				s(&b)
				for _, e := range b.Take(now, nil) {
					if _, freed := e.In.Body.(actor.Freed); !freed {
						ended[e.In.Ticket]++
					}
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"ask": func(t *rapid.T) {
					if call, ok := b.Reserve(0, 2, 0, time.Unix(0, now+second), ""); ok {
						calls = append(calls, call)
						asked[actor.Ticket(call.Seq)] = true
					}
				},
				"answer": func(t *rapid.T) {
					if len(calls) > 0 {
						b.Answer(rapid.SampledFrom(calls).Draw(t, "call"), "a", nil, now)
					}
				},
				"wait": func(t *rapid.T) { now += second / 3; take() },
				"take": func(t *rapid.T) { take() },
				"": func(t *rapid.T) {
					if err := b.Check(); err != nil {
						t.Fatal(err)
					}
					for ticket, n := range ended {
						if n > 1 || !asked[ticket] {
							t.Fatalf("ticket %d ended %d times, asked: %v", ticket, n, asked[ticket])
						}
					}
				},
			})
			now += 2 * second
			for range len(asked) + 1 {
				take()
			}
			for ticket := range asked {
				if ended[ticket] != 1 {
					t.Fatalf("ticket %d ended %d times", ticket, ended[ticket])
				}
			}
		})
	}
	mustHold(t, law, map[string]sabotage{
		"an answer is lost": func(b *Box) {
			if r := &b.lanes[actor.Answers]; r.n > 1 {
				r.drop()
			}
		},
		"an answer is delivered twice": func(b *Box) {
			if r := &b.lanes[actor.Answers]; r.n == 1 {
				*r.push() = *r.first()
			}
		},
	})
}

// With every lane full, each batch takes all of control and some of every other
// lane: nothing urgent waits for more than a batch, and nothing starves.
func TestL8UrgentThingsPass(t *testing.T) {
	law := func(s sabotage) error {
		b := NewBox(1, Spec{Ports: port(200), Control: 50, Questions: 200, Inbound: 500,
			Streams: []Stream{{Topic: 1, Cap: 200}}})
		for range 200 {
			call, _ := b.Reserve(0, 2, 0, time.Unix(100, 0), "")
			b.Answer(call, "a", nil, 0)
			b.Put(Envelope{Lane: actor.Events, Topic: 1})
			b.Put(Envelope{Lane: actor.Questions})
			b.Put(Envelope{Lane: actor.Inbound})
		}
		for range 50 {
			b.Put(Envelope{Lane: actor.Control})
		}
		s(&b)
		got := [actor.NumLanes]int{}
		last := actor.Control
		for _, e := range b.Take(0, nil) {
			if e.Lane < last {
				return fmt.Errorf("%v comes after %v", e.Lane, last)
			}
			last = e.Lane
			got[e.Lane]++
		}
		d := DefaultShares
		if want := [...]int{50, d.Answers, d.Events, d.Questions, d.Inbound}; got != want {
			return fmt.Errorf("a batch takes %v by lane, want %v", got, want)
		}
		return nil
	}
	mustHold(t, law, map[string]sabotage{
		"a lane without a share":        func(b *Box) { b.share[actor.Inbound] = 0 },
		"control waits for its quantum": func(b *Box) { b.share[actor.Control] = 8 },
	})
}

// Each lane has its own share of a batch.
func TestL8EachLaneHasItsShare(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(9), Questions: 9, Inbound: 9, States: 9,
		Share: Shares{Answers: 4, Events: 3, Questions: 2, Inbound: 1}})
	for i := range 9 {
		call, _ := b.Reserve(0, 2, 0, time.Unix(100, 0), "")
		b.Answer(call, "a", nil, 0)
		b.Put(value(uint64(i), "v"))
		b.Put(Envelope{Lane: actor.Questions})
		b.Put(Envelope{Lane: actor.Inbound})
	}
	got := [actor.NumLanes]int{}
	for _, e := range b.Take(0, nil) {
		got[e.Lane]++
	}
	if want := [...]int{0, 4, 3, 2, 1}; got != want {
		t.Errorf("a batch takes %v by lane, want %v", got, want)
	}
}

// A State subscriber that is slow sees the latest value of each key, tombstones
// included, and never an older one after a newer one.
func TestL6StateKeepsTheLatest(t *testing.T) {
	law := func(s sabotage) error {
		return negative.Property(t, func(t *rapid.T) {
			b := NewBox(1, Spec{States: 3})
			var published, seen [3]int
			take := func() {
				for _, e := range b.Take(0, nil) {
					v := e.In.Body.(int)
					if v <= seen[e.In.Key] {
						t.Fatalf("key %d: %d is seen after %d", e.In.Key, v, seen[e.In.Key])
					}
					seen[e.In.Key] = v
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"set": func(t *rapid.T) {
					k := rapid.IntRange(0, 2).Draw(t, "key")
					published[k]++
					if !b.Put(Envelope{Lane: actor.Events, Topic: 9, In: actor.Input{Body: published[k], Key: uint64(k)}}) {
						t.Fatal("a state is refused")
					}
					s(&b)
				},
				"take": func(t *rapid.T) { take() },
				"":     func(t *rapid.T) {},
			})
			take()
			if seen != published {
				t.Fatalf("seen %v of %v", seen, published)
			}
		})
	}
	mustHold(t, law, map[string]sabotage{
		"an update is dropped when one is queued": func(b *Box) {
			for k, e := range b.latest {
				if v := e.In.Body.(int); v > 1 {
					e.In.Body = v - 1
					b.latest[k] = e
				}
			}
		},
	})
}

// A slow subscriber of a Stream is told how many events it has missed, where they would
// have stood: seen plus missed is what was published, in order.
func TestL6StreamSaysLagged(t *testing.T) {
	law := func(s sabotage) error {
		return negative.Property(t, func(t *rapid.T) {
			b := NewBox(1, Spec{Streams: []Stream{{Topic: 5, Cap: 4}}})
			published, accounted := 0, 0
			take := func() {
				s(&b)
				for _, e := range b.Take(0, nil) {
					if l, ok := e.In.Body.(actor.Lagged); ok {
						accounted += int(l.N)
						continue
					}
					if accounted++; e.In.Body.(int) != accounted {
						t.Fatalf("event %d stands at position %d", e.In.Body, accounted)
					}
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"publish": func(t *rapid.T) {
					published++
					b.Put(Envelope{Lane: actor.Events, Topic: 5, In: actor.Input{Body: published}})
				},
				"take": func(t *rapid.T) { take() },
				"":     func(t *rapid.T) {},
			})
			take()
			take()
			if accounted != published {
				t.Fatalf("%d of %d events are accounted for", accounted, published)
			}
		})
	}
	mustHold(t, law, map[string]sabotage{
		"lost events are not said": func(b *Box) { b.stream[0].missed = 0 },
	})
}

// A mailbox shows what is in it, how long the oldest input has waited, and what
// its cell owes and is owed. The oldest input need not be the most urgent one.
func TestL12MailboxShowsItself(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(1), Control: 2, Questions: 1, Inbound: 2})
	b.Reserve(0, 2, 0, time.Unix(0, second), "")
	b.Put(Envelope{Lane: actor.Control, Queued: 30})
	b.Put(Envelope{Lane: actor.Inbound, Queued: 10})
	b.Put(Envelope{Lane: actor.Inbound, Queued: 20})
	q := question(actor.RawCall{Asker: 7, To: 1, Seq: 1})
	q.Queued = 40
	b.Put(q)
	if b.Put(q) {
		t.Error("a second question finds room for one")
	}
	got := b.Stats()
	want := Stats{Depth: [actor.NumLanes]int{1, 0, 0, 1, 2}, Oldest: 10, Asking: 1, Owing: 1}
	want.Refused = 1
	if got != want {
		t.Errorf("it shows\n%+v\nwant\n%+v", got, want)
	}
	b.Take(2*second, nil)
	if got := b.Stats(); got.Oldest != 0 || got.Zombies != 1 || got.Asking != 0 || got.Expired != 1 || got.Taken != 5 {
		t.Errorf("emptied, its own question's time being up, it shows %+v", got)
	}
}

// The wait-for report is read out of what a mailbox has anyway: its oldest
// input by type and lane, and each of its questions until the target answers,
// also when the asker has given it up.
func TestL12MailboxNamesWhatWaits(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(2), States: 1, Questions: 1})
	if _, ok := b.Oldest(); ok {
		t.Error("an empty box has an oldest input")
	}
	b.Put(Envelope{Lane: actor.Events, Topic: 3, Queued: 20, In: actor.Input{Body: "older value"}})
	b.Put(Envelope{Lane: actor.Events, Topic: 3, Queued: 30, In: actor.Input{Body: 17}})
	q := question(actor.RawCall{Asker: 7, To: 1, Seq: 1})
	q.Queued = 25
	b.Put(q)
	if o, _ := b.Oldest(); o != (Oldest{20, actor.Events, reflect.TypeOf(0)}) {
		t.Errorf("its oldest input: %v, want the latest value, queued since its first", o)
	}

	first, _ := b.Reserve(0, 2, 0, time.Unix(0, second), "")
	other, _ := b.Reserve(0, 3, 0, time.Unix(0, 2*second), "")
	b.Take(second, nil) // the time of the first is up
	want := map[actor.RawCall]Open{
		first: {Call: first, Deadline: second, GivenUp: true},
		other: {Call: other, Deadline: 2 * second},
	}
	for _, o := range b.Asking(nil) {
		if o != want[o.Call] {
			t.Errorf("it asks %+v, want %+v", o, want[o.Call])
		}
		delete(want, o.Call)
	}
	if len(want) > 0 {
		t.Errorf("it does not show %v", want)
	}
	b.Answer(first, "late", nil, 0)
	b.Answer(other, "in time", nil, 0)
	if left := b.Asking(nil); len(left) > 0 {
		t.Errorf("answered, it still asks %v", left)
	}
}

// When a cell dies, its debts are returned for settling, and the credit of its inbox
// comes back. The slots of its questions stay taken until their targets answer.
func TestL11ResetSettlesDebts(t *testing.T) {
	b := NewBox(1, Spec{Ports: port(2), Questions: 4, Inbound: 4})
	mine, _ := b.Reserve(0, 2, 0, time.Unix(0, second), "")
	for i := range 3 {
		b.Put(question(actor.RawCall{Asker: 7, To: 1, Slot: uint32(i), Seq: uint64(i + 1)}))
	}
	b.Put(Envelope{Lane: actor.Inbound, Charge: Charge{Account: 9, Bytes: 100}})
	taken := b.Take(0, nil)
	b.Put(Envelope{Lane: actor.Inbound, Charge: Charge{Account: 9, Bytes: 50}})
	b.Settle(taken[1].In.Call)

	owed, charges := b.Reset()
	if len(owed) != 2 || owed[0].Seq != 1 || owed[1].Seq != 3 {
		t.Fatalf("the dead cell owed %v, want questions 1 and 3", owed)
	}
	if len(charges) != 1 || charges[0].Bytes != 50 {
		t.Fatalf("credit of the queued message: %v", charges)
	}
	if b.Free(0) != 1 {
		t.Fatalf("%d slots are free, want 1: the target has not answered yet", b.Free(0))
	}
	b.Answer(mine, "to the dead", nil, 0)
	for _, e := range b.Take(0, nil) {
		if _, freed := e.In.Body.(actor.Freed); !freed {
			t.Fatalf("the successor is given %+v, an answer to the dead cell's question", e.In)
		}
	}
	if b.Free(0) != 2 || !b.Empty() {
		t.Fatal("the late answer frees the slot and is dropped")
	}
	if b.Settle(taken[0].In.Call) {
		t.Fatal("a settled question can be settled again")
	}
}

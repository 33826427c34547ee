package bus

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox"
	"acyclic/internal/proof/negative"
)

const (
	parent   actor.ID      = 1
	watcher  actor.ID      = 2
	lifeline actor.TopicID = 1
	traffic  actor.TopicID = 2
	weather  actor.TopicID = 3
	seats                  = 4
)

type (
	ready struct{ id actor.ID }
	gone  struct {
		id     actor.ID
		reason string
	}
	message struct {
		id actor.ID
		n  int
	}
)

// bench is a bus with a parent that spawns and a watcher that subscribes.
type bench struct {
	*Bus
	boxes map[actor.ID]*mailbox.Box
	err   error
}

func newBench() *bench {
	b := &bench{boxes: map[actor.ID]*mailbox.Box{}}
	p := mailbox.NewBox(parent, mailbox.Spec{Control: 2 * seats})
	w := mailbox.NewBox(watcher, mailbox.Spec{Control: 4 * seats, Inbound: 1000, States: 1})
	b.boxes[parent], b.boxes[watcher] = &p, &w
	b.Bus = New([]Topic{
		{ID: lifeline, Name: "life", Kind: actor.LedgerTopic, Subs: []actor.ID{watcher},
			Closed: func(id actor.ID, _ any, reason string) any { return gone{id, reason} }},
		{ID: traffic, Name: "traffic", Kind: actor.TrafficTopic, Subs: []actor.ID{watcher}},
		{ID: weather, Name: "weather", Kind: actor.StateTopic, Subs: []actor.ID{watcher}},
	}, []Kind{{ID: 1, Name: "peer", Seats: seats}}, func(to actor.ID, e mailbox.Envelope) {
		if !b.boxes[to].Put(e) {
			b.err = fmt.Errorf("the %v lane of %v overflows with %T", e.Lane, to, e.In.Body)
		}
	})
	return b
}

func (b *bench) publish(from actor.ID, topic actor.TopicID, body any, last bool) error {
	return b.Publish(time.Time{}, from, actor.Effect{Topic: topic, Body: body, Last: last}, mailbox.Charge{Account: from})
}

// take empties a box and does what a driver does with it.
func (b *bench) take(id actor.ID) (bodies []any) {
	for _, e := range b.boxes[id].Take(0, nil) {
		bodies = append(bodies, e.In.Body)
		if ended, ok := e.In.Body.(actor.Ended); ok {
			b.Drained(id, ended.Child, true)
		}
	}
	for _, done := range b.boxes[id].Done() {
		b.Drained(id, done, false)
	}
	return bodies
}

// Connections come and go as fast as they can while a subscriber sleeps: what
// is queued for it must stay within the sum that its lane is sized for.
func TestL4SeatsBoundTheLedger(t *testing.T) {
	law := func(leaky bool) error {
		b := newBench()
		spawned := 0
		for range 10_000 {
			id, ok := b.Seat(parent, 1)
			if !ok {
				break
			}
			spawned++
			b.Spawned(id, nil)
			b.publish(id, lifeline, ready{id}, false)
			b.Died(time.Time{}, id, "left")
			b.take(parent) // the parent is awake, the watcher is not
			if leaky {
				b.Drained(watcher, id, false)
			}
			if b.err != nil {
				return b.err
			}
		}
		if spawned != seats {
			return fmt.Errorf("%d cells were spawned over %d seats", spawned, seats)
		}
		b.take(watcher)
		if n := b.Seats(1); n != seats {
			return fmt.Errorf("%d seats are free once all have seen the end, want %d", n, seats)
		}
		return nil
	}
	if err := law(false); err != nil {
		t.Fatal(err)
	}
	if law(true) == nil {
		t.Error("the check does not notice a seat that is freed too early")
	}
}

// A subscriber sees of each peer: Ready, some of its messages in order, Gone;
// each once, whatever the peer, its death and the subscriber's own pace do.
func TestL7LifeIsInOrder(t *testing.T) {
	law := func(disorder func(any) any) error {
		return negative.Property(t, func(t *rapid.T) {
			b := newBench()
			life := map[actor.ID]string{}
			last := map[actor.ID]int{}
			var alive []actor.ID
			sent, opened := map[actor.ID]int{}, map[actor.ID]bool{}
			watch := func() {
				for _, body := range b.take(watcher) {
					if disorder != nil {
						body = disorder(body)
					}
					switch e := body.(type) {
					case ready:
						life[e.id] += "R"
					case message:
						if life[e.id] != "R" || e.n <= last[e.id] {
							t.Fatalf("message %d of %v after %q and message %d", e.n, e.id, life[e.id], last[e.id])
						}
						last[e.id] = e.n
					case gone:
						life[e.id] += "G"
					}
				}
			}
			pick := func(t *rapid.T) (actor.ID, bool) {
				if len(alive) == 0 {
					return 0, false
				}
				return rapid.SampledFrom(alive).Draw(t, "peer"), true
			}
			t.Repeat(map[string]func(*rapid.T){
				"spawn": func(t *rapid.T) {
					if id, ok := b.Seat(parent, 1); ok {
						b.Spawned(id, nil)
						alive = append(alive, id)
					}
				},
				"ready": func(t *rapid.T) {
					if id, ok := pick(t); ok && !opened[id] {
						opened[id] = true
						b.publish(id, lifeline, ready{id}, false)
					}
				},
				"message": func(t *rapid.T) {
					if id, ok := pick(t); ok {
						sent[id]++
						b.publish(id, traffic, message{id, sent[id]}, false)
					}
				},
				"die": func(t *rapid.T) {
					if id, ok := pick(t); ok {
						b.Died(time.Time{}, id, "crashed")
						for i := range alive {
							if alive[i] == id {
								alive = append(alive[:i], alive[i+1:]...)
								break
							}
						}
					}
				},
				"watch":  func(t *rapid.T) { watch() },
				"parent": func(t *rapid.T) { b.take(parent) },
				"": func(t *rapid.T) {
					if b.err != nil {
						t.Fatal(b.err)
					}
				},
			})
			for range 100 {
				watch()
				b.take(parent)
			}
			for id, l := range life {
				if l != "R" && l != "RG" {
					t.Fatalf("the life of %v is %q", id, l)
				}
			}
			if free, living := b.Seats(1), len(alive); free+living != seats {
				t.Fatalf("%d seats free and %d cells alive of %d", free, living, seats)
			}
		})
	}
	if err := law(nil); err != nil {
		t.Fatal(err)
	}
	for name, disorder := range map[string]func(any) any{
		"gone before ready": func(b any) any {
			if r, ok := b.(ready); ok {
				return gone{r.id, ""}
			}
			return b
		},
		"a lifecycle event is dropped": func(b any) any {
			if _, ok := b.(ready); ok {
				return nil
			}
			return b
		},
	} {
		if law(disorder) == nil {
			t.Errorf("the check does not notice %q", name)
		}
	}
}

// A subscriber that dies is told what stands: the cells that it spawned and
// that live, the peers that are ready, the latest states. Nothing is told twice.
func TestL11RebuildTellsWhatStands(t *testing.T) {
	b := newBench()
	var ids []actor.ID
	for range 3 {
		id, _ := b.Seat(parent, 1)
		b.Spawned(id, "arg")
		ids = append(ids, id)
		b.publish(id, lifeline, ready{id}, false)
	}
	b.publish(9, weather, "rain", false)
	b.publish(9, weather, "sun", false)
	b.Died(time.Time{}, ids[1], "left")

	rebuild := func(cell actor.ID) []any {
		b.Rebuild(time.Time{}, cell, func() {
			b.boxes[cell].Reset()
			b.boxes[cell].Put(mailbox.Envelope{In: actor.Input{Body: actor.Start{Generation: 1}}, Lane: actor.Control})
		})
		return b.take(cell)
	}
	want := fmt.Sprint([]any{actor.Start{Generation: 1}, ready{ids[0]}, ready{ids[2]}, "sun"})
	if got := fmt.Sprint(rebuild(watcher)); got != want {
		t.Errorf("the watcher is told\n%s\nwant\n%s", got, want)
	}
	want = fmt.Sprint([]any{actor.Start{Generation: 1}, actor.Alive{Child: ids[0], Arg: "arg"}, actor.Alive{Child: ids[2], Arg: "arg"}})
	if got := fmt.Sprint(rebuild(parent)); got != want {
		t.Errorf("the parent is told\n%s\nwant\n%s", got, want)
	}
	if n := b.Seats(1); n != seats-2 {
		t.Errorf("%d seats are free, want %d: nothing waits for the dead cell's end any more", n, seats-2)
	}
}

// To break a topic's rules is the publisher's bug, and nothing is sent.
func TestRulesOfTopics(t *testing.T) {
	b := newBench()
	id, _ := b.Seat(parent, 1)
	if b.publish(id, lifeline, ready{id}, false) == nil {
		t.Error("a cell that was not spawned opens the ledger")
	}
	b.Spawned(id, nil)
	if b.publish(id, lifeline, gone{id, ""}, true) == nil {
		t.Error("close without open")
	}
	if err := b.publish(id, lifeline, ready{id}, false); err != nil {
		t.Fatal(err)
	}
	if b.publish(id, lifeline, ready{id}, false) == nil {
		t.Error("open twice")
	}
	if b.Publish(time.Time{}, id, actor.Effect{Topic: traffic, Body: 1}, mailbox.Charge{}) == nil {
		t.Error("traffic without credit")
	}
	if b.publish(id, 99, 1, false) == nil {
		t.Error("a topic that is not in the wiring")
	}
}

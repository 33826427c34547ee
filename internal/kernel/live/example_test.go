package live_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/live"
)

type (
	// IsCurrent is a question to a neighbour; Current is its answer.
	IsCurrent struct{ actor.Asks[Current, Neighbour] }
	Current   struct{}
	Neighbour struct{} // answers IsCurrent
)

// talker asks its neighbour, again and again, and answers what it is asked. Two of
// them are btcd's ring: each could be in the middle of a send to the other.
type talker struct {
	name  string
	ask   actor.Port[IsCurrent, Current]
	news  actor.Stream[string]
	heard int // answers
}

func (t *talker) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case actor.Start:
		t.ask.Ask(out, 0, IsCurrent{})
	case IsCurrent:
		q.Call(in).Answer(out, Current{}) // an effect: the driver performs it after the step
	case Current:
		if t.heard++; t.heard == 1000 {
			t.news.Publish(out, t.name+" has had a thousand answers")
		}
		t.ask.Ask(out, 0, IsCurrent{})
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (t *talker) Deadline() time.Time { return time.Time{} } // it wants no Tick
func (t *talker) Check() error        { return nil }

// Two components ask each other without end. Neither ever waits for the other, so
// both make progress. An adapter hears what they publish.
func Example() {
	const left, right, screen actor.ID = 1, 2, 3
	news := actor.Stream[string]{ID: 1}
	talk := func(id actor.ID, name string, neighbour actor.Ref[Neighbour]) cell.Static {
		var ports actor.Ports
		ask := actor.Connect[IsCurrent](&ports, name+".ask", neighbour, 1, time.Second)
		return cell.Static{ID: id, Name: name, Ports: ports.Specs, Build: func(uint32) actor.Machine {
			return &talker{name: name, ask: ask, news: news}
		}}
	}
	n := live.New(silent{}).Wire(&cell.Plan{
		Cells:       []cell.Static{talk(left, "server", 2), talk(right, "netsync", 1)},
		Topics:      []bus.Topic{{ID: 1, Name: "news", Kind: actor.StreamTopic, Cap: 8, Subs: []actor.ID{screen}}},
		Subscribers: []cell.Subscriber{{ID: screen, Name: "screen"}},
	})
	n.Start()
	heard := n.Subscriber(screen)
	for range 2 {
		fmt.Println(heard.Next(context.Background()))
	}
	fmt.Println("stopped:", n.Stop(time.Second))
	// Unordered output:
	// server has had a thousand answers <nil>
	// netsync has had a thousand answers <nil>
	// stopped: <nil>
}

type silent struct{}

func (silent) Record(string, actor.ID, actor.Record) {}

// The same two with channels and blocking sends, as in btcd. Both are soon in the
// middle of a send to the other, and stay there.
func TestTheSameTwoWithChannelsDeadlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, right, stop := make(chan string, 1), make(chan string, 1), make(chan struct{})
		var heard atomic.Int64
		talk := func(in <-chan string, out chan<- string) {
			send := func(what string) bool {
				select {
				case out <- what:
					return true
				case <-stop: // only so that the test can end
					return false
				}
			}
			for send("is current?") {
				if <-in == "is current?" && !send("current") {
					return
				}
				heard.Add(1)
			}
		}
		go talk(left, right)
		go talk(right, left)
		synctest.Wait() // until both are blocked
		before := heard.Load()
		time.Sleep(time.Hour) // of virtual time
		if heard.Load() != before || before >= 1000 {
			t.Errorf("they have heard %d, then %d: the twin does not deadlock, so it shows nothing", before, heard.Load())
		}
		close(stop)
	})
}

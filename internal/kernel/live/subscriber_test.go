package live

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/bubble"
)

const (
	weather actor.TopicID = 1
	news    actor.TopicID = 2
)

// station publishes what it is asked to: a State and a Stream.
type station struct{}

func (station) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case ping:
		actor.State[int]{ID: weather}.Set(out, 0, q.N)
		actor.Stream[string]{ID: news}.Publish(out, fmt.Sprint("news ", q.N))
		q.Call(in).Answer(out, pong{})
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (station) Deadline() time.Time { return time.Time{} }
func (station) Check() error        { return nil }

// broadcast is a station, the client that tells it what to publish, and an
// adapter that listens.
func broadcast() *cell.Plan {
	var ports actor.Ports
	actor.Connect[ping](&ports, "client", actor.Ref[chat](left), 1, time.Second)
	return &cell.Plan{
		Cells:       []cell.Static{{ID: left, Name: "station", Build: func(uint32) actor.Machine { return station{} }}},
		Askers:      []cell.Asker{{ID: client, Name: "client", Ports: ports.Specs}},
		Subscribers: []cell.Subscriber{{ID: outside, Name: "listener"}},
		Topics: []bus.Topic{
			{ID: weather, Name: "weather", Kind: actor.StateTopic, Subs: []actor.ID{outside}},
			{ID: news, Name: "news", Kind: actor.StreamTopic, Subs: []actor.ID{outside}, Cap: 2},
		},
	}
}

// An adapter that hears topics is as bounded as a component. While it does not read, a
// State keeps the latest value and a Stream says what it dropped. No publisher waits.
func TestL6AnAdapterHearsTheLatestAndWhatItMissed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		n := New(&logs{}).Wire(broadcast())
		n.Start()
		for i := range 5 {
			if _, err := n.Asker(client).Ask(context.Background(), 0, left, ping{N: i + 1}, pong{}); err != nil {
				t.Fatal(err)
			}
		}
		sub := n.Subscriber(outside)
		for _, want := range []any{5, "news 1", "news 2", actor.Lagged{Topic: news, N: 3}} {
			if got, err := sub.Next(context.Background()); got != want || err != nil {
				t.Errorf("it hears %v, %v, want %v", got, err, want)
			}
		}

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if got, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing was published, and it hears %v, %v", got, err)
		}
		heard := make(chan any, 1)
		go func() {
			got, _ := sub.Next(context.Background())
			heard <- got
		}()
		synctest.Wait() // it sleeps
		n.Asker(client).Ask(context.Background(), 0, left, ping{N: 6}, pong{})
		if got := <-heard; got != 6 {
			t.Errorf("a sleeping adapter hears %v, want 6", got)
		}
		sub.Next(context.Background()) // news 6

		if err := n.Stop(time.Second); err != nil {
			t.Error(err)
		}
		if got, err := sub.Next(context.Background()); !errors.Is(err, actor.ErrGone) {
			t.Errorf("the node has stopped, and it hears %v, %v", got, err)
		}
	})
}

package watch_test

import (
	"context"
	"testing"
	"time"

	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// BenchmarkAsk is a question between goroutines, asked and answered, without a
// watchdog, with one at the pace of the node, and with the flight recorder, as
// while something is suspect: the ratio is what being watched costs.
func BenchmarkAsk(b *testing.B) {
	for _, v := range []struct {
		name string
		cfg  watch.Config
	}{
		{"unwatched", watch.Config{Bounds: watch.Bounds{Every: time.Hour}}},
		{"watched", watch.Config{Bounds: watch.Bounds{Every: 250 * time.Millisecond}}},
		{"recorded", watch.Config{Bounds: watch.Bounds{Every: 250 * time.Millisecond, TraceBytes: 8 << 20, TraceAge: time.Hour}}},
	} {
		b.Run(v.name, func(b *testing.B) {
			v.cfg.Cells = watch.Patience{Run: time.Minute, Queue: time.Minute, Owe: time.Minute}
			v.cfg.LogEvery = time.Second
			if v.cfg.TraceBytes > 0 {
				v.cfg.Dir = b.TempDir()
			}
			r := newRig(b, v.cfg, nil, answerWork)
			if v.cfg.TraceBytes > 0 {
				r.dog.Suspect(time.Now())
			}
			asker := r.node.Asker(client)
			for b.Loop() {
				if _, err := adapter.Ask(context.Background(), asker, r.ports.ping[0], Ping{}); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			r.stop()
		})
	}
}

// BenchmarkLook is one look at a node of 164 connections that all have a
// question open: it happens four times a second.
func BenchmarkLook(b *testing.B) {
	var ports actor.Ports
	actor.Connect[Ping](&ports, "many", actor.Ref[target](worker), 1, time.Hour)
	r := newRig(b, watch.Config{Bounds: watch.Bounds{Every: time.Hour, Cells: watch.Patience{Run: time.Hour, Queue: time.Hour, Owe: time.Hour}}}, nil, answerWork, many(164, ports.Specs)...)
	for _, c := range r.node.System().Cells() {
		if c.ID >= firstOfMany {
			c.Mail.Reserve(0, worker, 0, time.Now().Add(time.Hour), Pong{})
		}
	}
	for b.Loop() {
		r.dog.Look(time.Now())
	}
	b.StopTimer()
	r.stop()
}

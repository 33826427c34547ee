package sim_test

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/sim"
)

// A step is one input. It is taken and handled, its effects are performed, and the
// invariants of the machine and of its mailbox are verified.
func BenchmarkWholeNodes(b *testing.B) {
	var steps uint64
	for seed := range uint64(b.N) {
		c, err := largeTown.run(seed, nil)
		if err != nil {
			b.Fatal(err)
		}
		steps += c.Steps
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
}

// A simple step is a question or an answer between machines that do next to nothing. It
// shows what the driver and the kernel cost.
func BenchmarkSimpleSteps(b *testing.B) {
	const cells = 8
	plan := &cell.Plan{}
	for i := range actor.ID(cells) {
		var p actor.Ports
		port := actor.Connect[hello](&p, "next", actor.Ref[greeter](1+(i+1)%cells), 4, time.Hour)
		plan.Cells = append(plan.Cells, cell.Static{ID: 1 + i, Name: "greeter", Ports: p.Specs,
			Build: func(uint32) actor.Machine { return &greeter{port: port} }})
	}
	w := sim.New(1)
	w.Add("node", plan)
	for b.Loop() {
		if err := w.Run(time.Millisecond, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Steps)/b.Elapsed().Seconds(), "steps/s")
}

type hello struct{ actor.Asks[hello, greeter] }

// greeter asks the next greeter as often as it may.
type greeter struct{ port actor.Port[hello, hello] }

func (g *greeter) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	if h, ok := in.Body.(hello); ok && in.Ticket == 0 {
		h.Call(in).Answer(out, hello{})
	}
	for g.port.Free(out) > 0 {
		g.port.Ask(out, 0, hello{})
	}
}
func (g *greeter) Deadline() time.Time { return time.Time{} }
func (g *greeter) Check() error        { return nil }

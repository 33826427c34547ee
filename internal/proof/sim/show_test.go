package sim_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/proof/sim"
)

// The message of a failure names the command that runs the same seed again. These flags
// help to look at it.
var (
	firstSeed = flag.Int64("seed", -1, "run this seed only, or this and the following with -seeds")
	seedCount = flag.Int("seeds", 0, "how many seeds of each scenario are run")
	show      = flag.Bool("show", false, "print every input: the time, the node, the cell, the input, how many effects")
)

// spyglass prints what a machine is given.
type spyglass struct {
	actor.Machine
	w    *sim.World
	node string
	cell string
}

func (s *spyglass) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	s.Machine.Step(now, in, out)
	failed := ""
	if in.Err != nil {
		failed = ": " + in.Err.Error()
	}
	fmt.Fprintf(os.Stderr, "%14v %s %-9s %T%s from %v -> %d effects\n",
		s.w.Now.Sub(sim.Epoch), s.node, s.cell, in.Body, failed, in.From, len(out.Effects()))
}

// traced puts a spyglass before every cell of a plan.
func traced(w *sim.World, name string, plan *cell.Plan) {
	if !*show {
		return
	}
	names := map[actor.ID]string{}
	for _, c := range plan.Cells {
		names[c.ID] = c.Name
	}
	wrap(plan, func(id actor.ID, m actor.Machine) actor.Machine {
		return &spyglass{Machine: m, w: w, node: name, cell: cmp.Or(names[id], "peer "+id.String())}
	})
}

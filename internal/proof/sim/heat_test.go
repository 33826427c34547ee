package sim_test

import (
	"strings"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
)

// insistent asks a cell that is not there, and asks again after a pause.
type insistent struct {
	port  actor.Port[chain.GetTips, chain.Tips]
	pause time.Duration
	next  time.Time
}

func (s *insistent) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Stop:
		out.Finish("stopped")
	case actor.Start, actor.Tick:
		s.next = time.Time{}
		s.port.Ask(out, 0, chain.GetTips{})
	default:
		if s.next = now.Add(s.pause); s.pause == 0 {
			s.port.Ask(out, 0, chain.GetTips{})
		}
	}
}
func (s *insistent) Deadline() time.Time { return s.next }
func (s *insistent) Check() error        { return nil }

// A cell that asks again at once when a question has failed is found, and one that pauses
// is not.
func TestHotLoopsAreFound(t *testing.T) {
	for pause, hot := range map[time.Duration]bool{0: true, 50 * time.Millisecond: false} {
		c := newTown(1, smoothNet, 2)
		c.alter = func(plan *cell.Plan) {
			var p actor.Ports
			s := &insistent{pause: pause}
			s.port = actor.Connect[chain.GetTips](&p, "insistent.tips", actor.Ref[chain.Chain](95), 1, time.Minute)
			plan.Cells = append(plan.Cells, cell.Static{ID: 99, Name: "insistent", Ports: p.Specs,
				Build: func(uint32) actor.Machine { return s }})
		}
		settlers(c, 2, quick, nil)
		err := c.Run(time.Minute, nil)
		if found := err != nil && strings.Contains(err.Error(), "runs hot"); found != hot {
			t.Errorf("with a pause of %v: %v", pause, err)
		}
	}
}

// impatient takes netsync's pauses after a failure away.
func impatient(s *node.Settings) {
	s.Limits.Netsync.Retry, s.Limits.Netsync.Pause = 0, 0
}

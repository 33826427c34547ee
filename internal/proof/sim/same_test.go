package sim_test

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/netsync"
	"acyclic/server"
)

// hashOf runs a world of a scenario to its end.
func hashOf(t *testing.T, s *scenario, seed uint64, with func(*town)) uint64 {
	t.Helper()
	c, err := s.run(seed, with)
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, c.report())
	}
	return c.Hash()
}

// Time and chance are arguments (law L10). Whole nodes, with all that can happen to them,
// run the same way twice under one seed, and another way under another seed.
func TestL10SameSeedSameRun(t *testing.T) {
	for _, s := range []*scenario{&roughNetwork, &deaths, &strangers, &stalled, &engines, &stops, &tiny, &clocks, &dooms, &names, &dnsSeeds, &bans, &future, &sends, &failures, &payments, &payDeaths, &everything} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			hash := hashOf(t, s, 1, nil)
			if again := hashOf(t, s, 1, nil); again != hash {
				t.Errorf("seed 1 gives %x, then %x", hash, again)
			}
			if other := hashOf(t, s, 2, nil); other == hash {
				t.Errorf("seeds 1 and 2 both give %x", hash)
			}
		})
	}
}

// sloppy breaks law L10 in one of two ways.
type sloppy struct {
	clock bool // it reads the wall clock; else it ranges over a map for effect
	ask   map[int]func(*actor.Outbox) bool
	next  time.Time
}

func (s *sloppy) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	switch in.Body.(type) {
	case actor.Stop:
		out.Finish("stopped")
	case actor.Start, actor.Tick:
		s.next = now.Add(time.Second)
		if s.clock {
			s.next = s.next.Add(time.Duration(time.Now().UnixNano() % 1000))
			return
		}
		for _, ask := range s.ask {
			ask(out)
		}
	}
}
func (s *sloppy) Deadline() time.Time { return s.next }
func (s *sloppy) Check() error        { return nil }

// asks are three questions of different kinds.
func (s *sloppy) asks(p *actor.Ports) {
	tips := actor.Connect[chain.GetTips](p, "sloppy.tips", node.ToChain, 1, time.Minute)
	sync := actor.Connect[netsync.GetStatus](p, "sloppy.sync", node.ToNetsync, 1, time.Minute)
	srv := actor.Connect[server.GetStatus](p, "sloppy.server", node.ToServer, 1, time.Minute)
	s.ask = map[int]func(*actor.Outbox) bool{
		0: func(out *actor.Outbox) bool { _, ok := tips.Ask(out, 0, chain.GetTips{}); return ok },
		1: func(out *actor.Outbox) bool { _, ok := sync.Ask(out, 0, netsync.GetStatus{}); return ok },
		2: func(out *actor.Outbox) bool { _, ok := srv.Ask(out, 0, server.GetStatus{}); return ok },
	}
}

// The control of TestL10SameSeedSameRun: with one sloppy cell the same seed gives another
// run.
func TestL10SloppyMachinesAreCaught(t *testing.T) {
	for name, clock := range map[string]bool{"it ranges over a map for effect": false, "it reads the wall clock": true} {
		t.Run(name, func(t *testing.T) {
			run := func() uint64 {
				c := newTown(1, smoothNet, 2)
				c.alter = func(plan *cell.Plan) {
					var p actor.Ports
					s := &sloppy{clock: clock}
					s.asks(&p)
					plan.Cells = append(plan.Cells, cell.Static{ID: 99, Name: "sloppy", Ports: p.Specs,
						Build: func(uint32) actor.Machine { return s }})
				}
				settlers(c, 2, quick, nil)
				if err := c.Run(time.Minute, nil); err != nil {
					t.Fatal(err)
				}
				return c.Hash()
			}
			first := run()
			for range 5 {
				if run() != first {
					return
				}
			}
			t.Error("six runs have the same hash")
		})
	}
}

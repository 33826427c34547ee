package sim_test

import (
	"fmt"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

// The engines of two nodes are slow. The database of one fails, and the worker of the other
// dies, in every other world before its first answer. A client asks chain all the time. The
// nodes wish to stop and are left running for a while: nobody waits for an engine that has
// failed.
var failures = scenario{
	name: "TestNobodyWaitsForAFailedEngine", seeds: 4, net: smoothNet, size: 4,
	bounds: bounds{rough: 2 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		slow := fake.EngineConfig{MaxApply: 2 * time.Second, MaxRead: quick.MaxRead}
		dies := c.Now
		if c.seed%2 == 1 {
			dies = dies.Add(time.Duration(c.rng.Int64N(int64(30 * time.Second))))
		}
		settlers(c, 4, quick, func(i int, has *belongings) {
			if i < 2 {
				return
			}
			has.engine, has.linger = slow, 3*time.Second
			has.config = func(s *node.Settings) { s.Limits.Chain.Worker = 1 }
			if i == 2 {
				has.engine.FatalAt, has.halts = 1+c.rng.Uint64N(20), "simulated database"
			} else {
				has.fails, has.halts = &dies, "the engine has stopped"
			}
		})
		answered := map[*resident]bool{}
		for _, n := range c.nodes[2:] {
			n.client.every = 20 * time.Millisecond
		}
		c.meddle = func() {
			for _, n := range c.nodes[2:] {
				answered[n] = answered[n] || n.answers()
				if n.told && !answered[n] {
					c.accuse(fmt.Errorf("%s: chain owes answers all the time, and its engine has failed", n.Name))
				}
			}
		}
	},
}

func TestNobodyWaitsForAFailedEngine(t *testing.T) { try(t, &failures) }

// answers says whether, a while after the node has wished to stop, chain owes nobody an answer.
func (n *resident) answers() bool {
	return !n.halted.IsZero() && n.Now().Sub(n.halted) > time.Second && len(n.Sys.Lookup(node.Chain).Mail.Owed()) == 0
}

// worker makes an engine's worker.
func (c *town) worker(has belongings, store *fake.Store) actor.Machine {
	fails := has.fails
	if fails == nil {
		fails = new(time.Time)
	}
	return &frail{Worker: fake.NewWorker(has.engine, store, c.seeded()), town: c, at: fails}
}

// frail is a worker that may die of a question, once.
type frail struct {
	*fake.Worker
	town *town
	at   *time.Time
}

func (f *frail) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	f.atOnce(in)
	switch in.Body.(type) {
	case chain.CatchUp, chain.ApplyHeaders, chain.ApplyBlock, chain.MakeTemplate, chain.ApplyTx:
		if !f.at.IsZero() && !now.Before(*f.at) {
			*f.at = time.Time{}
			f.town.deaths++
			panic("a death by intent, of the engine")
		}
	}
	f.Worker.Step(now, in, out)
}

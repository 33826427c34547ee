package sim_test

import (
	"math/rand/v2"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
)

// mortals makes components die now and then (law L11), before a step or after it.
func (c *town) mortals(plan *cell.Plan) {
	if c.deadly == 0 {
		return
	}
	wrap(plan, func(id actor.ID, m actor.Machine) actor.Machine {
		if id == minerID || id == clientID {
			return m
		}
		return &mortal{Machine: m, town: c, rng: c.seeded()}
	})
}

type mortal struct {
	actor.Machine
	town *town
	rng  *rand.Rand
}

func (m *mortal) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	dies := !m.town.calm && m.rng.IntN(m.town.deadly) == 0
	if dies {
		m.town.deaths++
	}
	if dies && m.rng.IntN(2) == 0 {
		panic("a death by intent, before the step")
	}
	m.Machine.Step(now, in, out)
	if dies {
		panic("a death by intent, after the step")
	}
}

// foredoom lets components of a node die at certain times. Chance picks them.
func (c *town) foredoom(plan *cell.Plan, times []time.Duration) {
	for _, after := range times {
		at := c.Now.Add(after)
		whose := []actor.ID{node.Server, node.Netsync, node.Relay, node.Chain}[c.rng.IntN(4)]
		met := false
		wrap(plan, func(id actor.ID, m actor.Machine) actor.Machine {
			if id != whose {
				return m
			}
			return &doomed{Machine: m, town: c, at: at, met: &met}
		})
	}
}

// doomed dies at a time, and not of what a peer has sent.
type doomed struct {
	actor.Machine
	town *town
	at   time.Time
	met  *bool
}

func (d *doomed) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if !*d.met && !now.Before(d.at) && in.From.Parent() == 0 {
		*d.met = true
		d.town.deaths++
		panic("a death at its time")
	}
	d.Machine.Step(now, in, out)
}

func (d *doomed) Deadline() time.Time {
	if due := d.Machine.Deadline(); *d.met || !due.IsZero() && due.Before(d.at) {
		return due
	}
	return d.at
}

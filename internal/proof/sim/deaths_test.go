package sim_test

import (
	"math/rand/v2"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
)

// mortals makes components die now and then (law L11): before a step or after it, when they
// are asked for their deadline, or while they are being built.
func (c *town) mortals(plan *cell.Plan) {
	if c.deadly == 0 {
		return
	}
	wrap(plan, func(id actor.ID, m actor.Machine) actor.Machine {
		if id == minerID || id == clientID || id == payerID || id == walletID {
			return m
		}
		rng := c.seeded()
		if !c.calm && !c.twins && rng.IntN(20) == 0 {
			c.deaths++
			panic("a death by intent, unborn")
		}
		return &mortal{Machine: m, town: c, rng: rng}
	})
}

type mortal struct {
	actor.Machine
	town *town
	rng  *rand.Rand

	asked bool // for its deadline, since the last step
	dying bool // of its deadline
}

func (m *mortal) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if m.dying { // it was asked, and before anything came of that it has an input
		panic("a death by intent, of its deadline")
	}
	m.asked = false
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

// Deadline panics now and then, once for each step at most: a driver may ask again.
func (m *mortal) Deadline() time.Time {
	if !m.asked && !m.town.calm && m.rng.IntN(4*m.town.deadly) == 0 {
		m.dying = true
		m.town.deaths++
	}
	m.asked = true
	if m.dying {
		panic("a death by intent, of its deadline")
	}
	return m.Machine.Deadline()
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

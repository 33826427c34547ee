package sim_test

import (
	"fmt"
	"time"

	"acyclic/internal/kernel/actor"
)

// jump sets the first node's clock now and then: forward by up to an hour, as after a
// suspension, or back by up to a minute. Time then stands still for the node's cells.
func (c *town) jump() {
	if c.jumps == 0 || c.calm || c.Now.Before(c.jumpAt) {
		return
	}
	if !c.jumpAt.IsZero() {
		by := time.Second
		for range c.rng.IntN(5) {
			by *= 8
		}
		if c.rng.IntN(4) == 0 {
			by = -min(by, 64*time.Second)
		}
		if n := c.nodes[0]; n.Ahead+by < 90*time.Minute { // blocks two hours ahead are refused
			n.Ahead += by
			for _, x := range n.Living() {
				n.Wake(x) // its deadline has come, or lies further off
			}
		}
	}
	c.jumpAt = c.Now.Add(time.Duration(c.rng.Int64N(int64(2 * c.jumps))))
}

// clocked verifies that a machine's clock never goes back. Times that were computed before
// would then lie in the future.
type clocked struct {
	actor.Machine
	town *town
	last time.Time
}

func (k *clocked) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if now.Before(k.last) {
		k.town.accuse(fmt.Errorf("a cell is given the time %v after %v", now, k.last))
	}
	k.last = now
	k.Machine.Step(now, in, out)
}

// Package fake is a simulated adapter, and wiring.
package fake

import (
	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

func net(out *actor.Outbox) {
	out.Tell(1, chain.New())
}

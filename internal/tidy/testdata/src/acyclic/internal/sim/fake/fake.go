// Package fake is a simulated edge, and wiring.
package fake

import (
	"acyclic/chain"
	"acyclic/internal/actor"
)

func net(out *actor.Outbox) {
	out.Deliver(1, chain.New())
	out.Credit(1)
}

package adapter

import "acyclic/internal/kernel/actor"

type Cells interface {
	AwaitCredit(to actor.ID) bool
}

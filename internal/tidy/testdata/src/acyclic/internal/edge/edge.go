package edge

import "acyclic/internal/actor"

type Cells interface {
	AwaitCredit(to actor.ID) bool
}

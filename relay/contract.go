package relay

import "acyclic/internal/kernel/actor"

// Relay answers the questions of this contract (see actor.Ref).
type Relay struct{}

// Questions that relay answers.
type (
	// GetStatus asks for relay's figures.
	GetStatus struct{ actor.Asks[Status, Relay] }

	// Status is the answer.
	Status struct {
		Peers         int
		Announced     uint64 // announcements sent, per block and peer
		Coalesced     uint64 // blocks that an announcement to a slow peer left out
		BlocksServed  uint64
		HeadersServed uint64
		NotFound      uint64
	}
)

package transport

import (
	"acyclic/peer"
)

// Draining is how many may.
const Draining = 32

var _ = peer.Ready{}
var _ = peer.Write{}
var _ = peer.Machine{} // want "peer.Machine is of machine.go"

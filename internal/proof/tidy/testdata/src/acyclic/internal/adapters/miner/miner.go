// Package miner may import much, but not what few may know.
package miner

import (
	"acyclic/chain"
	"acyclic/chain/engine" // want "internal/adapters/miner may not import chain/engine"
)

var _ chain.Machine // want "chain.Machine is of machine.go"
var _ = engine.Name

// Package engine is chain's own adapter: it names all of chain.
package engine

import "acyclic/chain"

var _ = chain.New()

const Name = "engine"

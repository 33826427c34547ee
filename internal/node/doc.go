// Package node puts the components together. wiring.go is the architecture in code: one
// table of every cell, port and subscription. node.go runs it with real adapters.
// internal/proof/sim runs the same table with simulated ones.
package node

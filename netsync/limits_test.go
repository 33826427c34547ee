package netsync_test

import (
	"testing"

	"acyclic/config"
	"acyclic/netsync"
)

// The tests of this package run with the bounds of the node, which they cannot
// import: config stands above it.
func TestConfigIsTheNodes(t *testing.T) {
	if got, want := netsync.ConfigOfTests(), config.Derive(125, config.RPCHandlers).Netsync; got != want {
		t.Errorf("tests run with\n%+v\nthe node with\n%+v", got, want)
	}
}

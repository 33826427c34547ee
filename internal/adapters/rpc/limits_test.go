package rpc_test

import (
	"testing"

	"acyclic/config"
	"acyclic/internal/adapters/rpc"
)

// TestWindowsAreTheNodes: what the tests here show must be true of the node.
func TestWindowsAreTheNodes(t *testing.T) {
	if got, want := rpc.WindowsOfTests(), config.Derive(125, config.RPCHandlers).RPC; got != want {
		t.Errorf("the tests run with %+v, the node with %+v", got, want)
	}
}

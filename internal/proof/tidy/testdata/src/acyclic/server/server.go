// Package server names what is not in a contract, and imports what it may not.
package server

import (
	"acyclic/chain"
	"acyclic/integration"                 // want "server may not import integration"
	"acyclic/internal/adapters/transport" // want "server may not import internal/adapters/transport"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/mailbox" // want "server may not import internal/kernel/mailbox"
	"acyclic/peer"
)

type Status struct {
	tips  chain.Tips
	other *chain.Machine // want "chain.Machine is of machine.go"
}

func ask(out *actor.Outbox) {
	chain.New()         // want "chain.New is of machine.go"
	_ = chain.Helper(1) // want "chain.Helper is of machine.go"
	chain.Limit = 2     // want "changes the package variable chain.Limit"
	out.Tell(1, nil)
}

var _ = integration.Start
var _ = mailbox.Box{}
var _ = transport.Draining

var _ = peer.Ready{}
var _ = peer.Write{}   // want "peer.Write is of ports.go"
var _ = peer.Machine{} // want "peer.Machine is of machine.go"

package peer

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

func (m *Machine) onGetHeaders(msg *wire.MsgGetHeaders, out *actor.Outbox) {
	if m.locatorOK(msg.Command(), msg.BlockLocatorHashes, out) {
		m.topics.Relay.Publish(out, HeadersWanted{Peer: m.id, Locator: msg.BlockLocatorHashes, Stop: msg.HashStop})
	}
}

func (m *Machine) onGetBlocks(msg *wire.MsgGetBlocks, out *actor.Outbox) {
	if m.locatorOK(msg.Command(), msg.BlockLocatorHashes, out) {
		m.topics.Relay.Publish(out, BlocksWanted{Peer: m.id, Locator: msg.BlockLocatorHashes, Stop: msg.HashStop})
	}
}

// locatorOK disconnects a peer whose locator is too long, as Bitcoin Core does.
func (m *Machine) locatorOK(command string, locator []*chainhash.Hash, out *actor.Outbox) bool {
	if len(locator) <= MaxLocator {
		return true
	}
	m.becomeGone(out, fmt.Sprintf("%s with a locator of %d hashes, at most %d are allowed", command, len(locator), MaxLocator), false)
	return false
}

func (m *Machine) onGetData(msg *wire.MsgGetData, out *actor.Outbox) {
	items := make([]wire.InvVect, len(msg.InvList))
	for i, iv := range msg.InvList {
		items[i] = *iv
	}
	m.topics.Relay.Publish(out, DataWanted{Peer: m.id, Items: items})
}

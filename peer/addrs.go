package peer

import (
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// onAddr passes on an addr message in the form of addrv2 (BIP155).
func (m *Machine) onAddr(msg *wire.MsgAddr, out *actor.Outbox) {
	addrs := make([]*wire.NetAddressV2, len(msg.AddrList))
	for i, a := range msg.AddrList {
		addrs[i] = wire.NetAddressV2FromBytes(a.Timestamp, a.Services, a.IP, a.Port)
	}
	m.topics.Server.Publish(out, AddrsReceived{Peer: m.id, Addrs: addrs})
}

// onAddrV2 passes on the addresses that wire understands. It has left out those
// of networks that it does not know.
func (m *Machine) onAddrV2(msg *wire.MsgAddrV2, out *actor.Outbox) {
	m.topics.Server.Publish(out, AddrsReceived{Peer: m.id, Addrs: msg.AddrList})
}

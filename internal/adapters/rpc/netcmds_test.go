package rpc

import (
	"testing"

	"acyclic/peer"
)

// What is relayed over a connection, and what Core calls it, follows from both sides: we
// may have opened it for blocks alone, and the peer may want no transactions. Before the
// handshake nothing is relayed.
func TestKindsOfConnections(t *testing.T) {
	for _, c := range []struct {
		arg        peer.Arg
		ready      bool
		noTxs      bool
		txs, addrs bool
		kind       string
	}{
		{peer.Arg{}, true, false, true, true, "outbound-full-relay"},
		{peer.Arg{}, true, true, false, true, "outbound-full-relay"},
		{peer.Arg{BlockRelayOnly: true}, true, false, false, false, "block-relay-only"},
		{peer.Arg{Manual: true}, true, false, true, true, "manual"},
		{peer.Arg{Inbound: true}, true, false, true, true, "inbound"},
		{peer.Arg{Inbound: true}, false, false, false, false, "inbound"},
	} {
		var p peerInfo
		p.addFigures(peer.Info{Arg: c.arg, Ready: c.ready, Version: peer.Ready{NoTxs: c.noTxs}})
		if p.RelayTxes != c.txs || p.AddrRelay != c.addrs || p.ConnectionType != c.kind {
			t.Errorf("%+v: transactions %v, addresses %v, %s", c, p.RelayTxes, p.AddrRelay, p.ConnectionType)
		}
	}
}

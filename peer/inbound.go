package peer

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// onReceived handles one message of the peer. It is the only input in whose step
// Traffic is published (law L5).
func (m *Machine) onReceived(now time.Time, in Received, out *actor.Outbox) {
	m.lastRecv = now
	m.countReceived(in)
	if in.Msg == nil {
		m.onUndecoded(in, out)
		return
	}
	if m.onHandshake(now, in.Msg, out) {
		return
	}
	if m.state != ready {
		m.onIgnored() // as in Bitcoin Core; it does not move the handshake's deadline
		return
	}
	switch msg := in.Msg.(type) {
	case *wire.MsgPing:
		m.onPing(now, msg, out)
	case *wire.MsgPong:
		m.onPong(now, msg)

	case *wire.MsgHeaders:
		m.onHeaders(now, msg, out)
	case *MsgBlock:
		m.onBlock(now, msg, out)
	case *wire.MsgInv:
		m.onInv(msg, out)
	case *wire.MsgNotFound:
		m.onNotFound(msg, out)

	case *wire.MsgTx:
		m.onTx(msg, in, out)
	case *wire.MsgFeeFilter:
		m.onFeeFilter(msg, out)

	case *wire.MsgGetHeaders:
		m.onGetHeaders(msg, out)
	case *wire.MsgGetBlocks:
		m.onGetBlocks(msg, out)
	case *wire.MsgGetData:
		m.onGetData(msg, out)

	case *wire.MsgAddr:
		m.onAddr(msg, out)
	case *wire.MsgAddrV2:
		m.onAddrV2(msg, out)
	case *wire.MsgGetAddr:
		m.topics.Server.Publish(out, AddrsWanted{Peer: m.id})

	default:
		m.onIgnored()
	}
}

// onUndecoded handles a message that the transport has not decoded. Who sends what is
// malformed breaks the rules, and who asks for a service that we do not offer is in the
// wrong place (Bitcoin Core ends these connections too). All else is skipped.
func (m *Machine) onUndecoded(in Received, out *actor.Outbox) {
	m.skipped++
	service := services[in.Command]
	switch {
	case in.Fault:
		m.becomeGone(out, fmt.Sprintf("a %s message: %s", printable(in.Command), in.Bad), true)
	case service != "" && m.state == ready:
		m.becomeGone(out, fmt.Sprintf("a %s message, and we do not offer %s", in.Command, service), false)
	default:
		out.Log(actor.Debug, "message skipped", "peer", m.id, "command", printable(in.Command), "bytes", in.Bytes, "reason", in.Bad)
	}
}

// services are what a peer asks for by messages that no component reads. We do not say in
// our services that we offer them.
var services = map[string]string{
	wire.CmdMemPool:      "bloom filters (BIP111)",
	wire.CmdFilterLoad:   "bloom filters (BIP111)",
	wire.CmdFilterAdd:    "bloom filters (BIP111)",
	wire.CmdFilterClear:  "bloom filters (BIP111)",
	wire.CmdGetCFilters:  "block filters (BIP157)",
	wire.CmdGetCFHeaders: "block filters (BIP157)",
	wire.CmdGetCFCheckpt: "block filters (BIP157)",
}

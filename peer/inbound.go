package peer

import (
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
		m.skipped++
		out.Log(actor.Debug, "message skipped", "peer", m.id, "command", printable(in.Command), "bytes", in.Bytes, "reason", in.Bad)
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
	case *wire.MsgBlock:
		m.onBlock(now, msg, in, out)
	case *wire.MsgInv:
		m.onInv(msg, out)
	case *wire.MsgNotFound:
		m.onNotFound(msg, out)

	case *wire.MsgTx:
		m.onTx(msg, in, out)
	case *wire.MsgFeeFilter:
		m.onFeeFilter(msg, out)
	case *wire.MsgMemPool:
		m.becomeGone(out, "a mempool message, and we do not offer bloom filters (BIP111)", false)

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

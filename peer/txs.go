package peer

import (
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// takesTxs says whether the peer may send us transactions. We told it in our version
// message (BIP37). Like Bitcoin Core we disconnect a peer that sends them all the same.
func (m *Machine) takesTxs() bool { return m.cfg.WantTxs && !m.arg.BlockRelayOnly }

func (m *Machine) onTx(msg *wire.MsgTx, in Received, out *actor.Outbox) {
	if !m.takesTxs() {
		m.becomeGone(out, "a transaction, and we asked for none", false)
		return
	}
	m.topics.Relay.Publish(out, TxReceived{
		Peer: m.id, Tx: msg, TxID: msg.TxHash(), WTxID: msg.WitnessHash(),
		Size: in.Bytes, Memory: max(in.Bytes, in.Memory),
	})
}

func (m *Machine) onFeeFilter(msg *wire.MsgFeeFilter, out *actor.Outbox) {
	if msg.MinFee < 0 || msg.MinFee > MaxMoney {
		m.onIgnored()
		return
	}
	m.minFee = msg.MinFee
	m.topics.Relay.Publish(out, FeeFilter{Peer: m.id, Rate: msg.MinFee})
}

// announcedTxs are the transactions that an inv announces. Of a peer that has
// negotiated wtxids only these count, of any other only txids (BIP339).
func (m *Machine) announcedTxs(list []*wire.InvVect) []TxName {
	t := wire.InvTypeTx
	if m.version.WTxIDs {
		t = InvTypeWTx
	}
	names := make([]TxName, 0, len(list))
	for _, iv := range list {
		if iv.Type == t {
			names = append(names, TxName{Hash: iv.Hash, WTxID: t == InvTypeWTx})
		}
	}
	return names
}

// missingTxs are the transactions of a notfound. It repeats what was asked for, which
// may be txids of a peer that has negotiated wtxids: parents of orphans are.
func missingTxs(list []*wire.InvVect) []TxName {
	var names []TxName
	for _, iv := range list {
		switch iv.Type {
		case wire.InvTypeTx, wire.InvTypeWitnessTx:
			names = append(names, TxName{Hash: iv.Hash})
		case InvTypeWTx:
			names = append(names, TxName{Hash: iv.Hash, WTxID: true})
		}
	}
	return names
}

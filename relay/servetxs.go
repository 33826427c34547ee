package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Serving transactions. They are small and many, so several go in one read and in one
// Send.

// mayHave returns the transaction that a peer asks for, if it is in the pool and the peer
// may have it: what came before the last inv to it, as in Bitcoin Core, or is some minutes
// old. Otherwise whoever asks for everything could find out when a transaction came to us,
// and so who sent it first. A peer is told nothing of the difference.
func (m *Machine) mayHave(now time.Time, p *remote, v *want) *pooled {
	e := m.pool.find(peer.TxName{Hash: v.hash, WTxID: v.invType() == peer.InvTypeWTx})
	if e != nil && (e.number < p.tells.upTo || now.Sub(e.since) >= m.cfg.ServeTxsAfter) {
		return e
	}
	return nil
}

// notFound is what a peer is told of items that are not served.
func (m *Machine) notFound(now time.Time, p *remote) *message {
	if p.wants.runs.n == 0 {
		return nil
	}
	return p.wants.notFound(func(v *want) bool {
		k := kindOf(v)
		return k == block || k == tx && m.mayHave(now, p, v) != nil
	})
}

// readTxs asks for the transactions at the head of what a peer wants, as many as fit one
// Send. The first one is served, or notFound would have missed it.
func (m *Machine) readTxs(now time.Time, p *remote, out *actor.Outbox) bool {
	var txids []chainhash.Hash
	bytes := 0
	for n := min(int(*p.wants.runs.head()), m.cfg.MaxServeTxs); len(txids) < n; {
		v := p.wants.items.at(len(txids))
		if kindOf(v) != tx {
			break
		}
		e := m.mayHave(now, p, v)
		if e == nil {
			break
		}
		if bytes += e.size; bytes > m.cfg.MaxServeBytes && len(txids) > 0 {
			break
		}
		txids = append(txids, e.id.TxID)
	}
	_, ok := m.ports.PoolTxs.Ask(out, uint64(p.id), chain.GetPoolTxs{TxIDs: txids})
	if ok {
		p.wants.batch = len(txids)
	}
	return ok
}

// onPooledTxs serves the transactions that were read. Those that have left the pool in the
// meantime are missed.
func (m *Machine) onPooledTxs(now time.Time, in actor.Input, e chain.PooledTxs) {
	p := m.endRead(now, in)
	if p == nil {
		return
	}
	n := p.wants.batch
	p.wants.batch = 0
	msg := &message{item: tx}
	for i := range n {
		if i >= len(e.Txs) || e.Txs[i] == nil {
			p.wants.miss()
			continue
		}
		v := p.wants.take()
		m.unbroadcast.Asked(peer.TxName{Hash: v.hash, WTxID: v.invType() == peer.InvTypeWTx})
		msg.send.Msgs = append(msg.send.Msgs, serialised(e.Txs[i], v.invType()))
		msg.items++
	}
	if msg.items > 0 {
		p.held = msg
	}
}

// serialised is a transaction as it was asked for: by MSG_TX without witness data
// (BIP144).
func serialised(msg *wire.MsgTx, t wire.InvType) *wire.MsgTx {
	if t != wire.InvTypeTx || !msg.HasWitness() {
		return msg
	}
	plain := *msg
	plain.TxIn = make([]*wire.TxIn, len(msg.TxIn))
	for i, in := range msg.TxIn {
		bare := *in
		bare.Witness = nil
		plain.TxIn[i] = &bare
	}
	return &plain
}

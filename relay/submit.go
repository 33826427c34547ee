package relay

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// offerTxs offers chain what has come, a transaction of each peer in turn, as long as the
// port has slots.
func (m *Machine) offerTxs(out *actor.Outbox) {
	if m.hand.waiting == 0 {
		return
	}
	first, found := m.find(m.hand.last)
	if found {
		first++
	}
	for i := 0; m.hand.waiting > 0 && m.ports.Tx.Free(out) > 0; i++ {
		p := m.peers[(first+i)%len(m.peers)]
		if p.got.list.n == 0 {
			continue
		}
		o, key := m.hand.next(p)
		m.ports.Tx.Ask(out, key, chain.SubmitTx{Tx: o.tx, ID: o.id, Source: p.id, Orphan: true})
	}
}

// onVerdict says what becomes of a transaction. If chain has not answered, its request
// expires, and the next peer that has it is asked: not at once, since it may be what chain
// has died of.
func (m *Machine) onVerdict(now time.Time, in actor.Input, v chain.TxVerdict, out *actor.Outbox) {
	if in.Err == actor.ErrTimeout {
		m.hand.late(in.Key)
		return
	}
	o, ok := m.hand.ended(in.Key)
	if !ok || in.Err != nil {
		return
	}
	p := m.peer(o.peer)
	if p != nil {
		m.answered(p, o.id)
	}
	switch v.Code {
	case chain.TxOK:
		m.stats.TxsAccepted++
		if p != nil {
			p.lastTx = now
		}
		m.settled(o.id)
	case chain.TxKnown:
		m.settled(o.id)
	case chain.TxOrphan:
		m.onOrphan(now, o, v.Missing)
	case chain.TxPolicy, chain.TxEarly:
		m.reject(o.id)
	case chain.TxWitness:
		m.onBadWitness(o.id)
	case chain.TxInvalid:
		m.reject(o.id)
		if p != nil {
			m.stats.TxsInvalid++
			out.End(p.id, fmt.Sprintf("transaction %v is invalid: %s", o.id.TxID, v.Reason), true)
			m.forget(p.id)
		}
	}
}

// onFreed notes that chain has no longer what it did not judge in time. The keys of other
// questions are the IDs of peers, which are larger, or zero.
func (m *Machine) onFreed(key uint64) { m.hand.ended(key) }

// reject remembers a transaction, so that it is not fetched again before the next block.
// It is known by its wtxid: with other witness data it may be good.
func (m *Machine) reject(id chain.TxID) {
	m.stats.TxsRejected++
	m.rejected.Add(id.WTxID)
	m.requests.ForgetTx(id.WTxID)
	m.orphans.Remove(id)
}

// onBadWitness remembers a transaction whose witness data is at fault. If it has none, it
// may have been stripped of it. Then its wtxid is the txid, by which the whole one may be
// announced too, and must not be remembered.
func (m *Machine) onBadWitness(id chain.TxID) {
	if id.WTxID != id.TxID {
		m.reject(id)
		return
	}
	m.stats.TxsRejected++
}

// onOrphan has the missing parents asked of the peers that have the child. If one of them
// was rejected, so is the child.
func (m *Machine) onOrphan(now time.Time, o offer, missing []chainhash.Hash) {
	for _, parent := range missing {
		if m.rejected.Contains(parent) {
			m.reject(o.id)
			return
		}
	}
	others := m.requests.Announcers(o.id.WTxID)
	m.requests.ForgetTx(o.id.TxID)
	m.requests.ForgetTx(o.id.WTxID)
	if p := m.peer(o.peer); p != nil && m.orphans.Add(now, o.id, p.id, missing) {
		m.stats.Orphans++
		m.wantParents(now, p, missing)
	}
	for _, id := range others {
		p := m.peer(id)
		if parents, is := m.orphans.Announced(id, peer.TxName{Hash: o.id.WTxID, WTxID: true}); is && p != nil {
			m.wantParents(now, p, parents)
		}
	}
}

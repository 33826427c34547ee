package relay

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// offerTxs offers chain what has come, a transaction of each peer in turn, as long as the
// port has slots.
func (m *Machine) offerTxs(out *actor.Outbox) {
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
		m.stats.TxsRejected++
		m.reject(o.id)
	case chain.TxWitness:
		m.stats.TxsRejected++
		m.onBadWitness(o.id)
	case chain.TxInvalid:
		m.stats.TxsInvalid++
		m.reject(o.id)
		if p != nil {
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
	}
}

// onOrphan has the missing parents asked of the peers that have the child, the sender
// first if it is still there. If one of them was rejected, so is the child.
func (m *Machine) onOrphan(now time.Time, o offer, missing []chainhash.Hash) {
	for _, parent := range missing {
		if m.rejected.Contains(parent) {
			m.stats.TxsRejected++
			m.reject(o.id)
			return
		}
	}
	m.stats.Orphans++
	from := m.requests.Announcers(o.id.WTxID) // they have not sent it
	if m.peer(o.peer) != nil {
		from = slices.Insert(from, 0, o.peer)
	}
	m.requests.ForgetTx(o.id.TxID)
	m.requests.ForgetTx(o.id.WTxID)
	for _, id := range from {
		if m.orphans.Add(now, o.id, id, missing) {
			m.wantParents(now, m.peer(id), missing)
		}
	}
}

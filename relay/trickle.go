package relay

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/relay/track"
)

// Announcing transactions. What the pool takes is put on the queue of each peer that may
// not know it. Each peer is told at random times, and a limited number at a time.

// telling is what relay has to tell one peer about transactions.
type telling struct {
	queue txQueue
	known *track.Filter // the transactions that the peer knows, by the name that is announced to it
	due   bool          // its time has come: it is told as soon as it takes a message
	at    time.Time     // when its time comes; zero: no clock runs
	// upTo is the first number of the pool's transactions that it may not be given:
	// what came after the last inv to it.
	upTo uint64
}

// onAccepted has transactions announced.
func (m *Machine) onAccepted(now time.Time, e chain.TxAccepted) {
	m.pending.accepted(e)
	for _, t := range e.Txs {
		m.settled(t.ID)
		m.enlist(now, t)
	}
}

// enlist has a transaction of the pool announced, if it is news: what was read from
// mempool.dat is old.
func (m *Machine) enlist(now time.Time, t chain.PoolTx) {
	entry := m.pool.add(t)
	if entry == nil || now.Sub(t.Added) > m.cfg.MaxTxAge {
		return
	}
	if t.Ours {
		m.unbroadcast.Add(now, m.rng, t.ID)
	}
	m.tell(now, entry, t.Source)
}

// onResent announces a transaction again that RPC has sent once more, however old it is. A
// relay that has missed it asks for the names of the pool, or knows too many.
func (m *Machine) onResent(now time.Time, e chain.TxResent) {
	if entry := m.pool.find(peer.TxName{Hash: e.Tx.ID.TxID}); entry != nil {
		m.unbroadcast.Add(now, m.rng, entry.id)
		m.tell(now, entry, 0)
	}
}

// tell puts a transaction on the queues of the peers that may not know it.
func (m *Machine) tell(now time.Time, entry *pooled, source actor.ID) {
	for _, p := range m.peers {
		if !p.hears || p.id == source || entry.rate < p.floor || p.tells.known.Contains(p.nameOf(entry.id).Hash) {
			continue
		}
		m.stats.TxsUnannounced += uint64(p.tells.queue.push(entry, m.cfg.MaxQueued, m.pool.byNumber))
		m.tellSoon(now, p)
	}
}

// nameOf is the name by which a transaction is announced to a peer.
func (p *remote) nameOf(id chain.TxID) peer.TxName {
	if p.wtxids {
		return peer.TxName{Hash: id.WTxID, WTxID: true}
	}
	return peer.TxName{Hash: id.TxID}
}

// tellSoon makes sure that a peer with something on its queue will be told.
func (m *Machine) tellSoon(now time.Time, p *remote) {
	if t := &p.tells; len(t.queue) > 0 && !t.due && t.at.IsZero() {
		t.at = m.trickle.Next(now, m.rng, p.inbound)
	}
}

// txsInv makes one inv of what a peer has to be told. It returns nil if nothing of it is
// left: it is no longer in the pool, the peer knows it, or it pays too little for it.
func (m *Machine) txsInv(now time.Time, p *remote) *message {
	p.tells.due = false
	p.tells.upTo = m.pool.next
	limit := min(m.cfg.AnnounceTxs+len(p.tells.queue)/1000*m.cfg.AnnounceMore, m.cfg.MaxAnnounceTxs)
	msg := &wire.MsgInv{} // NewMsgInv makes room for a thousand
	for len(p.tells.queue) > 0 && len(msg.InvList) < limit {
		e := m.pool.byNumber[p.tells.queue.pop()]
		if e == nil || e.rate < p.floor {
			continue
		}
		name := p.nameOf(e.id)
		if !p.tells.known.Contains(name.Hash) {
			p.tells.known.Add(name.Hash)
			msg.InvList = append(msg.InvList, wire.NewInvVect(invType(name), &name.Hash))
		}
	}
	m.tellSoon(now, p)
	if len(msg.InvList) == 0 {
		return nil
	}
	m.stats.TxsAnnounced += uint64(len(msg.InvList))
	return send1(msg)
}

// invType is how a transaction is named in an inv.
func invType(name peer.TxName) wire.InvType {
	if name.WTxID {
		return peer.InvTypeWTx
	}
	return wire.InvTypeTx
}

// tellAgain announces again what was sent by RPC and nobody has asked for.
func (m *Machine) tellAgain(now time.Time) {
	for _, id := range m.unbroadcast.Advance(now, m.rng) {
		if entry := m.pool.find(peer.TxName{Hash: id.TxID}); entry != nil {
			m.tell(now, entry, 0)
		}
	}
}

// onRemoved forgets transactions that have left the pool. Their numbers stay on queues,
// and name nothing.
func (m *Machine) onRemoved(now time.Time, e chain.TxRemoved) {
	m.pending.removed(e.Txs)
	for _, id := range e.Txs {
		m.pool.remove(id)
		m.unbroadcast.Remove(id)
	}
	if e.Reason == chain.RemovedEvicted {
		m.fees.risen(now, &m.cfg.Bounds)
	}
}

// onConfirmed forgets transactions that a block has. Peers announce them for a while.
func (m *Machine) onConfirmed(e chain.TxConfirmed) {
	m.pending.removed(e.Txs)
	for _, id := range e.Txs {
		m.pool.remove(id)
		m.unbroadcast.Remove(id)
		if m.caughtUp { // while catching up nothing is fetched
			m.confirmed.Add(id.TxID)
			m.confirmed.Add(id.WTxID)
		}
		m.settled(id)
	}
}

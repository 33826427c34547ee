package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// Fetching transactions: from the inv of a peer to the transaction itself. track.Requests
// decides who is asked, and when. submit.go hands to chain what has come.

// onTxsAnnounced notes what a peer has. An inv longer than what may wait of one peer is
// cut: so a step has an end.
func (m *Machine) onTxsAnnounced(now time.Time, e peer.TxsAnnounced) {
	p := m.peer(e.Peer)
	if p == nil {
		return
	}
	for _, name := range e.Txs[:min(len(e.Txs), m.cfg.Txs.MaxAnnounced)] {
		p.tells.known.Add(name.Hash)
		if !m.caughtUp {
			continue
		}
		if missing, _ := m.orphans.Announced(p.id, name); len(missing) > 0 {
			m.wantParents(now, p, missing)
			continue
		}
		m.want(now, p, name)
	}
}

// want has a transaction asked of a peer that has it, unless we have it.
func (m *Machine) want(now time.Time, p *remote, name peer.TxName) (wanted bool) {
	if m.has(name) {
		return false
	}
	at := m.requests.RequestTime(now, p.id, name, !p.inbound, m.wtxidPeers > 0)
	return m.requests.ReceivedInv(p.id, name, !p.inbound, m.onBeat(now, at))
}

// onBeat moves a time to the next beat, unless it has come. So a thousand announcements
// bring some Ticks, and not a thousand.
func (m *Machine) onBeat(now, at time.Time) time.Time {
	if !at.After(now) {
		return at
	}
	if beat := at.Truncate(m.cfg.Beat); beat.Before(at) {
		return beat.Add(m.cfg.Beat)
	}
	return at
}

// wantParents has the missing parents of an orphan asked of a peer that has the orphan.
// Nothing but their txids is known.
func (m *Machine) wantParents(now time.Time, p *remote, missing []chainhash.Hash) {
	for _, h := range missing {
		if m.want(now, p, peer.TxName{Hash: h}) {
			m.stats.ParentsWanted++
		}
	}
}

// has says whether a transaction need not be fetched: it is in the pool or in hand, a
// block had it lately, or it was rejected since the last block.
func (m *Machine) has(name peer.TxName) bool {
	return m.pool.find(name) != nil || m.hand.has(name.Hash) ||
		m.confirmed.Contains(name.Hash) || m.rejected.Contains(name.Hash)
}

// mayFetch says whether a peer may be asked for transactions now. The number in flight is
// bounded, and so is what has come and waits for chain: so nothing is asked for that there
// would be no room for.
func (m *Machine) mayFetch(p *remote) bool {
	return m.requests.Ready(p.id) > 0 && m.requests.InFlight(p.id) < m.cfg.Txs.MaxInFlight &&
		m.hand.bytes < m.cfg.MaxHand/2 && p.got.bytes < m.cfg.MaxHandOfPeer
}

// getTxs makes the getdata of what a peer is to be asked for, and notes that it is asked.
// It returns nil if there is nothing. What has come since it was announced is not among it:
// whatever brings a transaction has its requests forgotten (settled, reject).
func (m *Machine) getTxs(now time.Time, p *remote) *message {
	if !m.mayFetch(p) {
		return nil
	}
	var list []*wire.InvVect // NewMsgGetData makes room for a thousand
	expiry := m.onBeat(now, now.Add(m.cfg.Txs.RequestTimeout))
	for _, name := range m.requests.Requestable(p.id, m.cfg.Txs.MaxInFlight-m.requests.InFlight(p.id)) {
		m.requests.Requested(p.id, name.Hash, expiry)
		if m.hand.has(name.Hash) {
			continue // it counts as asked for: if nothing comes of it, the next peer is asked
		}
		t := wire.InvTypeWitnessTx
		if name.WTxID {
			t = peer.InvTypeWTx
		}
		list = append(list, wire.NewInvVect(t, &name.Hash))
	}
	if len(list) == 0 {
		return nil
	}
	m.stats.TxsRequested += uint64(len(list))
	return send1(&wire.MsgGetData{InvList: list})
}

// onTxReceived takes a transaction, whether it was asked for or not. While catching up
// relay cannot judge it, and drops it as Bitcoin Core does.
func (m *Machine) onTxReceived(now time.Time, e peer.TxReceived) {
	p := m.peer(e.Peer)
	if p == nil {
		return
	}
	m.stats.TxsReceived++
	id := chain.TxID{TxID: e.TxID, WTxID: e.WTxID}
	p.tells.known.Add(p.nameOf(id).Hash)
	asked := m.requests.Asked(p.id, id.TxID) || m.requests.Asked(p.id, id.WTxID)
	switch {
	case !m.caughtUp || m.has(peer.TxName{Hash: id.WTxID, WTxID: true}):
		m.answered(p, id)
	case !m.hand.room(e.Memory, p, asked, &m.cfg.Bounds):
		// A request expires, and the next peer that has it is asked. If nobody asked,
		// the peer has told us of it, and is asked when there is room.
		m.stats.TxsDropped++
		m.want(now, p, p.nameOf(id))
	default:
		// The request stays open until chain has judged the transaction. So nobody
		// else is asked for it meanwhile.
		m.hand.take(p, offered{e.Tx, id, e.Memory})
	}
}

// answered notes that a peer has sent a transaction, which may have been asked for by
// either of its names.
func (m *Machine) answered(p *remote, id chain.TxID) {
	for _, name := range namesOf(id) {
		m.requests.Response(p.id, name)
	}
}

// onTxsNotFound has the next peer asked for what this one has not got.
func (m *Machine) onTxsNotFound(e peer.TxsNotFound) {
	for _, name := range e.Txs {
		m.requests.Response(e.Peer, name.Hash)
	}
}

// settled notes that a transaction is in the pool or in a block: nobody need be asked for
// it, and its children miss it no longer.
func (m *Machine) settled(id chain.TxID) {
	for _, name := range namesOf(id) {
		m.requests.ForgetTx(name)
	}
	m.orphans.Found(id.TxID)
	m.orphans.Remove(id)
}

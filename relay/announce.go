package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func (m *Machine) onWantsHeaders(e peer.WantsHeaders) {
	if p := m.peer(e.Peer); p != nil {
		p.headers = true
	}
}

func (m *Machine) onAnnounced(e peer.Announced) {
	if p := m.peer(e.Peer); p != nil {
		for _, h := range e.Blocks {
			p.shows(h)
		}
	}
}

// shows notes that a peer has the header h and so all its ancestors.
func (p *remote) shows(h chainhash.Hash) {
	p.known.add(h, true)
	p.news.dropUpTo(h)
}

// onConnected has a block announced. A block older than MaxTipAge is no news: we
// are catching up with the chain. Each block is judged by itself, so relay cannot
// stay wrong about that.
func (m *Machine) onConnected(now time.Time, e chain.BlockConnected) {
	m.resync.wanted = false // the stream goes on
	if now.Sub(e.Time) > m.cfg.MaxTipAge {
		return
	}
	header := e.Header
	m.announce(now, newBlock{e.Hash, &header}, e.Source)
}

// announce adds b to the news of every peer that may not know it.
func (m *Machine) announce(now time.Time, b newBlock, source actor.ID) {
	for _, p := range m.peers {
		switch {
		case p.id == source || p.known.hasHeader(b.hash):
			p.known.add(b.hash, true)
			p.news.drop() // all of them are ancestors of b
		case p.known.contains(b.hash):
		default:
			m.stats.Coalesced += uint64(p.news.add(b, m.cfg.MaxAnnounce))
			m.roundSoon(now)
		}
	}
}

// roundSoon makes sure that an announcement round is due.
func (m *Machine) roundSoon(now time.Time) {
	if !m.roundAt.IsZero() {
		return
	}
	m.roundAt = now.Add(m.cfg.AnnounceDelay)
	if next := m.lastRound.Add(m.cfg.AnnounceInterval); next.After(m.roundAt) {
		m.roundAt = next
	}
}

// onDisconnected takes a block that has left the best chain out of the news.
func (m *Machine) onDisconnected(e chain.BlockDisconnected) {
	for _, p := range m.peers {
		p.news.dropFrom(e.Hash)
		// Its transactions come back to the pool. A peer that was told of one may have
		// asked for it when the block had it, and have got nothing.
		p.tells.known.Clear()
	}
	m.confirmed.Clear() // its transactions are to be fetched again
}

// announcement makes one message of a peer's news: headers if it asked for them
// and can connect them, else an inv of the tip (BIP130, and Bitcoin Core's
// SendMessages).
func (m *Machine) announcement(p *remote) *message {
	list := p.news
	p.news = nil
	if !p.headers || !list.connect(&p.known) {
		tip := list[len(list)-1]
		p.known.add(tip.hash, false)
		m.stats.Announced++
		m.stats.Coalesced += uint64(len(list) - 1)
		return send1(blockInv(tip.hash))
	}
	msg := wire.NewMsgHeaders()
	for _, b := range list {
		p.known.add(b.hash, true)
		msg.Headers = append(msg.Headers, b.header)
	}
	m.stats.Announced += uint64(len(list))
	return send1(msg)
}

func blockInv(hashes ...chainhash.Hash) *wire.MsgInv {
	msg := wire.NewMsgInvSizeHint(uint(len(hashes)))
	for i := range hashes {
		// The hashes are few: AddInvVect cannot fail.
		_ = msg.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hashes[i]))
	}
	return msg
}

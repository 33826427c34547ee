package relay

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// news is a block to announce. header is shared and never changed; nil when
// only the hash is known.
type news struct {
	hash   chainhash.Hash
	header *wire.BlockHeader
}

func (m *Machine) onWantsHeaders(e peer.WantsHeaders) {
	if p := m.serving(e.Peer); p != nil {
		p.headers = true
	}
}

func (m *Machine) onAnnounced(e peer.Announced) {
	if p := m.serving(e.Peer); p != nil {
		for _, h := range e.Blocks {
			p.shows(h)
		}
	}
}

// shows notes that a peer has the header h and so all its ancestors: what was
// pending up to h is no news to it.
func (p *remote) shows(h chainhash.Hash) {
	p.known.add(h, true)
	i := slices.IndexFunc(p.pending, func(n news) bool { return n.hash == h })
	p.pending = slices.Delete(p.pending, 0, i+1)
}

// onConnected puts a block on the pending lists. A block older than MaxTipAge
// is no news: we are catching up with the chain. That is decided for each block
// anew, so it can never stay decided wrongly.
func (m *Machine) onConnected(now time.Time, e chain.BlockConnected) {
	m.tip = e.Point
	m.resync = false // the stream says again what the tip is
	if now.Sub(e.Time) > m.cfg.MaxTipAge {
		return
	}
	header := e.Header
	m.newsFor(now, news{e.Hash, &header}, e.Source)
}

// newsFor puts n on the pending list of every peer but those that know it.
func (m *Machine) newsFor(now time.Time, n news, source actor.ID) {
	for _, id := range m.order {
		p := m.serving(id)
		if p == nil {
			continue
		}
		if id == source || p.known.hasHeader(n.hash) {
			p.known.add(n.hash, true)
			p.pending = nil // all of them are ancestors of n
			continue
		}
		if p.known.contains(n.hash) {
			continue
		}
		if len(p.pending) == m.cfg.MaxAnnounce {
			// The tip alone will be announced: the parent of what stays on
			// the list is not known to the peer.
			m.stats.Coalesced += uint64(len(p.pending))
			p.pending = p.pending[:0]
		}
		p.pending = append(p.pending, n)
		m.roundSoon(now)
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

// onDisconnected takes a block that is not in the best chain any more, and with
// it its descendants, off the pending lists.
func (m *Machine) onDisconnected(e chain.BlockDisconnected) {
	for _, id := range m.order {
		p := m.peers[id]
		i := slices.IndexFunc(p.pending, func(n news) bool { return n.hash == e.Hash })
		if i >= 0 {
			p.pending = p.pending[:i]
		}
	}
}

// announceRound announces what is pending to every peer that is not busy; the
// others follow as soon as they are free.
func (m *Machine) announceRound(now time.Time, out *actor.Outbox) {
	m.roundAt = time.Time{}
	m.lastRound = now
	for _, id := range m.order {
		if p := m.peers[id]; len(p.pending) > 0 {
			m.pump(now, p, out)
		}
	}
}

// announcement empties a peer's pending list into one message: headers when it
// asked for them and can connect them, else an inv of the tip (BIP130, and
// Bitcoin Core's SendMessages).
func (m *Machine) announcement(p *remote) *message {
	list := p.pending
	p.pending = nil
	if !p.headers || !p.connects(list) {
		tip := list[len(list)-1]
		p.known.add(tip.hash, false)
		m.stats.Announced++
		m.stats.Coalesced += uint64(len(list) - 1)
		return send1(blockInv(tip.hash))
	}
	msg := wire.NewMsgHeaders()
	for _, n := range list {
		p.known.add(n.hash, true)
		msg.Headers = append(msg.Headers, n.header)
	}
	m.stats.Announced += uint64(len(list))
	return send1(msg)
}

// connects says whether a peer can connect a list of headers: the first to one
// that it has, each other one to the one before.
func (p *remote) connects(list []news) bool {
	for i, n := range list {
		switch {
		case n.header == nil:
			return false
		case i == 0 && !p.known.hasHeader(n.header.PrevBlock):
			return false
		case i > 0 && n.header.PrevBlock != list[i-1].hash:
			return false
		}
	}
	return true
}

// onLagged forgets what is pending, for it may have left the best chain, and
// asks for the tip instead.
func (m *Machine) onLagged() {
	for _, id := range m.order {
		p := m.peers[id]
		m.stats.Coalesced += uint64(len(p.pending))
		p.pending = nil
	}
	m.resync = true
	m.tipsAsked = 0 // an answer under way may be older than what was missed
}

// askTips asks for the tip while events are known to be missing.
func (m *Machine) askTips(out *actor.Outbox) {
	if !m.resync || m.tipsAsked != 0 || !m.retryAt.IsZero() || m.starved {
		return
	}
	t, ok := m.ports.Tips.Ask(out, 0, chain.GetTips{})
	if !ok {
		m.starved = true
		return
	}
	m.tipsAsked = t
}

// onTips notes the tip. As the answer to GetTips it is announced, unless the
// stream has brought a block in the meantime: then the answer may be older.
func (m *Machine) onTips(now time.Time, in actor.Input, e chain.Tips) {
	if in.Ticket == 0 {
		m.tip = e.Block
		return
	}
	if in.Ticket != m.tipsAsked {
		return
	}
	m.tipsAsked = 0
	if !m.resync {
		return
	}
	if in.Err != nil {
		m.retrySoon(now)
		return
	}
	m.resync = false
	m.tip = e.Block
	if now.Sub(e.Block.Time) <= m.cfg.MaxTipAge {
		m.newsFor(now, news{hash: e.Block.Hash}, 0)
	}
}

func blockInv(hashes ...chainhash.Hash) *wire.MsgInv {
	msg := wire.NewMsgInvSizeHint(uint(len(hashes)))
	for i := range hashes {
		// The hashes are few: AddInvVect cannot fail.
		_ = msg.AddInvVect(wire.NewInvVect(wire.InvTypeBlock, &hashes[i]))
	}
	return msg
}

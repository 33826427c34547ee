package relay

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func (m *Machine) onHeadersWanted(e peer.HeadersWanted) {
	if p := m.peer(e.Peer); p != nil {
		p.showsLocator(e.Locator)
		p.wants.headers = queue(p.wants.headers, e, m.cfg.MaxLocators)
	}
}

func (m *Machine) onBlocksWanted(e peer.BlocksWanted) {
	if p := m.peer(e.Peer); p != nil {
		p.showsLocator(e.Locator)
		p.wants.hashes = queue(p.wants.hashes, e, m.cfg.MaxLocators)
	}
}

// showsLocator notes that a peer has the header that its locator starts from.
func (p *remote) showsLocator(locator []*chainhash.Hash) {
	if len(locator) > 0 {
		p.shows(*locator[0])
	}
}

// queue appends e to a list of at most max requests. The first one may be under
// way. In a full list e replaces the last one, for the newest counts.
func queue[T any](list []T, e T, max int) []T {
	if len(list) == max {
		list[max-1] = e
		return list
	}
	return append(list, e)
}

func (m *Machine) onDataWanted(e peer.DataWanted, out *actor.Outbox) {
	p := m.peer(e.Peer)
	switch {
	case p == nil:
	case !p.wants.getdata(e.Items, m.cfg.MaxWanted):
		m.end(p, fmt.Sprintf("it has asked for more than %d items and not taken them", m.cfg.MaxWanted), out)
	default:
		m.endGreedy(out)
	}
}

// endGreedy ends the peer that wants the most, if all together want too much. An honest
// peer seldom wants more than a thousand items.
func (m *Machine) endGreedy(out *actor.Outbox) {
	total := 0
	for _, p := range m.peers {
		total += p.wants.count()
	}
	if total > m.cfg.MaxWantedOfAll {
		most := slices.MaxFunc(m.peers, func(p, q *remote) int { return cmp.Compare(p.wants.count(), q.wants.count()) })
		m.end(most, fmt.Sprintf("the peers want %d items, and it wants the most: %d", total, most.wants.count()), out)
	}
}

// readable says whether a read may begin for a peer. Nothing is being sent to it, so
// that what is read does not wait in memory, and nothing that was read waits.
func (p *remote) readable() bool {
	return p.out == nil && p.read == noRead && p.wants.next() != noRead && p.retryAt.IsZero()
}

// startReads gives the free reads to the peers in turn.
func (m *Machine) startReads(now time.Time, out *actor.Outbox) {
	first, found := m.find(m.lastRead)
	if found {
		first++
	}
	for _, some := range [...][]*remote{m.peers[first:], m.peers[:first]} {
		for _, p := range some {
			if m.reads >= m.cfg.MaxReads {
				return
			}
			if p.readable() {
				m.startRead(now, p, out)
			}
		}
	}
}

func (m *Machine) startRead(now time.Time, p *remote, out *actor.Outbox) {
	var ok bool
	key, next := uint64(p.id), p.wants.next()
	switch next {
	case readHeaders:
		w := p.wants.headers[0]
		_, ok = m.ports.Headers.Ask(out, key, chain.GetHeaders{Locator: w.Locator, Stop: w.Stop})
	case readHashes:
		w := p.wants.hashes[0]
		_, ok = m.ports.Hashes.Ask(out, key, chain.GetHashes{Locator: w.Locator, Stop: w.Stop})
	case readBlock:
		v := p.wants.items.head()
		_, ok = m.ports.Block.Ask(out, key, chain.GetBlock{Hash: v.hash, Witness: v.invType() == wire.InvTypeWitnessBlock})
	case readTxs:
		ok = m.readTxs(now, p, out)
	}
	if !ok {
		m.starved = true
		return
	}
	p.read = next
	m.reads++
	m.lastRead = p.id
}

// endRead finds the peer whose read has ended. It returns nil when nothing is left
// to do: the peer is gone, or the read failed and will be tried again.
func (m *Machine) endRead(now time.Time, in actor.Input) *remote {
	m.reads--
	p := m.peer(actor.ID(in.Key))
	if p == nil {
		return nil
	}
	p.read = noRead
	if in.Err != nil {
		if p.wants.failures++; p.wants.failures < m.cfg.ReadAttempts {
			p.retryAt = now.Add(m.cfg.RetryAfter)
			p.wants.batch = 0
			return nil
		}
	}
	p.wants.failures = 0
	return p
}

// onHeaders answers a getheaders. Like Bitcoin Core it sends an empty message when
// there is nothing after the locator. When the read failed it is silent, since an empty
// message would say that the peer has everything. It is silent too when a question for
// one header names a block that we do not show.
func (m *Machine) onHeaders(now time.Time, in actor.Input, e chain.Headers) {
	p := m.endRead(now, in)
	if p == nil {
		return
	}
	n, locator := len(e.Headers), p.wants.headers[0].Locator
	p.wants.headers = p.wants.headers[1:]
	if in.Err != nil || n == 0 && len(locator) == 0 {
		return
	}
	p.held = send1(&wire.MsgHeaders{Headers: e.Headers})
	p.held.headers = n
	if n > 0 {
		p.shows(e.Headers[n-1].BlockHash())
	}
}

// onHashes answers a getblocks. There is nothing to say when there are no hashes.
func (m *Machine) onHashes(now time.Time, in actor.Input, e chain.Hashes) {
	p := m.endRead(now, in)
	if p == nil {
		return
	}
	p.wants.hashes = p.wants.hashes[1:]
	n := len(e.Hashes)
	if n == 0 {
		return
	}
	p.held = send1(blockInv(e.Hashes...))
	if n >= wire.MaxBlocksPerMsg {
		p.wants.continueAt = e.Hashes[n-1]
	}
}

// onBlock serves the block at the head of what a peer wants, or misses it.
func (m *Machine) onBlock(now time.Time, in actor.Input, e chain.Block) {
	p := m.endRead(now, in)
	switch {
	case p == nil:
	case e.Payload == nil: // there is none, or it could not be read
		p.wants.miss()
	default:
		hash := p.wants.take().hash
		p.held = &message{send: peer.Send{Payloads: [][]byte{e.Payload}}, item: block, items: 1}
		p.shows(hash)
		p.wants.served(hash)
	}
}

package relay

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// wants is what a peer has asked for and not got.
type wants struct {
	headers []peer.HeadersWanted // at most MaxLocators
	hashes  []peer.BlocksWanted  // at most MaxLocators

	runs     [][]wire.InvVect // one per getdata, its items in their order
	notFound []wire.InvVect   // of the first run
	items    int              // in runs and notFound, at most MaxWanted

	// continueAt is the last hash of a full inv that answered a getblocks.
	// Once that block is served, continued asks for an inv of the tip, which
	// makes the peer ask getblocks again.
	continueAt chainhash.Hash
	continued  bool

	failures int // of the read at the head of its list, in a row
}

// readKind is a question to chain on behalf of a peer.
type readKind uint8

const (
	noRead readKind = iota
	readHeaders
	readHashes
	readBlock
)

// next is the read to begin. Headers and hashes come first: they are small, and
// a peer that asks for them by the thousand delays only its own blocks.
func (w *wants) next() readKind {
	switch {
	case len(w.headers) > 0:
		return readHeaders
	case len(w.hashes) > 0:
		return readHashes
	case len(w.runs) > 0 && len(w.runs[0]) > 0 && isBlock(w.runs[0][0].Type):
		return readBlock
	}
	return noRead
}

func (m *Machine) onHeadersWanted(now time.Time, e peer.HeadersWanted, out *actor.Outbox) {
	if p := m.serving(e.Peer); p != nil {
		p.showsLocator(e.Locator)
		p.wants.headers = queue(p.wants.headers, e, m.cfg.MaxLocators)
		m.pump(now, p, out)
	}
}

func (m *Machine) onBlocksWanted(now time.Time, e peer.BlocksWanted, out *actor.Outbox) {
	if p := m.serving(e.Peer); p != nil {
		p.showsLocator(e.Locator)
		p.wants.hashes = queue(p.wants.hashes, e, m.cfg.MaxLocators)
		m.pump(now, p, out)
	}
}

// showsLocator notes that a peer has the header that its locator starts from.
func (p *remote) showsLocator(locator []*chainhash.Hash) {
	if len(locator) > 0 {
		p.shows(*locator[0])
	}
}

// queue appends e to a list of at most max requests, the first of which may be
// under way; in a full list it replaces the last one, for the newest counts.
func queue[T any](list []T, e T, max int) []T {
	if len(list) == max {
		list[max-1] = e
		return list
	}
	return append(list, e)
}

func (m *Machine) onDataWanted(now time.Time, e peer.DataWanted, out *actor.Outbox) {
	p := m.serving(e.Peer)
	if p == nil || len(e.Items) == 0 {
		return
	}
	if p.wants.items+len(e.Items) > m.cfg.MaxWanted {
		m.becomeLeaving(p, fmt.Sprintf("it has asked for more than %d blocks and not taken them", m.cfg.MaxWanted), out)
	} else {
		p.wants.runs = append(p.wants.runs, e.Items)
		p.wants.items += len(e.Items)
	}
	m.pump(now, p, out)
}

// isBlock says which items are served as blocks.
//
// Transactions are answered with notfound: nothing is relayed yet, so nothing
// was announced. What will serve them belongs in a file of its own beside this
// one, and its items are told apart here. Filtered and compact blocks, which we
// do not offer (BIP37, BIP152), and unknown kinds are answered the same way.
func isBlock(t wire.InvType) bool {
	return t == wire.InvTypeBlock || t == wire.InvTypeWitnessBlock
}

// settle moves what is not served from the head of the runs to notFound. At the
// end of a run it returns that run's notfound message, or nil when there is
// nothing to say.
func (w *wants) settle() *message {
	for len(w.runs) > 0 {
		run := w.runs[0]
		for len(run) > 0 && !isBlock(run[0].Type) {
			w.notFound = append(w.notFound, run[0])
			run = run[1:]
		}
		w.runs[0] = run
		if len(run) > 0 {
			return nil
		}
		w.runs[0] = nil
		w.runs = w.runs[1:]
		if len(w.notFound) == 0 {
			continue
		}
		wireMsg := wire.NewMsgNotFound()
		for i := range w.notFound {
			// A run is no longer than the getdata it came in, which has
			// the same limit: AddInvVect cannot fail.
			_ = wireMsg.AddInvVect(&w.notFound[i])
		}
		msg := send1(wireMsg)
		msg.notFound = len(w.notFound)
		w.items -= len(w.notFound)
		w.notFound = nil
		return msg
	}
	return nil
}

// readable says whether a read may begin for a peer: nothing is being sent to
// it, so that what is read does not wait in memory.
func (m *Machine) readable(p *remote) bool {
	return p.phase == serving && p.out == nil && p.held == nil && p.read == noRead &&
		!p.parked && p.wants.next() != noRead
}

// startReads gives the free reads to the peers, one after the other.
func (m *Machine) startReads(out *actor.Outbox) {
	for len(m.ring) > 0 && m.reads < m.cfg.MaxReads {
		p := m.peers[m.ring[0]]
		m.ring = m.ring[1:]
		p.inRing = false
		if m.readable(p) {
			m.startRead(p, out)
		}
	}
}

func (m *Machine) startRead(p *remote, out *actor.Outbox) {
	var ok bool
	key, kind := uint64(p.id), p.wants.next()
	switch kind {
	case readHeaders:
		w := p.wants.headers[0]
		_, ok = m.ports.Headers.Ask(out, key, chain.GetHeaders{Locator: w.Locator, Stop: w.Stop})
	case readHashes:
		w := p.wants.hashes[0]
		_, ok = m.ports.Hashes.Ask(out, key, chain.GetHashes{Locator: w.Locator, Stop: w.Stop})
	case readBlock:
		item := p.wants.runs[0][0]
		_, ok = m.ports.Block.Ask(out, key, chain.GetBlock{Hash: item.Hash, Witness: item.Type == wire.InvTypeWitnessBlock})
	}
	if !ok {
		m.starve(p)
		return
	}
	p.read = kind
	m.reads++
}

// endRead finds the peer whose read has ended. It returns nil when nothing is
// left to do: the peer is gone, or the read failed and will be tried again.
// failed says that it was tried often enough.
func (m *Machine) endRead(now time.Time, in actor.Input) (p *remote, failed bool) {
	m.reads--
	p = m.peers[actor.ID(in.Key)]
	if p == nil {
		return nil, false
	}
	p.read = noRead
	if p.phase != serving {
		return nil, false
	}
	if in.Err == nil {
		p.wants.failures = 0
		return p, false
	}
	p.wants.failures++
	if p.wants.failures < m.cfg.ReadAttempts {
		m.park(now, p)
		return nil, false
	}
	p.wants.failures = 0
	return p, true
}

// onHeaders answers a getheaders. Like Bitcoin Core it sends an empty message
// when there is nothing to send; but when the read failed it is silent, since
// an empty message would say that the peer has everything.
func (m *Machine) onHeaders(now time.Time, in actor.Input, e chain.Headers, out *actor.Outbox) {
	p, failed := m.endRead(now, in)
	if p == nil {
		return
	}
	p.wants.headers = p.wants.headers[1:]
	if !failed {
		p.held = send1(&wire.MsgHeaders{Headers: e.Headers})
		p.held.headers = len(e.Headers)
		if n := len(e.Headers); n > 0 {
			p.shows(e.Headers[n-1].BlockHash())
		}
	}
	m.pump(now, p, out)
}

// onHashes answers a getblocks.
func (m *Machine) onHashes(now time.Time, in actor.Input, e chain.Hashes, out *actor.Outbox) {
	p, failed := m.endRead(now, in)
	if p == nil {
		return
	}
	p.wants.hashes = p.wants.hashes[1:]
	if n := len(e.Hashes); n > 0 && !failed {
		p.held = send1(blockInv(e.Hashes...))
		if n >= wire.MaxBlocksPerMsg {
			p.wants.continueAt = e.Hashes[n-1]
		}
	}
	m.pump(now, p, out)
}

// onBlock answers the first item of the first getdata.
func (m *Machine) onBlock(now time.Time, in actor.Input, e chain.Block, out *actor.Outbox) {
	p, failed := m.endRead(now, in)
	if p == nil {
		return
	}
	w := &p.wants
	item := w.runs[0][0]
	w.runs[0] = w.runs[0][1:]
	if failed || e.Payload == nil {
		w.notFound = append(w.notFound, item)
	} else {
		w.items--
		p.shows(item.Hash)
		p.held = &message{send: peer.Send{Payloads: [][]byte{e.Payload}}, blocks: 1}
		if item.Hash == w.continueAt {
			w.continueAt = chainhash.Hash{}
			w.continued = true
		}
	}
	m.pump(now, p, out)
}

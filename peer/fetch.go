package peer

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

const (
	maxAnnounced = 8 // bounds Announced
	maxOpen      = 4 // getheaders that are remembered; netsync has one open, but for those that it has given up
)

// asked is what we have asked this peer for and not got. It only says whether what
// arrives was asked for. The component that asked keeps the clock.
type asked struct {
	headers   [][]*chainhash.Hash // the locators of getheaders without their headers, the oldest first
	headersAt time.Time           // of the last getheaders
	blocks    []chainhash.Hash    // of getdata, the oldest first, each once
}

// noteAsked remembers what a message that is being sent asks for.
func (m *Machine) noteAsked(now time.Time, msg wire.Message) {
	switch msg := msg.(type) {
	case *wire.MsgGetHeaders:
		if len(m.headers) == maxOpen || m.headersExpired(now) {
			m.headers = nil
		}
		m.headers = append(m.headers, msg.BlockLocatorHashes)
		m.headersAt = now
	case *wire.MsgGetData:
		for _, iv := range msg.InvList {
			if isBlock(iv.Type) {
				m.noteBlock(iv.Hash)
			}
		}
	}
}

func (m *Machine) noteBlock(h chainhash.Hash) {
	m.takeBlock(h) // asked for again: it is the newest now
	if len(m.blocks) == m.cfg.AskedBlocks {
		m.blocks = slices.Delete(m.blocks, 0, 1)
	}
	m.blocks = append(m.blocks, h)
}

// takeBlock forgets a block and says whether it was asked for.
func (m *Machine) takeBlock(h chainhash.Hash) bool {
	i := slices.Index(m.blocks, h)
	if i < 0 {
		return false
	}
	m.blocks = slices.Delete(m.blocks, i, i+1)
	return true
}

// headersExpired says that the last getheaders will not be answered any more. A
// peer that is syncing may ignore it, and what it announces minutes later is not
// the answer.
func (m *Machine) headersExpired(now time.Time) bool {
	return now.Sub(m.headersAt) > m.cfg.HeadersWithin
}

// takeHeaders says whether headers are the answer to a getheaders. An answer is empty, or
// begins behind a block of the locator (or the genesis block, which ends each locator). A
// peer that is far away may announce many blocks before it answers, and those are behind
// its own tip. Answers come in the order of the questions.
func (m *Machine) takeHeaders(now time.Time, headers []*wire.BlockHeader) bool {
	if m.headersExpired(now) {
		return false
	}
	i := slices.IndexFunc(m.headers, func(locator []*chainhash.Hash) bool {
		return len(headers) == 0 || slices.ContainsFunc(locator, func(h *chainhash.Hash) bool { return *h == headers[0].PrevBlock })
	})
	if i < 0 {
		return false
	}
	m.headers = slices.Delete(m.headers, 0, i+1)
	return true
}

func (m *Machine) onHeaders(now time.Time, msg *wire.MsgHeaders, out *actor.Outbox) {
	m.topics.Sync.Publish(out, HeadersReceived{Peer: m.id, Headers: msg.Headers, Asked: m.takeHeaders(now, msg.Headers)})
	newest := msg.Headers[max(0, len(msg.Headers)-maxAnnounced):]
	hashes := make([]chainhash.Hash, len(newest))
	for i, h := range newest {
		hashes[i] = h.BlockHash()
	}
	m.announced(hashes, out)
}

func (m *Machine) onBlock(now time.Time, msg *MsgBlock, out *actor.Outbox) {
	hash := msg.Header.BlockHash()
	m.lastBlock = now
	m.topics.Sync.Publish(out, BlockReceived{
		Peer: m.id, Hash: hash, Header: msg.Header, Payload: msg.Payload, Asked: m.takeBlock(hash),
	})
	m.announced([]chainhash.Hash{hash}, out)
}

func (m *Machine) onInv(msg *wire.MsgInv, out *actor.Outbox) {
	txs := m.announcedTxs(msg.InvList)
	if len(txs) > 0 && !m.takesTxs() {
		m.becomeGone(out, "an inv of transactions, and we asked for none", false)
		return
	}
	blocks := blockHashes(msg.InvList)
	if len(blocks) > 0 {
		m.topics.Sync.Publish(out, InvReceived{Peer: m.id, Blocks: blocks})
		m.announced(slices.Clone(blocks[max(0, len(blocks)-maxAnnounced):]), out)
	}
	if len(txs) > 0 {
		m.topics.Relay.Publish(out, TxsAnnounced{Peer: m.id, Txs: txs})
	}
	if len(blocks)+len(txs) == 0 {
		m.onIgnored()
	}
}

// onNotFound passes on the blocks that were asked for. Relay knows which transactions
// were. The rest is noise, and so is a whole list that is longer than what can have
// been asked for.
func (m *Machine) onNotFound(msg *wire.MsgNotFound, out *actor.Outbox) {
	if len(msg.InvList) > m.cfg.AskedBlocks+m.cfg.AskedTxs {
		m.onIgnored()
		return
	}
	blocks := slices.DeleteFunc(blockHashes(msg.InvList), func(h chainhash.Hash) bool { return !m.takeBlock(h) })
	txs := missingTxs(msg.InvList)
	if len(blocks) > 0 {
		m.topics.Sync.Publish(out, NotFoundReceived{Peer: m.id, Blocks: blocks})
	}
	if len(txs) > 0 {
		m.topics.Relay.Publish(out, TxsNotFound{Peer: m.id, Txs: txs})
	}
	if len(blocks)+len(txs) == 0 {
		m.onIgnored()
	}
}

func (m *Machine) announced(hashes []chainhash.Hash, out *actor.Outbox) {
	if len(hashes) > 0 {
		m.topics.Relay.Publish(out, Announced{Peer: m.id, Blocks: hashes})
	}
}

// isBlock says whether an inventory type is a block, with or without witness
// (BIP144).
func isBlock(t wire.InvType) bool { return t&^wire.InvWitnessFlag == wire.InvTypeBlock }

func blockHashes(list []*wire.InvVect) []chainhash.Hash {
	var hashes []chainhash.Hash
	for _, iv := range list {
		if isBlock(iv.Type) {
			hashes = append(hashes, iv.Hash)
		}
	}
	return hashes
}

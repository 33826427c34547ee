package fake

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// maxFuture is how far ahead of the clock a header may be (consensus).
const maxFuture = 2 * time.Hour

// Store is the chain of one node: a tree of headers, the blocks, and the best of
// both. It is plain data.
type Store struct {
	// BadBlocks and BadHeaders break a rule when they come.
	BadBlocks, BadHeaders map[chainhash.Hash]bool
	// HeadersPerMessage bounds the answer to GetHeaders.
	HeadersPerMessage int
	// Ahead is how far the clock by which headers and blocks are judged is ahead of the
	// world's.
	Ahead time.Duration
	// Rules are the pool's.
	Rules PoolRules

	coins map[wire.OutPoint]coin // of the best chain
	pool  pool

	entries map[chainhash.Hash]*entry
	order   []*entry // as they became known
	main    []*entry // the best chain of blocks, by height
	header  *entry   // the best header

	events []chain.Event // those that chain has not confirmed
	last   uint64        // the number of the last event
}

// entry is one header.
type entry struct {
	chain.Point
	header wire.BlockHeader
	parent *entry // nil: genesis
	block  *wire.MsgBlock
	source actor.ID
	bad    bool    // it, or an ancestor, broke a rule
	spent  []spent // by its block, while it is in the best chain
}

// NewStore returns a chain that is its genesis block.
func NewStore(genesis *wire.MsgBlock) *Store {
	s := &Store{
		BadBlocks: map[chainhash.Hash]bool{}, BadHeaders: map[chainhash.Hash]bool{},
		Rules:   PoolRules{MaxTxs: 1000, MaxOrphans: 100},
		coins:   map[wire.OutPoint]coin{},
		entries: map[chainhash.Hash]*entry{}, HeadersPerMessage: wire.MaxBlockHeadersPerMsg,
	}
	e := s.insert(&genesis.Header, nil)
	e.block = genesis
	s.main = []*entry{e}
	s.header = e
	s.pool.deltas = map[chainhash.Hash]int64{}
	return s
}

// Add stores, in order, the blocks that the node has from the start.
func (s *Store) Add(now time.Time, blocks ...*wire.MsgBlock) {
	for _, b := range blocks {
		s.applyBlock(now, chain.ApplyBlock{Payload: payload(b, true), Hash: b.BlockHash()})
	}
}

// Tips returns the best block and the best header.
func (s *Store) Tips() chain.Tips {
	tip := s.tip()
	return chain.Tips{Block: tip.Point, Header: s.header.Point, MedianTime: tip.medianTime()}
}

func (s *Store) tip() *entry { return s.main[len(s.main)-1] }

// inMain says whether a header's block is part of the best chain.
func (s *Store) inMain(e *entry) bool {
	return int(e.Height) < len(s.main) && s.main[e.Height] == e
}

func (s *Store) insert(h *wire.BlockHeader, parent *entry) *entry {
	e := &entry{header: *h, parent: parent}
	e.Point = chain.Point{Hash: h.BlockHash(), Time: h.Timestamp, Work: chain.WorkFromBig(blockchain.CalcWork(h.Bits))}
	if parent != nil {
		e.Height = parent.Height + 1
		e.Work = parent.Work.Add(e.Work)
	}
	s.entries[e.Hash] = e
	s.order = append(s.order, e)
	return e
}

// medianTime is the median time of a header and the ten before it.
func (e *entry) medianTime() time.Time {
	var times []time.Time
	for ; e != nil && len(times) < 11; e = e.parent {
		times = append(times, e.Time)
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[len(times)/2]
}

// ancestor is the header at a height of e's branch, or nil if e is lower.
func (e *entry) ancestor(height int32) *entry {
	for e != nil && e.Height > height {
		e = e.parent
	}
	if e == nil || e.Height < height {
		return nil
	}
	return e
}

// fork is the last header that the branches of a and b have in common.
func fork(a, b *entry) *entry {
	a, b = lower(a, b), lower(b, a)
	for a != b {
		a, b = a.parent, b.parent
	}
	return a
}

func lower(a, b *entry) *entry { return a.ancestor(min(a.Height, b.Height)) }

// branch lists the headers behind from up to its descendant to.
func branch(from, to *entry) (list []*entry) {
	for ; to != from; to = to.parent {
		list = append(list, to)
	}
	slices.Reverse(list)
	return list
}

// applyHeaders carries out chain.ApplyHeaders.
func (s *Store) applyHeaders(now time.Time, headers []*wire.BlockHeader) chain.HeadersVerdict {
	var v chain.HeadersVerdict
	var last *entry
	for _, h := range headers {
		e, code := s.applyHeader(now, h, &v.New)
		if code != chain.OK {
			v.Code, v.Reason, v.Detail = code, code.String(), h.BlockHash().String()
			break
		}
		last = e
		v.Accepted++
	}
	if last != nil {
		v.Last, v.Fork = last.Point, fork(last, s.header).Point
	}
	v.Best = s.header.Point
	return v
}

func (s *Store) applyHeader(now time.Time, h *wire.BlockHeader, fresh *int) (*entry, chain.Code) {
	hash := h.BlockHash()
	if e := s.entries[hash]; e != nil {
		if e.bad {
			return nil, chain.Invalid
		}
		return e, chain.OK
	}
	parent := s.entries[h.PrevBlock]
	switch {
	case parent == nil:
		return nil, chain.Orphan
	case parent.bad:
		return nil, chain.BadAncestor
	case s.BadHeaders[hash]:
		return nil, chain.Invalid
	case s.tooNew(now, h):
		return nil, chain.TooNew
	}
	e := s.insert(h, parent)
	*fresh++
	if e.Work.Cmp(s.header.Work) > 0 {
		s.header = e
	}
	return e, chain.OK
}

// tooNew says whether a header is too far ahead of the clock.
func (s *Store) tooNew(now time.Time, h *wire.BlockHeader) bool {
	return h.Timestamp.Sub(now.Add(s.Ahead)) > maxFuture
}

// applyBlock carries out chain.ApplyBlock.
func (s *Store) applyBlock(now time.Time, q chain.ApplyBlock) chain.Verdict {
	v := chain.Verdict{Hash: q.Hash, Code: s.takeBlock(now, q)}
	if v.Code != chain.OK {
		v.Reason, v.Detail = v.Code.String(), q.Hash.String()
	}
	e := s.entries[q.Hash]
	v.InBestChain = e != nil && s.inMain(e)
	v.Tip = s.tip().Point
	return v
}

func (s *Store) takeBlock(now time.Time, q chain.ApplyBlock) chain.Code {
	b := new(wire.MsgBlock)
	unreadable := b.Deserialize(bytes.NewReader(q.Payload))
	parent := s.entries[b.Header.PrevBlock]
	if e := s.entries[q.Hash]; e != nil && e.block != nil {
		return chain.Duplicate
	} else if parent == nil || parent.block == nil && !parent.bad {
		return chain.Orphan
	}
	e, code := s.applyHeader(now, &b.Header, new(int))
	switch {
	case code != chain.OK:
		return code
	case s.tooNew(now, &b.Header): // the clock has gone back since the header came
		return chain.TooNew
	case unreadable != nil, merkleRoot(b) != b.Header.MerkleRoot:
		return chain.Mutated
	case s.BadBlocks[q.Hash]:
		s.condemn(e)
		return chain.Invalid
	}
	e.block, e.source = b, q.Source
	if e.Work.Cmp(s.tip().Work) > 0 {
		s.reorganise(now, e)
	}
	return chain.OK
}

// condemn marks a header and all its descendants as bad. None of them has a
// block, so the best chain of blocks stays.
func (s *Store) condemn(bad *entry) {
	bad.bad = true
	s.header = s.main[0]
	for _, e := range s.order { // parents come before their children
		if e.parent != nil && e.parent.bad {
			e.bad = true
		}
		if !e.bad && e.Work.Cmp(s.header.Work) > 0 {
			s.header = e
		}
	}
}

// reorganise makes tip the best block. The pool is made anew when all blocks are in place.
func (s *Store) reorganise(now time.Time, tip *entry) {
	base := fork(s.tip(), tip)
	var back []*wire.MsgTx
	for s.tip() != base {
		e := s.disconnect()
		back = slices.Concat(e.block.Transactions[1:], back)
		s.note(chain.BlockDisconnected{Point: e.Point})
	}
	blocks := branch(base, tip)
	for _, e := range blocks {
		s.connect(e)
		s.note(chain.BlockConnected{
			Point: e.Point, Header: e.header, Source: e.source,
			Txs: len(e.block.Transactions), Size: e.block.SerializeSize(),
		})
		s.confirm(e)
	}
	s.refill(now, back, blocks)
}

func (s *Store) note(e chain.Event) {
	s.events = append(s.events, e)
	s.last++
}

// changes is what every answer of the worker brings. It forgets the events up to
// number seen.
func (s *Store) changes(seen uint64) chain.Changes {
	first := s.last - uint64(len(s.events))
	if seen > first {
		s.events = slices.Clone(s.events[seen-first:])
	}
	return chain.Changes{Tips: s.Tips(), Events: slices.Clone(s.events), Last: s.last}
}

// check verifies what must hold between two questions.
func (s *Store) check() error {
	for i, e := range s.main {
		switch {
		case int(e.Height) != i, e.block == nil, e.bad:
			return fmt.Errorf("fake: block %v of the best chain is at height %d, bad: %v", e.Hash, i, e.bad)
		case i > 0 && e.parent != s.main[i-1]:
			return fmt.Errorf("fake: block %v does not follow the one before it", e.Hash)
		}
	}
	if s.last < uint64(len(s.events)) || s.header.bad {
		return errors.New("fake: too many events, or a bad best header")
	}
	return s.checkPool()
}

// merkleRoot is the root of a block's transactions.
func merkleRoot(b *wire.MsgBlock) chainhash.Hash {
	if len(b.Transactions) == 0 {
		return chainhash.Hash{}
	}
	return blockchain.CalcMerkleRoot(btcutil.NewBlock(b).Transactions(), false)
}

// payload is a block as a block message carries it.
func payload(b *wire.MsgBlock, witness bool) []byte {
	var buf bytes.Buffer
	write := b.SerializeNoWitness
	if witness {
		write = b.Serialize
	}
	if err := write(&buf); err != nil {
		panic(err) // a buffer does not fail
	}
	return buf.Bytes()
}

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// Reader handles the questions to chain.Readers, which only look things up. Any
// number of goroutines may serve it. An answer never waits for a block to be
// processed, but only for the moments when its index entry is written.
func (e *Engine) Reader() adapter.Handler { return adapter.HandlerFunc(e.handleRead) }

func (e *Engine) handleRead(_ context.Context, in actor.Input) any {
	e.life.RLock()
	defer e.life.RUnlock()
	switch q := in.Body.(type) {
	case chain.GetLocator:
		return unless(e.closed, func() chain.Locator { return e.locator(q) })
	case chain.GetPath:
		return unless(e.closed, func() chain.Path { return e.path(q) })
	case chain.GetForks:
		return unless(e.closed, func() chain.Forks { return e.forks(q) })
	case chain.GetHeaders:
		return unless(e.closed, func() chain.Headers { return e.headersAfter(q) })
	case chain.GetHashes:
		return unless(e.closed, func() chain.Hashes { return e.hashesAfter(q) })
	case chain.GetBlock:
		return unless(e.closed, func() chain.Block { return e.block(q) })
	case chain.GetHash:
		return unless(e.closed, func() chain.HashAt { return e.hashAt(q) })
	case chain.GetHeader:
		return unless(e.closed, func() chain.HeaderInfo { return e.headerInfo(q) })
	case chain.GetPool:
		return unless(e.closed, e.pool.List)
	case chain.GetPoolTx:
		return unless(e.closed, func() chain.PooledTx { return e.pool.Tx(q) })
	case chain.GetPoolTxs:
		return unless(e.closed, func() chain.PooledTxs { return e.pool.Several(q) })
	case chain.GetPoolInfo:
		return unless(e.closed, e.poolInfo)
	case chain.GetPoolEntries:
		return unless(e.closed, func() chain.PoolEntries { return e.pool.Entries(q) })
	case chain.GetSpenders:
		return unless(e.closed, func() chain.Spenders { return e.pool.Spenders(q) })
	default:
		panic(fmt.Sprintf("engine: the readers cannot handle %T", q))
	}
}

// unless returns an empty answer if the chain is closed.
func unless[A any](closed bool, f func() A) (a A) {
	if !closed {
		a = f()
	}
	return a
}

// find looks up a header that is not known to be invalid. The zero hash stands for
// the best header. The caller holds mu.
func (e *Engine) find(hash chainhash.Hash) (node, bool) {
	if hash == (chainhash.Hash{}) {
		hash = e.tips.Header.Hash
	}
	n, ok := e.tree.node(hash)
	return n, ok && !e.valid.condemned(e.tree, n)
}

// locator names headers from the tip back to the genesis block: ten in a row, then
// in steps that double.
func (e *Engine) locator(q chain.GetLocator) (l chain.Locator) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, ok := e.find(q.From)
	if !ok {
		return l
	}
	if q.Parent && n.Height > 0 {
		n = e.tree.must(e.tree.parent(n.Hash))
	}
	l.Tip = n.Point
	for height, stride := n.Height, int32(1); ; height -= stride {
		height = max(height, 0)
		hash := e.tree.ancestor(n, height)
		l.Hashes = append(l.Hashes, &hash)
		if height == 0 {
			return l
		}
		if len(l.Hashes) > 10 {
			stride *= 2
		}
	}
}

// path lists the blocks that are not stored on the way to a header.
func (e *Engine) path(q chain.GetPath) (p chain.Path) {
	to, n, ok := e.pathStart(q)
	if !ok {
		return p
	}
	p.Known, p.To = true, to.Point
	for n.Height < to.Height && len(p.Missing) < q.Max {
		for _, n = range e.upwards(n, to, pathChunk) {
			if len(p.Missing) == q.Max {
				break
			}
			if e.hasData(&n.Hash) {
				p.Have++
			} else {
				p.Missing = append(p.Missing, n.Point)
			}
		}
	}
	return p
}

// pathStart finds where the path leads and the last header before it.
func (e *Engine) pathStart(q chain.GetPath) (to, before node, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if to, ok = e.find(q.To); !ok {
		return to, before, false
	}
	before = e.tree.fork(to, e.tree.must(e.tips.Block.Hash))
	if after, known := e.tree.node(q.After); known {
		if f := e.tree.fork(to, after); f.Height > before.Height {
			before = f
		}
	}
	return to, before, true
}

// pathChunk is how many headers are looked up under one hold of mu.
const pathChunk = 256

// upwards returns the next headers after n on the way to its descendant to, at most
// max.
func (e *Engine) upwards(n, to node, max int32) []node {
	e.mu.Lock()
	defer e.mu.Unlock()
	max = min(max, to.Height-n.Height)
	steps := make([]step, max)
	hash := e.tree.ancestor(to, n.Height+max)
	for i := len(steps) - 1; i >= 0; i-- {
		h, err := e.chain.HeaderByHash(&hash)
		if err != nil {
			panic("engine: " + err.Error())
		}
		steps[i] = step{hash, h}
		hash = h.PrevBlock
	}
	nodes := make([]node, max)
	for i := range steps {
		n = e.tree.child(n, steps[i].hash, &steps[i].header)
		nodes[i] = n
	}
	return nodes
}

// hasData says whether a block is stored.
func (e *Engine) hasData(hash *chainhash.Hash) bool {
	have, err := e.chain.HaveBlock(hash)
	if err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("looking for block %v: %v", hash, err))
	}
	return have && err == nil
}

// forks says where branches leave the branch of a header.
func (e *Engine) forks(q chain.GetForks) chain.Forks {
	n := min(len(q.Hashes), chain.MaxForks)
	f := chain.Forks{Points: make([]chain.Point, n), Shared: make([]chain.Point, n)}
	e.mu.Lock()
	defer e.mu.Unlock()
	to, ok := e.find(q.To)
	for i := range n {
		if h, known := e.tree.node(q.Hashes[i]); ok && known && !e.valid.condemned(e.tree, h) {
			f.Points[i], f.Shared[i] = h.Point, e.tree.fork(h, to).Point
		}
	}
	return f
}

// maxHashes is how many hashes answer a getblocks at most.
const maxHashes = 500

// headersAfter answers getheaders. Without a locator the answer is the header that
// Stop names.
func (e *Engine) headersAfter(q chain.GetHeaders) (a chain.Headers) {
	if len(q.Locator) == 0 {
		if _, ok := e.servable(&q.Stop); ok {
			if h, err := e.chain.HeaderByHash(&q.Stop); err == nil {
				a.Headers = append(a.Headers, &h)
			}
		}
		return a
	}
	e.after(q.Locator, q.Stop, wire.MaxBlockHeadersPerMsg, func(_ chainhash.Hash, h *wire.BlockHeader) {
		a.Headers = append(a.Headers, h)
	})
	return a
}

// hashesAfter answers getblocks.
func (e *Engine) hashesAfter(q chain.GetHashes) (a chain.Hashes) {
	e.after(q.Locator, q.Stop, maxHashes, func(hash chainhash.Hash, _ *wire.BlockHeader) {
		a.Hashes = append(a.Hashes, hash)
	})
	return a
}

// after walks up the best chain until stop or max. It starts at the first block of
// the locator that is part of the best chain, or at the genesis block. If the chain
// is reorganised meanwhile, it ends where the old and the new one part.
//
// btcd's LocateHeaders does the same under the chain lock, so it would wait for the
// block that is being processed.
func (e *Engine) after(locator []*chainhash.Hash, stop chainhash.Hash, max int, f func(chainhash.Hash, *wire.BlockHeader)) {
	height, last := int32(0), *e.params.GenesisHash
	for _, hash := range locator {
		if at, err := e.chain.BlockHeightByHash(hash); err == nil {
			height, last = at, *hash
			break
		}
	}
	for range max {
		height++
		hash, err := e.chain.BlockHashByHeight(height)
		if err != nil {
			return
		}
		h, err := e.chain.HeaderByHash(hash)
		if err != nil || h.PrevBlock != last {
			return
		}
		f(*hash, &h)
		if last = *hash; last == stop {
			return
		}
	}
}

// block reads the payload of a block message. It does not copy it: ffldb reads each
// block into new memory. (The interface promises the bytes for the transaction
// only, so that a database may map its files.)
func (e *Engine) block(q chain.GetBlock) chain.Block {
	a := chain.Block{Hash: q.Hash}
	height, ok := e.servable(&q.Hash)
	if !ok {
		return a
	}
	a.Height = height
	var raw []byte
	var err error
	//correctness: a reader waits for the disk, and for the database's lock, which
	//a commit of the worker may hold. The commit ends: it waits for no
	//reader.
	err = e.db.View(func(tx database.Tx) (err error) {
		if raw, err = tx.FetchBlock(&q.Hash); err == nil && q.Spent {
			a.Spent = e.spent(tx, &q.Hash)
		}
		return err
	})
	var dbErr database.Error
	if errors.As(err, &dbErr) && dbErr.ErrorCode == database.ErrBlockNotFound {
		return a // it was pruned
	}
	if err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("block %v cannot be read: %v", q.Hash, err))
		return a
	}
	if !q.Witness {
		raw = e.withoutWitness(raw)
	}
	a.Payload = raw
	return a
}

func (e *Engine) withoutWitness(raw []byte) []byte {
	var msg wire.MsgBlock
	if err := msg.Deserialize(bytes.NewReader(raw)); err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("a stored block cannot be read: %v", err))
		return nil
	}
	stripped := msg.SerializeSizeStripped()
	if stripped == len(raw) {
		return raw
	}
	out := bytes.NewBuffer(make([]byte, 0, stripped))
	if err := msg.SerializeNoWitness(out); err != nil {
		e.cfg.Log(actor.Error, fmt.Sprintf("a stored block cannot be written: %v", err))
		return nil
	}
	return out.Bytes()
}

func (e *Engine) hashAt(q chain.GetHash) chain.HashAt {
	hash, err := e.chain.BlockHashByHeight(q.Height)
	if err != nil {
		return chain.HashAt{}
	}
	return chain.HashAt{Known: true, Hash: *hash}
}

func (e *Engine) headerInfo(q chain.GetHeader) (a chain.HeaderInfo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, ok := e.tree.node(q.Hash)
	if !ok {
		return a
	}
	h, err := e.chain.HeaderByHash(&q.Hash)
	if err != nil {
		return a
	}
	a = chain.HeaderInfo{Known: true, Header: h, Point: n.Point, MedianTime: e.medianTime(h)}
	a.InBestChain = e.chain.MainChainHasBlock(&q.Hash)
	if next, err := e.chain.BlockHashByHeight(n.Height + 1); err == nil && a.InBestChain {
		a.Next = *next
	}
	return a
}

// medianBlocks is how many timestamps make the median time past (BIP113).
const medianBlocks = 11

// medianTime returns the median of the times of a header and the ten before it.
func (e *Engine) medianTime(h wire.BlockHeader) time.Time {
	times := []time.Time{h.Timestamp}
	for len(times) < medianBlocks {
		var err error
		if h, err = e.chain.HeaderByHash(&h.PrevBlock); err != nil {
			break // the genesis block
		}
		times = append(times, h.Timestamp)
	}
	slices.SortFunc(times, time.Time.Compare)
	return second(times[len(times)/2])
}

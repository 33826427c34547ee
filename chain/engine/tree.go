package engine

import (
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// index is the part of btcd's block index that is about headers. HeaderByHash knows
// every header. The other two know those of the best header chain.
type index interface {
	HeaderByHash(*chainhash.Hash) (wire.BlockHeader, error)
	HeaderHashByHeight(int32) (*chainhash.Hash, error)
	HeaderHeightByHash(chainhash.Hash) (int32, error)
}

// tree knows the height and the work of every header in btcd's index, and where
// branches part. btcd does not tell them, and with millions of headers there is no
// room to keep them twice. So tree keeps an anchor at every spacing-th height of
// every branch, about half a byte a header. From a header it walks back to its
// anchor, which takes fewer than spacing steps. Each anchor knows the one before,
// which makes long walks short. Anchors never change, so a reorganisation of the
// headers invalidates nothing.
//
// A tree must not be used concurrently.
type tree struct {
	index   index
	spacing int32
	anchors map[chainhash.Hash]anchor

	// recent and ring are the nodes looked up last, for most questions are
	// about the tips.
	recent map[chainhash.Hash]node
	ring   []chainhash.Hash
	next   int

	works map[uint32]chain.Work // by difficulty bits; a cache
}

// anchor is a header whose height is a multiple of spacing.
type anchor struct {
	height int32
	work   chain.Work
	prev   chainhash.Hash // the anchor before; zero at the genesis block
}

// node is a header's point and the last anchor at or below it.
type node struct {
	chain.Point
	anchor chainhash.Hash
}

const (
	anchorSpacing = 256
	recentNodes   = 8192
	maxWorks      = 4096
)

// newTree returns a tree that knows the genesis block.
func newTree(ix index, genesis *wire.BlockHeader, spacing int32, recent int) *tree {
	t := &tree{
		index: ix, spacing: spacing,
		anchors: map[chainhash.Hash]anchor{},
		recent:  make(map[chainhash.Hash]node, recent),
		ring:    make([]chainhash.Hash, recent),
		works:   map[uint32]chain.Work{},
	}
	t.anchors[genesis.BlockHash()] = anchor{work: t.work(genesis.Bits)}
	return t
}

// work returns the work of a header with these difficulty bits.
func (t *tree) work(bits uint32) chain.Work {
	w, ok := t.works[bits]
	if !ok {
		if len(t.works) >= maxWorks {
			clear(t.works)
		}
		w = chain.WorkFromBig(blockchain.CalcWork(bits))
		t.works[bits] = w
	}
	return w
}

// child returns the node of a header, given its parent's.
func (t *tree) child(parent node, hash chainhash.Hash, h *wire.BlockHeader) node {
	n := node{
		Point: chain.Point{
			Hash:   hash,
			Height: parent.Height + 1,
			Work:   parent.Work.Add(t.work(h.Bits)),
			Time:   second(h.Timestamp),
		},
		anchor: parent.anchor,
	}
	if n.Height%t.spacing == 0 {
		t.anchors[hash] = anchor{height: n.Height, work: n.Work, prev: parent.anchor}
		n.anchor = hash
	}
	return n
}

// remember keeps a node at hand. It drops the node that was kept first.
func (t *tree) remember(n node) {
	if _, ok := t.recent[n.Hash]; ok {
		return
	}
	delete(t.recent, t.ring[t.next])
	t.ring[t.next] = n.Hash
	t.recent[n.Hash] = n
	t.next = (t.next + 1) % len(t.ring)
}

// step is a header on the way back to a known node.
type step struct {
	hash   chainhash.Hash
	header wire.BlockHeader
}

// node looks a header up. ok is false if btcd does not know it.
func (t *tree) node(hash chainhash.Hash) (n node, ok bool) {
	var back []step
	for {
		if n, ok = t.recent[hash]; ok {
			break
		}
		h, err := t.index.HeaderByHash(&hash)
		if err != nil {
			return node{}, false // only the first one can be unknown
		}
		if a, is := t.anchors[hash]; is {
			n = node{Point: chain.Point{Hash: hash, Height: a.height, Work: a.work, Time: second(h.Timestamp)}, anchor: hash}
			break
		}
		back = append(back, step{hash, h})
		hash = h.PrevBlock
	}
	for i := len(back) - 1; i >= 0; i-- {
		n = t.child(n, back[i].hash, &back[i].header)
	}
	t.remember(n)
	return n, true
}

// parent returns the hash before a known header.
func (t *tree) parent(hash chainhash.Hash) chainhash.Hash {
	h, err := t.index.HeaderByHash(&hash)
	if err != nil {
		panic("engine: btcd has forgotten header " + hash.String())
	}
	return h.PrevBlock
}

// inView says whether a header is part of the best header chain.
func (t *tree) inView(hash chainhash.Hash) bool {
	_, err := t.index.HeaderHeightByHash(hash)
	return err == nil
}

// byHeight returns the header at a height of the best header chain, which must have
// one.
func (t *tree) byHeight(height int32) chainhash.Hash {
	hash, err := t.index.HeaderHashByHeight(height)
	if err != nil {
		panic("engine: " + err.Error())
	}
	return *hash
}

// ancestor returns the header of n's branch at a height at or below n's.
func (t *tree) ancestor(n node, height int32) chainhash.Hash {
	hash, at := n.Hash, n.Height
	if at > height && t.anchors[n.anchor].height >= height {
		hash, at = n.anchor, t.anchors[n.anchor].height
		for at-t.spacing >= height && !t.inView(hash) {
			hash, at = t.anchors[hash].prev, at-t.spacing
		}
	}
	if at > height && t.inView(hash) {
		return t.byHeight(height)
	}
	for ; at > height; at-- {
		hash = t.parent(hash)
	}
	return hash
}

// junction returns the height at which n's branch leaves the best header chain.
func (t *tree) junction(n node) int32 {
	hash, at := n.Hash, n.Height
	if !t.inView(hash) && !t.inView(n.anchor) {
		hash, at = n.anchor, t.anchors[n.anchor].height
		for prev := t.anchors[hash].prev; !t.inView(prev); prev = t.anchors[hash].prev {
			hash, at = prev, at-t.spacing
		}
	}
	for !t.inView(hash) {
		hash, at = t.parent(hash), at-1
	}
	return at
}

// fork returns the last header that two branches share.
func (t *tree) fork(a, b node) node {
	ja, jb := t.junction(a), t.junction(b)
	if ja != jb {
		return t.must(t.byHeight(min(ja, jb)))
	}
	// Both leave the best header chain at the same height, or not at all.
	low := min(a.Height, b.Height)
	a, b = t.must(t.ancestor(a, low)), t.must(t.ancestor(b, low))
	if a.Hash == b.Hash {
		return a
	}
	x, y := a.Hash, b.Hash
	if a.anchor != b.anchor {
		x, y = a.anchor, b.anchor
		for t.anchors[x].prev != t.anchors[y].prev {
			x, y = t.anchors[x].prev, t.anchors[y].prev
		}
	}
	for x != y {
		x, y = t.parent(x), t.parent(y)
	}
	return t.must(x)
}

func (t *tree) must(hash chainhash.Hash) node {
	n, ok := t.node(hash)
	if !ok {
		panic("engine: btcd has forgotten header " + hash.String())
	}
	return n
}

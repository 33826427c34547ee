package engine

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// validity knows the branches of headers with an invalid block, and which header
// could be the best instead. It lives in memory. After a restart btcd still knows
// the invalid blocks that it had stored, and any other is found out again when it
// is downloaded.
type validity struct {
	// bad are the invalid blocks, the one found first at the head. btcd refuses
	// their children, and only we refuse their other descendants.
	bad []chain.Point
	// leaves are the ends of header branches with more work than the best block:
	// the choice that is left when a branch turns out bad.
	leaves map[chainhash.Hash]leaf
	seq    uint64
}

type leaf struct {
	node
	seq uint64 // of two with the same work, the one seen first is better
}

// maxBad and maxLeaves bound validity. A bad block that is forgotten is found out
// again when it is downloaded again. A leaf that is forgotten had the least work.
const (
	maxBad    = 64
	maxLeaves = 1024
)

func newValidity() *validity {
	return &validity{leaves: map[chainhash.Hash]leaf{}}
}

// grow notes that a new header is the end of its branch.
func (v *validity) grow(n node, parent chainhash.Hash) {
	delete(v.leaves, parent)
	v.seq++
	v.leaves[n.Hash] = leaf{n, v.seq}
	if len(v.leaves) > maxLeaves {
		v.dropLightest()
	}
}

func (v *validity) dropLightest() {
	var worst leaf
	for _, l := range v.leaves {
		if worst.seq == 0 || worse(l, worst) {
			worst = l
		}
	}
	delete(v.leaves, worst.Hash)
}

// worse says whether a has less work than b, or the same and was seen later. It is a
// total order.
func worse(a, b leaf) bool {
	if c := a.Work.Cmp(b.Work); c != 0 {
		return c < 0
	}
	return a.seq > b.seq
}

// prune forgets the leaves that the best block has overtaken.
func (v *validity) prune(block node) {
	for hash, l := range v.leaves {
		if l.Work.Cmp(block.Work) <= 0 {
			delete(v.leaves, hash)
		}
	}
}

// condemn notes that a block is invalid.
func (v *validity) condemn(t *tree, n node) {
	for _, b := range v.bad {
		if b.Hash == n.Hash {
			return
		}
	}
	if len(v.bad) >= maxBad {
		v.bad = append(v.bad[:0], v.bad[1:]...)
	}
	v.bad = append(v.bad, n.Point)
	for hash, l := range v.leaves {
		if v.condemned(t, l.node) {
			delete(v.leaves, hash)
		}
	}
}

// condemned says whether the block of a header or of one of its ancestors is known
// to be invalid.
func (v *validity) condemned(t *tree, n node) bool {
	for _, b := range v.bad {
		if n.Height >= b.Height && t.ancestor(n, b.Height) == b.Hash {
			return true
		}
	}
	return false
}

// bestHeader returns the header with the most work of all whose branch is not known
// to be invalid. It is btcd's, unless btcd's is condemned.
func (e *Engine) bestHeader(block node) node {
	e.valid.prune(block)
	hash, _ := e.chain.BestHeader()
	best := e.tree.must(hash)
	if !e.valid.condemned(e.tree, best) {
		return best
	}
	top := leaf{node: block}
	for _, l := range e.valid.leaves {
		if worse(top, l) {
			top = l
		}
	}
	return top.node
}

// isBad says whether a block itself is known to be invalid.
func (v *validity) isBad(hash chainhash.Hash) bool {
	for _, b := range v.bad {
		if b.Hash == hash {
			return true
		}
	}
	return false
}

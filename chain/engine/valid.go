package engine

import (
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// validity knows which branches of headers are of no use because one of their
// blocks is invalid, and what could be the best header instead. It lives in
// memory: after a restart an invalid block that btcd had stored is still known
// as such to btcd, any other is found out again when it is downloaded.
type validity struct {
	// bad are the invalid blocks, oldest first. btcd refuses their children;
	// their other descendants only we can.
	bad []chain.Point
	// leaves are the ends of header branches that have more work than the
	// best block: what is left to choose from when a branch turns out bad.
	leaves map[chainhash.Hash]leaf
	seq    uint64
}

type leaf struct {
	node
	seq uint64 // of two with the same work, the one first seen is better
}

// maxBad and maxLeaves bound validity. A bad block that is forgotten is found
// out again when somebody wants it downloaded again; a leaf that is forgotten
// had the least work.
const (
	maxBad    = 64
	maxLeaves = 1024
)

func newValidity() *validity {
	return &validity{leaves: map[chainhash.Hash]leaf{}}
}

// grow notes a new header as the end of its branch.
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

// worse orders leaves: less work, or the same seen later. No two are alike.
func worse(a, b leaf) bool {
	if c := a.Work.Cmp(b.Work); c != 0 {
		return c < 0
	}
	return a.seq > b.seq
}

// prune forgets leaves that the best block has overtaken.
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

// condemned says whether a header or one before it is of an invalid block.
func (v *validity) condemned(t *tree, n node) bool {
	for _, b := range v.bad {
		if n.Height >= b.Height && t.ancestor(n, b.Height) == b.Hash {
			return true
		}
	}
	return false
}

// bestHeader is the header with the most work whose branch is not known to be
// invalid. That is btcd's, unless btcd's is invalid.
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

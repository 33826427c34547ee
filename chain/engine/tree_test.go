package engine

import (
	"encoding/binary"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// oracle is a tree of headers that keeps everything, and the naive answers.
type oracle struct {
	headers []wire.BlockHeader
	hashes  []chainhash.Hash
	parents []int
	heights []int32
	works   []*big.Int
	byHash  map[chainhash.Hash]int
	best    []int // the best header chain by height
	asked   int   // calls of HeaderByHash
}

func newOracle() *oracle {
	o := &oracle{byHash: map[chainhash.Hash]int{}}
	o.add(-1, 0x207fffff)
	return o
}

// add appends a child of a header; like btcd's, the best header chain moves to
// the heavier branch, at equal work it stays.
func (o *oracle) add(parent int, bits uint32) int {
	i := len(o.headers)
	h := wire.BlockHeader{Bits: bits, Timestamp: time.Unix(int64(i), 0)}
	binary.LittleEndian.PutUint32(h.MerkleRoot[:], uint32(i))
	work, height := blockchain.CalcWork(bits), int32(0)
	if parent >= 0 {
		h.PrevBlock = o.hashes[parent]
		height = o.heights[parent] + 1
		work = new(big.Int).Add(o.works[parent], work)
	}
	o.headers, o.hashes = append(o.headers, h), append(o.hashes, h.BlockHash())
	o.parents, o.heights = append(o.parents, parent), append(o.heights, height)
	o.works = append(o.works, work)
	o.byHash[o.hashes[i]] = i
	if parent >= 0 && o.best[len(o.best)-1] == parent {
		o.best = append(o.best, i)
	} else if len(o.best) == 0 || work.Cmp(o.works[o.best[len(o.best)-1]]) > 0 {
		o.best = make([]int, height+1)
		for n := i; n >= 0; n = o.parents[n] {
			o.best[o.heights[n]] = n
		}
	}
	return i
}

func (o *oracle) HeaderByHash(hash *chainhash.Hash) (wire.BlockHeader, error) {
	o.asked++
	i, ok := o.byHash[*hash]
	if !ok {
		return wire.BlockHeader{}, errors.New("unknown")
	}
	return o.headers[i], nil
}

func (o *oracle) HeaderHashByHeight(height int32) (*chainhash.Hash, error) {
	if int(height) >= len(o.best) {
		return nil, errors.New("too high")
	}
	return &o.hashes[o.best[height]], nil
}

func (o *oracle) HeaderHeightByHash(hash chainhash.Hash) (int32, error) {
	i, ok := o.byHash[hash]
	if !ok || int(o.heights[i]) >= len(o.best) || o.best[o.heights[i]] != i {
		return -1, errors.New("not in the best header chain")
	}
	return o.heights[i], nil
}

func (o *oracle) ancestor(i int, height int32) int {
	for o.heights[i] > height {
		i = o.parents[i]
	}
	return i
}

func (o *oracle) fork(a, b int) int {
	for a != b {
		if o.heights[a] >= o.heights[b] {
			a = o.parents[a]
		} else {
			b = o.parents[b]
		}
	}
	return a
}

// Work, height, ancestors and forks are those of a naive big.Int tree, on random
// trees whose branches differ in difficulty, so that the heaviest is often not
// the longest; nodes come now from lookups, now from their parents.
func TestTreeAgreesWithTheNaiveOne(t *testing.T) {
	bits := []uint32{0x207fffff, 0x1f7fffff, 0x1d00ffff, 0x1b037d30, 0x170b8c8b}
	rapid.Check(t, func(t *rapid.T) {
		o := newOracle()
		tree := newTree(o, &o.headers[0], int32(rapid.IntRange(1, 9).Draw(t, "spacing")), rapid.IntRange(1, 20).Draw(t, "recent"))
		for range rapid.IntRange(1, 12).Draw(t, "branches") {
			at := rapid.IntRange(0, len(o.headers)-1).Draw(t, "fork")
			b := rapid.SampledFrom(bits).Draw(t, "bits")
			submitted := rapid.Bool().Draw(t, "submitted")
			n := tree.must(o.hashes[at])
			for range rapid.IntRange(1, 40).Draw(t, "length") {
				at = o.add(at, b)
				if submitted { // as accepting a header does; otherwise it was in the index
					n = tree.child(n, o.hashes[at], &o.headers[at])
				}
			}
		}
		any := rapid.IntRange(0, len(o.headers)-1)
		for range 30 {
			i, j := any.Draw(t, "i"), any.Draw(t, "j")
			n, m := tree.must(o.hashes[i]), tree.must(o.hashes[j])
			if n.Height != o.heights[i] || n.Work.Big().Cmp(o.works[i]) != 0 {
				t.Fatalf("header %d: height %d work %v, want %d and %v", i, n.Height, n.Work.Big(), o.heights[i], o.works[i])
			}
			height := int32(rapid.IntRange(0, int(n.Height)).Draw(t, "height"))
			if got, want := tree.ancestor(n, height), o.hashes[o.ancestor(i, height)]; got != want {
				t.Fatalf("ancestor of %d at %d: header %d, want %d", i, height, o.byHash[got], o.byHash[want])
			}
			if got, want := tree.fork(n, m).Hash, o.hashes[o.fork(i, j)]; got != want {
				t.Fatalf("fork of %d and %d: header %d, want %d", i, j, o.byHash[got], o.byHash[want])
			}
			if got, want := tree.junction(n), o.heights[o.fork(i, o.best[len(o.best)-1])]; got != want {
				t.Fatalf("junction of %d: %d, want %d", i, got, want)
			}
		}
		if len(tree.recent) > len(tree.ring) {
			t.Fatalf("%d nodes are remembered, the bound is %d", len(tree.recent), len(tree.ring))
		}
		if _, ok := tree.node(chainhash.Hash{1}); ok {
			t.Fatal("an unknown header is known")
		}
	})
}

// However long the branches are, an answer takes some steps between anchors, and
// from anchor to anchor.
func TestNothingIsLinear(t *testing.T) {
	const length, spacing = 20_000, 64
	o := newOracle()
	tree := newTree(o, &o.headers[0], spacing, 1)
	grow := func(at, n int, bits uint32) int {
		node := tree.must(o.hashes[at])
		for range n {
			at = o.add(at, bits)
			node = tree.child(node, o.hashes[at], &o.headers[at])
		}
		return at
	}
	trunk := grow(0, length, 0x1f7fffff) // heavy: the best header chain
	side := grow(o.best[10], length, 0x207fffff)
	twig := grow(o.ancestor(side, 50), length, 0x207fffff)

	cheap := func(why string, f func()) {
		t.Helper()
		o.asked = 0
		f()
		if bound := 8 * spacing; o.asked > bound {
			t.Errorf("%s takes %d steps, the bound is %d", why, o.asked, bound)
		}
	}
	a, b, c := tree.must(o.hashes[trunk]), tree.must(o.hashes[side]), tree.must(o.hashes[twig])
	cheap("a lookup", func() { tree.must(o.hashes[side-1]) })
	cheap("a far ancestor", func() { tree.ancestor(b, 5) })
	cheap("an ancestor on the branch", func() { tree.ancestor(b, 100) })
	cheap("leaving the best chain", func() { tree.junction(b) })
	cheap("a fork off the best chain", func() { tree.fork(a, b) })
	cheap("a fork of two side branches", func() { tree.fork(b, c) })
	if got := tree.fork(b, c).Height; got != 50 {
		t.Errorf("the fork is at %d, want 50", got)
	}
}

package relay

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// news is what is to be announced to one peer: blocks of the best chain that it
// may not know, parents first.
type news []newBlock

// newBlock is a block to announce. header is shared and never changed. It is nil
// if only the hash is known.
type newBlock struct {
	hash   chainhash.Hash
	header *wire.BlockHeader
}

// add appends a block. When there are max blocks already, it drops them and
// returns how many they were: only the tip will be announced, for the peer does
// not know the parent of what stays.
func (n *news) add(b newBlock, max int) (dropped int) {
	if len(*n) >= max {
		dropped = n.drop()
	}
	*n = append(*n, b)
	return dropped
}

// drop removes all blocks and returns how many they were.
func (n *news) drop() int {
	dropped := len(*n)
	*n = nil
	return dropped
}

// dropUpTo removes a block and its ancestors.
func (n *news) dropUpTo(h chainhash.Hash) { *n = slices.Delete(*n, 0, n.index(h)+1) }

// dropFrom removes a block and its descendants.
func (n *news) dropFrom(h chainhash.Hash) {
	if i := n.index(h); i >= 0 {
		*n = (*n)[:i]
	}
}

func (n *news) index(h chainhash.Hash) int {
	return slices.IndexFunc(*n, func(b newBlock) bool { return b.hash == h })
}

// connect says whether the peer can connect the headers: the first one to a
// header that it has, each other one to the one before.
func (n news) connect(k *known) bool {
	for i, b := range n {
		switch {
		case b.header == nil:
			return false
		case i == 0 && !k.hasHeader(b.header.PrevBlock):
			return false
		case i > 0 && b.header.PrevBlock != n[i-1].hash:
			return false
		}
	}
	return true
}

func (n news) check(k *known, max int) error {
	if len(n) > max {
		return fmt.Errorf("%d blocks to announce, at most %d are kept", len(n), max)
	}
	for _, b := range n {
		if k.contains(b.hash) {
			return fmt.Errorf("%v is to be announced, and the peer knows it", b.hash)
		}
	}
	return nil
}

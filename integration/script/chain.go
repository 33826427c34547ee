package script

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Chain is what a peer serves: headers, and blocks if it has them. It does not
// change and may be shared.
type Chain struct {
	headers []*wire.BlockHeader // by height, the genesis block's included
	hashes  []chainhash.Hash
	heights map[chainhash.Hash]int32
	blocks  []*wire.MsgBlock // by height; nil: headers only
}

// Blocks makes a chain of blocks by height, the genesis block included.
func Blocks(blocks []*wire.MsgBlock) *Chain {
	headers := make([]*wire.BlockHeader, len(blocks))
	for i, block := range blocks {
		headers[i] = &block.Header
	}
	c := Headers(headers)
	c.blocks = blocks
	return c
}

// Headers makes a chain that has no blocks to serve, by height, the genesis
// block's header included.
func Headers(headers []*wire.BlockHeader) *Chain {
	c := &Chain{headers: headers, heights: make(map[chainhash.Hash]int32, len(headers))}
	for i, header := range headers {
		if i > 0 && header.PrevBlock != c.hashes[i-1] {
			panic(fmt.Sprintf("script: the header of height %d is no child of the one before", i))
		}
		hash := header.BlockHash()
		c.hashes = append(c.hashes, hash)
		c.heights[hash] = int32(i)
	}
	return c
}

// Height is that of the tip.
func (c *Chain) Height() int32 { return int32(len(c.headers)) - 1 }

// Tip is the hash of the tip.
func (c *Chain) Tip() chainhash.Hash { return c.hashes[c.Height()] }

// HashAt returns the hash at a height.
func (c *Chain) HashAt(height int32) chainhash.Hash { return c.hashes[height] }

// block returns a block, or nil when the chain does not have it.
func (c *Chain) block(hash chainhash.Hash) *wire.MsgBlock {
	height, ok := c.heights[hash]
	if !ok || c.blocks == nil {
		return nil
	}
	return c.blocks[height]
}

// after returns the heights [from, to) of what follows the first hash of the
// locator that is known: at most max, and none past the stop hash.
func (c *Chain) after(locator []*chainhash.Hash, stop chainhash.Hash, max int32) (from, to int32) {
	from = 1
	for _, hash := range locator {
		if height, ok := c.heights[*hash]; ok {
			from = height + 1
			break
		}
	}
	to = min(from+max, c.Height()+1)
	if height, ok := c.heights[stop]; ok && height >= from {
		to = min(to, height+1)
	}
	return from, to
}

// fork returns the height of the last block that both chains have.
func (c *Chain) fork(other *Chain) int32 {
	height := min(c.Height(), other.Height())
	for c.hashes[height] != other.hashes[height] {
		height--
	}
	return height
}

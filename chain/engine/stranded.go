package engine

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// A stranded block is stored, has more work than the best block, is not known to be
// invalid, and is not part of the best chain. btcd stores a block and then connects
// it. If the node ends in between (the disk was full, or the process was killed),
// the block is stranded: btcd calls it a duplicate from then on, and connects it
// only when a child comes.
//
// btcd's ReconsiderBlock does not connect it. It does nothing with a block that has
// been found valid, as most of these have, and gives up if a later header is known.
// So Open takes the stranded blocks out of btcd's index, and they are downloaded
// and connected like any others. There are none while the chain is open: the call
// that stores a block connects it, finds it invalid, or is the last one.

// rescue takes the stranded blocks out of the index. If there were any, it loads the
// chain again. It comes before the headers ahead of the blocks are loaded, so every
// header that btcd knows has a stored block.
func (e *Engine) rescue() error {
	blocks := e.stranded()
	if len(blocks) == 0 {
		return nil
	}
	e.cfg.Log(actor.Warn, fmt.Sprintf("the node did not end well: blocks that were stored and not connected are downloaded again: %d", len(blocks)))
	//correctness: for the disk; nobody waits for an engine that is not open.
	if err := e.db.Update(func(tx database.Tx) error { return forget(tx, blocks) }); err != nil {
		return e.unreadable(err)
	}
	return e.loadChain()
}

// stranded returns the stranded blocks and their descendants.
func (e *Engine) stranded() map[chainhash.Hash]chain.Point {
	best := e.tree.must(e.chain.BestSnapshot().Hash)
	blocks := map[chainhash.Hash]chain.Point{}
	for _, tip := range e.chain.ChainTips() {
		if tip.Status == blockchain.StatusActive {
			continue
		}
		var heavier []node // than the best block, from the tip down
		for n := e.tree.must(tip.BlockHash); n.Work.Cmp(best.Work) > 0; n = e.tree.must(e.tree.parent(n.Hash)) {
			heavier = append(heavier, n)
		}
		if len(heavier) == 0 || e.knownInvalid(heavier[len(heavier)-1].Hash) {
			continue
		}
		for _, n := range heavier {
			blocks[n.Hash] = n.Point
		}
	}
	return blocks
}

// knownInvalid says whether btcd has found a block or an ancestor of it invalid.
func (e *Engine) knownInvalid(hash chainhash.Hash) bool {
	h, err := e.chain.HeaderByHash(&hash)
	if err != nil {
		return false
	}
	_, err = e.chain.ProcessBlockHeader(&h, blockchain.BFNone, false)
	refused, ok := asRefusal(err)
	return ok && (refused.rule == rules[blockchain.ErrKnownInvalidBlock] || refused.code == chain.BadAncestor)
}

// blockIndex is the bucket in which btcd notes the stored blocks, by height
// (big-endian) and hash.
const blockIndex = "blockheaderidx"

// forget takes blocks out of btcd's index. Their data stays in the block files.
// btcd finds it there when the blocks come again.
func forget(tx database.Tx, blocks map[chainhash.Hash]chain.Point) error {
	index := tx.Metadata().Bucket([]byte(blockIndex))
	if index == nil {
		return errors.New("it has no block index")
	}
	for hash, p := range blocks {
		key := binary.BigEndian.AppendUint32(nil, uint32(p.Height))
		if err := index.Delete(append(key, hash[:]...)); err != nil {
			return err
		}
	}
	return nil
}

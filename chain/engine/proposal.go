package engine

import (
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
)

// testBlock says whether a block on the best one would be taken if it were solved (BIP23). It
// changes nothing.
func (e *Engine) testBlock(payload []byte) chain.Verdict {
	block, unreadable := readBlock(payload)
	v := chain.Verdict{Hash: *block.Hash(), Tip: e.Tips().Block}
	refused := e.known(block.Hash())
	if refused == nil {
		refused = unreadable
	}
	if refused == nil {
		refused = e.tryOut(block)
	}
	if refused != nil {
		v.Code, v.Reason, v.Detail = refused.code, refused.reason, refused.detail
	}
	return v
}

// known says what is known of a block, or of its header, that has come before.
func (e *Engine) known(hash *chainhash.Hash) *refusal {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, ok := e.tree.node(*hash)
	switch {
	case !ok:
		return nil
	case e.valid.condemned(e.tree, n):
		return refuse(blockchain.ErrKnownInvalidBlock, "it is known to be invalid")
	case e.chain.MainChainHasBlock(hash):
		return refuse(blockchain.ErrDuplicateBlock, "the best chain has it")
	}
	return &refusal{rule{chain.Duplicate, "duplicate-inconclusive"}, "its header is known, and nothing is built on it"}
}

// tryOut holds a block against all rules but the proof of work. btcd does it under its chain
// lock, which the worker alone holds for long.
func (e *Engine) tryOut(block *btcutil.Block) *refusal {
	if best := e.Tips().Block.Hash; block.MsgBlock().Header.PrevBlock != best {
		return refuse(blockchain.ErrPrevBlockNotBest, fmt.Sprintf("the best block is %v", best))
	}
	if refused := e.strayWitness(block); refused != nil {
		return refused
	}
	err := e.chain.CheckConnectBlockTemplate(block)
	if err == nil {
		return nil
	}
	refused, ok := asRefusal(err)
	if !ok {
		return e.broken(err)
	}
	if mutated := mutation(block, refused.detail); mutated != nil {
		return mutated // as in Bitcoin Core, which looks at that first
	}
	return refused
}

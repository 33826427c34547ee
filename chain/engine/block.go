package engine

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// note is what btcd notified: a block that was connected or disconnected.
type note struct {
	connected bool
	hash      chainhash.Hash
	header    wire.BlockHeader
	txs, size int
}

// onNotification runs inside ProcessBlock: it only takes a note.
func (e *Engine) onNotification(n *blockchain.Notification) {
	block, ok := n.Data.(*btcutil.Block)
	if !ok || n.Type == blockchain.NTBlockAccepted {
		return
	}
	msg := block.MsgBlock()
	e.notes = append(e.notes, note{
		connected: n.Type == blockchain.NTBlockConnected,
		hash:      *block.Hash(),
		header:    msg.Header,
		txs:       len(msg.Transactions),
		size:      msg.SerializeSize(),
	})
}

// applyBlock takes a block: its header first, then, if the parent's data is
// there, the block.
func (e *Engine) applyBlock(msg *wire.MsgBlock, source actor.ID) chain.Verdict {
	block := btcutil.NewBlock(msg)
	n, refused := e.applyBlockHeader(&msg.Header)
	if refused == nil {
		refused = e.process(block, n)
	}
	e.announce(*block.Hash(), source)

	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fatal == "" {
		e.refreshTips()
	}
	v := chain.Verdict{Hash: *block.Hash(), Tip: e.tips.Block, InBestChain: e.chain.MainChainHasBlock(block.Hash())}
	if refused != nil {
		v.Code, v.Reason, v.Detail = refused.code, refused.reason, refused.detail
	}
	return v
}

// applyBlockHeader makes the header known before the block is: btcd does not
// do so on its own, and its best header would stay behind its best block.
func (e *Engine) applyBlockHeader(h *wire.BlockHeader) (node, *refusal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.file.flush()
	n, _, refused := e.acceptHeader(h, node{})
	if refused == nil {
		e.tree.remember(n)
	}
	return n, refused
}

// process gives the block to btcd.
func (e *Engine) process(block *btcutil.Block, n node) *refusal {
	header := &block.MsgBlock().Header
	if have, err := e.chain.HaveBlock(block.Hash()); err != nil {
		return e.broken(err)
	} else if have {
		return refuse(blockchain.ErrDuplicateBlock, fmt.Sprintf("block %v is there already", block.Hash()))
	}
	if have, err := e.chain.HaveBlock(&header.PrevBlock); err != nil {
		return e.broken(err)
	} else if !have {
		return refuse(blockchain.ErrPreviousBlockUnknown, fmt.Sprintf("the parent %v has not been downloaded", header.PrevBlock))
	}
	if refused := e.strayWitness(block); refused != nil {
		return refused
	}

	_, isOrphan, err := e.chain.ProcessBlock(block, blockchain.BFNone)
	switch {
	case err == nil && isOrphan: // its parent is there: it cannot be
		return e.broken(fmt.Errorf("block %v was taken for an orphan", block.Hash()))
	case err == nil:
		return e.flushSometimes()
	}
	refused, ok := asRefusal(err)
	if !ok {
		return e.broken(err)
	}
	return e.judge(block, n, refused)
}

// judge finds out what a broken rule says about the header. btcd marks only
// what it had stored before.
func (e *Engine) judge(block *btcutil.Block, n node, refused *refusal) *refusal {
	switch refused.code {
	case chain.Invalid, chain.BadAncestor, chain.Checkpoint:
	default:
		return refused
	}
	if mutated := mutation(block, refused.detail); mutated != nil {
		return mutated
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	culprit := e.culprit(n)
	e.valid.condemn(e.tree, culprit)
	if culprit.Hash != n.Hash {
		return refuse(blockchain.ErrInvalidAncestorBlock,
			fmt.Sprintf("block %v before it is invalid: %s: %s", culprit.Hash, refused.reason, refused.detail))
	}
	return refused
}

// mutation says why a block that broke a rule may not be the one that its header
// commits to; nil when it is. btcd looks at sizes and at transactions before it
// looks at whether they are the block's.
func mutation(block *btcutil.Block, broken string) *refusal {
	txs := block.Transactions()
	if len(txs) == 0 || blockchain.CalcMerkleRoot(txs, false) != block.MsgBlock().Header.MerkleRoot {
		return refuse(blockchain.ErrBadMerkleRoot, "the transactions are not those of the header; besides, "+broken)
	}
	seen := make(map[chainhash.Hash]bool, len(txs))
	for _, tx := range txs {
		if seen[*tx.Hash()] { // CVE-2012-2459: copies at the end need not change the root
			return refuse(blockchain.ErrDuplicateTx, fmt.Sprintf("transaction %v comes twice; besides, %s", tx.Hash(), broken))
		}
		seen[*tx.Hash()] = true
		if !blockchain.IsCoinBase(txs[0]) && tx.MsgTx().SerializeSizeStripped() == 2*chainhash.HashSize {
			// CVE-2017-12842: it may be two hashes of the tree (as in
			// Bitcoin Core's IsBlockMutated).
			return refuse(blockchain.ErrBadMerkleRoot, "a transaction of 64 bytes where there is no coinbase; besides, "+broken)
		}
	}
	return nil
}

// culprit is the block that broke the rule when n was processed: n itself, or,
// in a reorganisation, one of the blocks before it that had been stored and not
// connected. btcd has marked it. The caller holds mu.
func (e *Engine) culprit(n node) node {
	known := rules[blockchain.ErrKnownInvalidBlock]
	for hash := n.Hash; !e.chain.MainChainHasBlock(&hash); {
		h, err := e.chain.HeaderByHash(&hash)
		if err != nil {
			break
		}
		if _, err := e.chain.ProcessBlockHeader(&h, blockchain.BFNone, false); err != nil {
			if refused, ok := asRefusal(err); ok && refused.rule == known {
				return e.tree.must(hash)
			}
		}
		hash = h.PrevBlock
	}
	return n
}

// strayWitness says why a block's witness data is not what its header commits
// to; nil when it is. btcd asks that only once segwit is active, and then after
// its sizes; before, anybody on the way could blow up a block, whose transactions
// are the same with and without it.
func (e *Engine) strayWitness(block *btcutil.Block) *refusal {
	txs := block.Transactions()
	hasWitness := func(tx *btcutil.Tx) bool { return tx.MsgTx().HasWitness() }
	if !slices.ContainsFunc(txs, hasWitness) || len(txs[0].MsgTx().TxIn) == 0 {
		return nil
	}
	if err := blockchain.ValidateWitnessCommitment(block); err != nil {
		refused, ok := asRefusal(err)
		if !ok {
			return e.broken(err)
		}
		return refused
	}
	early, err := e.beforeSegwit(&block.MsgBlock().Header)
	switch {
	case err != nil:
		return e.broken(err)
	case early:
		return refuse(blockchain.ErrUnexpectedWitness, "witness data before segwit is active")
	}
	return nil
}

// beforeSegwit says whether a block comes before segwit. Bitcoin Core takes such
// a block without witness data only, and for months its coinbases have had a
// commitment to there being none: the 32 bytes that fit it anybody can add.
// Blocks of side branches are not looked at: nobody builds on one that old.
//
// Where nobody had to vote (signet), segwit is active from the first block for
// Bitcoin Core, but for btcd only after some thousand.
func (e *Engine) beforeSegwit(h *wire.BlockHeader) (bool, error) {
	vote, ok := e.params.Deployments[chaincfg.DeploymentSegwit].DeploymentStarter.(*chaincfg.MedianTimeDeploymentStarter)
	if !ok || vote.StartTime().IsZero() || h.PrevBlock != e.chain.BestSnapshot().Hash {
		return false, nil
	}
	active, err := e.chain.IsDeploymentActive(chaincfg.DeploymentSegwit)
	return !active, err
}

// flushSometimes lets btcd write its cache every five minutes once all blocks
// are there; until then it does so when the cache is full.
func (e *Engine) flushSometimes() *refusal {
	e.mu.Lock()
	ahead := e.tips.Header.Height - e.tips.Block.Height
	e.mu.Unlock()
	if ahead > 1 {
		return nil
	}
	//correctness: the worker waits for the disk alone; chain answers for it when
	//it is late, and the disk needs nothing of anybody.
	if err := e.chain.FlushUtxoCache(blockchain.FlushPeriodic); err != nil {
		return e.broken(err)
	}
	return nil
}

// broken is the answer when the database failed.
func (e *Engine) broken(err error) *refusal {
	e.fail(err)
	return &refusal{rule{chain.Fatal, "fatal"}, e.fatal}
}

// announce turns the notes of a call into events. source sent the block hash.
func (e *Engine) announce(hash chainhash.Hash, source actor.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.notes {
		n := &e.notes[i]
		point := e.tree.must(n.hash).Point
		if !n.connected {
			e.events = append(e.events, chain.BlockDisconnected{Point: point})
			continue
		}
		event := chain.BlockConnected{Point: point, Header: n.header, Txs: n.txs, Size: n.size}
		if n.hash == hash {
			event.Source = source
		}
		e.events = append(e.events, event)
	}
	e.last += uint64(len(e.notes))
	clear(e.notes)
	e.notes = e.notes[:0]
}

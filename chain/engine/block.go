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

// note is a notification of btcd's: a block was connected or disconnected.
type note struct {
	connected bool
	hash      chainhash.Hash
	header    wire.BlockHeader
	txs, size int
	pool      []chain.TxEvent // what it has changed in the pool
}

// onNotification runs inside ProcessBlock, so it only takes a note, and tells the
// pool, which looks at itself alone.
func (e *Engine) onNotification(n *blockchain.Notification) {
	block, ok := n.Data.(*btcutil.Block)
	if !ok || n.Type == blockchain.NTBlockAccepted {
		return
	}
	connected := n.Type == blockchain.NTBlockConnected
	if connected {
		e.pool.Connected(block)
	} else {
		e.pool.Disconnected(block)
	}
	msg := block.MsgBlock()
	e.notes = append(e.notes, note{
		connected: connected,
		hash:      *block.Hash(),
		header:    msg.Header,
		txs:       len(msg.Transactions),
		size:      msg.SerializeSize(),
		pool:      e.pool.TakeEvents(),
	})
}

// applyBlock takes a block's header, and then the block, if its parent's data is
// stored.
func (e *Engine) applyBlock(q chain.ApplyBlock) chain.Verdict {
	block, unreadable := readBlock(q.Payload)
	n, refused := e.applyBlockHeader(&block.MsgBlock().Header)
	if refused == nil {
		refused = unreadable
	}
	if refused == nil {
		refused = e.process(block, n)
	}
	if len(e.notes) > 0 {
		if err := e.pool.Settle(); err != nil {
			refused = e.broken(err)
		}
	}
	e.announce(*block.Hash(), q.Source)

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

// applyBlockHeader makes the header known before the block. btcd does not do that,
// and its best header would stay behind its best block.
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

// judge finds out what a broken rule says about the header. btcd marks a block only
// if it had stored it before.
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
// commits to. It returns nil if it is that one. btcd checks sizes and transactions
// before it checks whether they belong to the header.
func mutation(block *btcutil.Block, broken string) *refusal {
	txs := block.Transactions()
	if len(txs) == 0 || blockchain.CalcMerkleRoot(txs, false) != block.MsgBlock().Header.MerkleRoot {
		return refuse(blockchain.ErrBadMerkleRoot, "the transactions are not those of the header; besides, "+broken)
	}
	seen := make(map[chainhash.Hash]bool, len(txs))
	for _, tx := range txs {
		if seen[*tx.Hash()] { // CVE-2012-2459: copies at the end may leave the root as it is
			return refuse(blockchain.ErrDuplicateTx, fmt.Sprintf("transaction %v comes twice; besides, %s", tx.Hash(), broken))
		}
		seen[*tx.Hash()] = true
		if !blockchain.IsCoinBase(txs[0]) && tx.MsgTx().SerializeSizeStripped() == 2*chainhash.HashSize {
			// CVE-2017-12842: it may be two hashes of the tree. See Bitcoin
			// Core's IsBlockMutated.
			return refuse(blockchain.ErrBadMerkleRoot, "a transaction of 64 bytes where there is no coinbase; besides, "+broken)
		}
	}
	return nil
}

// culprit returns the block that broke a rule when n was processed. In a
// reorganisation that may be a block before n, which had been stored and not
// connected: btcd has marked it. Otherwise it is n. The caller holds mu.
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

// strayWitness says why a block's witness data is not what its header commits to.
// It returns nil if it is. btcd checks that only once segwit is active, and after
// the sizes. Before segwit, anybody on the way could add witness data to a block
// and make it too large, for its transactions stay the same.
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

// beforeSegwit says whether a block comes before segwit. Bitcoin Core takes such a
// block only without witness data. For months the coinbases of such blocks have
// committed to empty witness data, and anybody can add the 32 bytes that fit the
// commitment. Blocks of side branches are not checked, for nobody builds on one
// that old.
//
// Where no vote was needed (signet), Bitcoin Core has segwit active from the first
// block, but btcd only after some thousand.
func (e *Engine) beforeSegwit(h *wire.BlockHeader) (bool, error) {
	vote, ok := e.params.Deployments[chaincfg.DeploymentSegwit].DeploymentStarter.(*chaincfg.MedianTimeDeploymentStarter)
	if !ok || vote.StartTime().IsZero() || h.PrevBlock != e.chain.BestSnapshot().Hash {
		return false, nil
	}
	active, err := e.chain.IsDeploymentActive(chaincfg.DeploymentSegwit)
	return !active, err
}

// flushSometimes lets btcd write its cache every five minutes once all blocks are
// there. Until then btcd writes it when it is full.
func (e *Engine) flushSometimes() *refusal {
	e.mu.Lock()
	ahead := e.tips.Header.Height - e.tips.Block.Height
	e.mu.Unlock()
	if ahead > 1 {
		return nil
	}
	//correctness: the worker waits for the disk alone, and the disk waits for
	//nobody. No question to chain waits for longer than its timeout.
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

// announce turns the notes of a call into events. source is the peer that sent the
// block with this hash.
func (e *Engine) announce(hash chainhash.Hash, source actor.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.notes {
		n := &e.notes[i]
		point := e.tree.must(n.hash).Point
		if n.connected {
			event := chain.BlockConnected{Point: point, Header: n.header, Txs: n.txs, Size: n.size}
			if n.hash == hash {
				event.Source = source
			}
			e.tell(event)
		} else {
			e.tell(chain.BlockDisconnected{Point: point})
			e.left.add(point)
		}
		e.tellPool(n.pool)
	}
	e.tellPool(e.pool.TakeEvents())
	clear(e.notes)
	e.notes = e.notes[:0]
}

// tell notes an event for chain.
func (e *Engine) tell(event chain.Event) {
	e.events = append(e.events, event)
	e.last++
}

func (e *Engine) tellPool(events []chain.TxEvent) {
	for _, event := range events {
		e.tell(event)
	}
}

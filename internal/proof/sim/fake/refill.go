package fake

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// refill makes the pool anew after the best chain has changed. back are the transactions of
// blocks that were disconnected, in the order of the chain, and blocks are those connected.
func (s *Store) refill(now time.Time, back []*wire.MsgTx, blocks []*entry) {
	old := s.pool.txs
	s.pool.txs = nil
	confirmed, taken := confirmedBy(blocks)
	var returned []pooled
	for _, tx := range back {
		id := chain.NameOf(tx)
		if !confirmed[id.TxID] && len(s.missing(tx)) == 0 {
			q := chain.ApplyTx{Tx: tx, ID: id}
			t := s.admit(now, q, chain.TxVerdict{Fee: s.feeOf(tx), VSize: sizeOf(tx)})
			s.pool.txs, returned = append(s.pool.txs, t), append(returned, t)
		}
	}
	var gone [3][]pooled // by the first three reasons below
	var conflicts []chainhash.Hash
	for _, t := range old {
		switch {
		case confirmed[t.ID.TxID]:
			gone[0] = append(gone[0], t)
		case childOf(t.tx, conflicts) || slices.ContainsFunc(t.tx.TxIn, func(in *wire.TxIn) bool { return taken[in.PreviousOutPoint] }):
			conflicts = append(conflicts, t.ID.TxID)
			gone[1] = append(gone[1], t)
		case len(s.missing(t.tx)) > 0:
			gone[2] = append(gone[2], t)
		default:
			s.pool.txs = append(s.pool.txs, t)
		}
	}
	for i, why := range [...]chain.Removal{chain.RemovedConfirmed, chain.RemovedConflict, chain.RemovedReorg} {
		s.leave(why, gone[i])
	}
	s.entered(returned)
	s.adopt(now)
	s.evict()
}

// confirm names a block's transactions, but for its coinbase.
func (s *Store) confirm(e *entry) {
	var names []chain.TxID
	for _, tx := range e.block.Transactions[1:] {
		names = append(names, chain.NameOf(tx))
	}
	if len(names) > 0 {
		s.note(chain.TxConfirmed{Txs: names})
	}
}

// confirmedBy lists the transactions of blocks and what they spend.
func confirmedBy(blocks []*entry) (txs map[chainhash.Hash]bool, spent map[wire.OutPoint]bool) {
	txs, spent = map[chainhash.Hash]bool{}, map[wire.OutPoint]bool{}
	for _, e := range blocks {
		for _, tx := range e.block.Transactions[1:] {
			txs[tx.TxHash()] = true
			for _, in := range tx.TxIn {
				spent[in.PreviousOutPoint] = true
			}
		}
	}
	return txs, spent
}

// checkPool verifies that each transaction of the pool may stand in the next block with
// those before it, and that no two spend the same.
func (s *Store) checkPool() error {
	known, spent := map[chainhash.Hash]int{}, map[wire.OutPoint]bool{}
	for _, t := range s.pool.txs {
		for _, in := range t.tx.TxIn {
			at := in.PreviousOutPoint
			_, isCoin := s.coins[at]
			if outs, inPool := known[at.Hash]; spent[at] || !isCoin && !(inPool && int(at.Index) < outs) {
				return fmt.Errorf("fake: %v of the pool spends %v, which it must not", t.ID.TxID, at)
			}
			spent[at] = true
		}
		if _, twice := known[t.ID.TxID]; twice {
			return fmt.Errorf("fake: %v is in the pool twice", t.ID.TxID)
		}
		known[t.ID.TxID] = len(t.tx.TxOut)
	}
	return nil
}

package fake

import (
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// Verify compares the coins with what follows from the blocks of the best chain, and the
// pool with the coins. It reads all blocks, so it is for worlds at rest.
func (s *Store) Verify() error {
	free := map[wire.OutPoint]bool{}
	for _, e := range s.main[1:] {
		for _, tx := range e.block.Transactions {
			for at := range outputs(tx) {
				free[at] = true
			}
			for _, in := range tx.TxIn {
				delete(free, in.PreviousOutPoint)
			}
		}
	}
	for at := range free {
		if _, ok := s.coins[at]; !ok {
			return fmt.Errorf("fake: the blocks have made %v, and nobody has spent it, but it is no coin", at)
		}
	}
	if len(free) != len(s.coins) {
		return fmt.Errorf("fake: there are %d coins, and the blocks have left %d", len(s.coins), len(free))
	}
	return s.checkPool()
}

// Pooled lists the txids of the pool in the order of their bytes.
func (s *Store) Pooled() []chainhash.Hash {
	var list []chainhash.Hash
	for _, t := range s.pool.txs {
		list = append(list, t.ID.TxID)
	}
	return inOrder(list)
}

// Named lists the pool as the readers do.
func (s *Store) Named() []chain.PoolTx { return s.poolNames().Txs }

// Has says whether a transaction is in the pool.
func (s *Store) Has(txid chainhash.Hash) bool { return s.pool.find(txid) != nil }

// Confirmed says whether a transaction is in a block of the best chain.
func (s *Store) Confirmed(txid chainhash.Hash) bool {
	return slices.ContainsFunc(s.main, func(e *entry) bool {
		return slices.ContainsFunc(e.block.Transactions, func(tx *wire.MsgTx) bool { return tx.TxHash() == txid })
	})
}

// Reward is the coinbase's output of the best block.
func (s *Store) Reward() Coin { return CoinsOf(s.tip().block.Transactions[0])[0] }

// Delta is what priorities have added to a transaction's fee.
func (s *Store) Delta(txid chainhash.Hash) int64 { return s.pool.deltas[txid] }

func inOrder(list []chainhash.Hash) []chainhash.Hash {
	slices.SortFunc(list, func(a, b chainhash.Hash) int { return slices.Compare(a[:], b[:]) })
	return list
}

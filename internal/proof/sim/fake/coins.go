package fake

import (
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// coin is an unspent output of the best chain.
type coin struct {
	out      *wire.TxOut
	height   int32
	coinBase bool
}

// spent is a coin that a block has spent, to be given back if it is disconnected.
type spent struct {
	at   wire.OutPoint
	coin coin
}

// connect spends what a block spends, and adds its outputs. Coins of a coinbase are ripe
// at once. Honest blocks spend what is there: they are made of a template. A world must
// put any other block into BadBlocks.
func (s *Store) connect(e *entry) {
	for i, tx := range e.block.Transactions {
		for _, in := range tx.TxIn {
			if i == 0 {
				break // the coinbase
			}
			c, ok := s.coins[in.PreviousOutPoint]
			if !ok {
				panic(fmt.Sprintf("fake: block %v spends %v, which is not there", e.Hash, in.PreviousOutPoint))
			}
			delete(s.coins, in.PreviousOutPoint)
			e.spent = append(e.spent, spent{in.PreviousOutPoint, c})
		}
		for at, out := range outputs(tx) {
			s.coins[at] = coin{out, e.Height, i == 0}
		}
	}
	s.main = append(s.main, e)
}

// disconnect undoes connect for the best block.
func (s *Store) disconnect() *entry {
	e := s.tip()
	for _, x := range e.spent {
		s.coins[x.at] = x.coin
	}
	for _, tx := range e.block.Transactions { // what it made and spent itself goes too
		for at := range outputs(tx) {
			delete(s.coins, at)
		}
	}
	e.spent = nil
	s.main = s.main[:len(s.main)-1]
	return e
}

// outputs yields a transaction's outputs and their places.
func outputs(tx *wire.MsgTx) func(yield func(wire.OutPoint, *wire.TxOut) bool) {
	return func(yield func(wire.OutPoint, *wire.TxOut) bool) {
		id := tx.TxHash()
		for i, out := range tx.TxOut {
			if !yield(wire.OutPoint{Hash: id, Index: uint32(i)}, out) {
				return
			}
		}
	}
}

// Coin is an output that a transaction may spend.
type Coin struct {
	At    wire.OutPoint
	Value int64
}

// CoinsOf lists the outputs of a transaction.
func CoinsOf(tx *wire.MsgTx) (list []Coin) {
	for at, out := range outputs(tx) {
		list = append(list, Coin{at, out.Value})
	}
	return list
}

// Pay makes a transaction that spends coins, pays a fee, and shares the rest between n
// outputs. salt tells transactions apart that spend the same.
func Pay(coins []Coin, fee int64, n int, salt uint64) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	sum := -fee
	for _, c := range coins {
		tx.AddTxIn(wire.NewTxIn(&c.At, nil, wire.TxWitness{salted(salt)}))
		sum += c.Value
	}
	for range n {
		tx.AddTxOut(wire.NewTxOut(sum/int64(n), salted(salt)))
	}
	return tx
}

// txOut carries out chain.FindTxOut.
func (s *Store) txOut(q chain.FindTxOut) chain.TxOut {
	a := chain.TxOut{Best: s.tip().Point}
	c, ok := s.coins[q.Out]
	if q.Pool {
		if s.pool.spender(q.Out) != nil {
			return a
		}
		if out := s.pool.output(q.Out); out != nil {
			c, ok = coin{out, -1, false}, true
		}
	}
	if ok {
		a.Known, a.Value, a.Script, a.Height, a.CoinBase = true, c.out.Value, c.out.PkScript, c.height, c.coinBase
	}
	return a
}

// missing lists the transactions whose outputs tx spends and nobody knows, each once.
func (s *Store) missing(tx *wire.MsgTx) (list []chainhash.Hash) {
	for _, in := range tx.TxIn {
		if s.valued(in.PreviousOutPoint) == nil {
			list = add(list, in.PreviousOutPoint.Hash)
		}
	}
	return list
}

// valued is an output of the best chain or of the pool, whoever spends it in the pool.
func (s *Store) valued(at wire.OutPoint) *wire.TxOut {
	if c, ok := s.coins[at]; ok {
		return c.out
	}
	return s.pool.output(at)
}

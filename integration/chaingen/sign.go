package chaingen

import (
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Sign signs every input of a transaction again. Input i spends coins[i].
func (w *Wallet) Sign(tx *wire.MsgTx, coins []Coin) {
	prev := txscript.NewMultiPrevOutFetcher(nil)
	for i := range coins {
		prev.AddPrevOut(coins[i].OutPoint, &coins[i].Out)
	}
	w.sign(tx, coins, txscript.NewTxSigHashes(tx, prev))
}

// Outputs are the outputs of a transaction as coins, to be spent before it is in a
// block.
func (w *Wallet) Outputs(tx *wire.MsgTx) []Coin { return w.outputs(tx) }

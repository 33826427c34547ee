package chaingen

import (
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Split makes a signed transaction that pays a coin back to the wallet, less
// the fee in satoshi. It has n outputs of equal value, of the coin's own kind:
// P2PKH or P2WPKH. It returns them as coins. They can be spent as soon as a node
// has the transaction.
func (w *Wallet) Split(coin Coin, outputs int, fee int64) (*wire.MsgTx, []Coin) {
	return w.split(coin, coin.Out.PkScript, outputs, fee)
}

// SplitWitness is Split to outputs of P2WPKH. Whoever spends one needs a
// witness.
func (w *Wallet) SplitWitness(coin Coin, outputs int, fee int64) (*wire.MsgTx, []Coin) {
	return w.split(coin, w.p2wpkh, outputs, fee)
}

func (w *Wallet) split(coin Coin, script []byte, outputs int, fee int64) (*wire.MsgTx, []Coin) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&coin.OutPoint, nil, nil))
	each := (coin.Out.Value - fee) / int64(outputs)
	for range outputs {
		tx.AddTxOut(wire.NewTxOut(each, script))
	}
	prev := txscript.NewCannedPrevOutputFetcher(coin.Out.PkScript, coin.Out.Value)
	w.sign(tx, []Coin{coin}, txscript.NewTxSigHashes(tx, prev))
	return tx, w.outputs(tx)
}

func (w *Wallet) outputs(tx *wire.MsgTx) (coins []Coin) {
	hash := chainhash.Hash(tx.TxHash())
	for i, out := range tx.TxOut {
		coins = append(coins, Coin{OutPoint: *wire.NewOutPoint(&hash, uint32(i)), Out: *out})
	}
	return coins
}

package chaingen

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Wallet owns one key and the two scripts that pay to it.
type Wallet struct {
	key     *btcec.PrivateKey
	address string
	p2pkh   []byte
	p2wpkh  []byte
}

// NewWallet makes the key from the name.
func NewWallet(name string) *Wallet {
	seed := sha256.Sum256([]byte("acyclic test wallet " + name))
	key, pub := btcec.PrivKeyFromBytes(seed[:])
	hash := address.Hash160(pub.SerializeCompressed())
	plain, err := address.NewAddressPubKeyHash(hash, &chaincfg.RegressionNetParams)
	must(err)
	witness, err := address.NewAddressWitnessPubKeyHash(hash, &chaincfg.RegressionNetParams)
	must(err)
	w := &Wallet{key: key, address: plain.EncodeAddress()}
	w.p2pkh, err = txscript.PayToAddrScript(plain)
	must(err)
	w.p2wpkh, err = txscript.PayToAddrScript(witness)
	must(err)
	return w
}

// Address is the P2PKH address on regtest that a node can mine to.
func (w *Wallet) Address() string { return w.address }

// Owns says if the wallet can spend an output with that script.
func (w *Wallet) Owns(script []byte) bool {
	return bytes.Equal(script, w.p2pkh) || bytes.Equal(script, w.p2wpkh)
}

// Coin is an output that the wallet can spend.
type Coin struct {
	OutPoint wire.OutPoint
	Out      wire.TxOut
	Height   int32 // of the block that has it
	Coinbase bool
}

// Spend makes a signed transaction that pays the coins back to the wallet, less
// the fee in satoshi. Its outputs are of about equal value, by turns P2PKH and
// P2WPKH. It returns nil if an output would be less than 10,000 satoshi.
func (w *Wallet) Spend(coins []Coin, outputs int, fee int64) *wire.MsgTx {
	const least = 10_000 // well above dust
	tx := wire.NewMsgTx(2)
	prev := txscript.NewMultiPrevOutFetcher(nil)
	sum := -fee
	for i := range coins {
		tx.AddTxIn(wire.NewTxIn(&coins[i].OutPoint, nil, nil))
		prev.AddPrevOut(coins[i].OutPoint, &coins[i].Out)
		sum += coins[i].Out.Value
	}
	each := sum / int64(outputs)
	if each < least {
		return nil
	}
	for i := range outputs {
		script := w.p2pkh
		if i%2 == 1 {
			script = w.p2wpkh
		}
		tx.AddTxOut(wire.NewTxOut(each, script))
	}
	tx.TxOut[0].Value += sum - each*int64(outputs)
	w.sign(tx, coins, txscript.NewTxSigHashes(tx, prev))
	return tx
}

func (w *Wallet) sign(tx *wire.MsgTx, coins []Coin, hashes *txscript.TxSigHashes) {
	var err error
	for i := range coins {
		out := &coins[i].Out
		switch {
		case bytes.Equal(out.PkScript, w.p2wpkh):
			tx.TxIn[i].Witness, err = txscript.WitnessSignature(tx, hashes, i, out.Value,
				out.PkScript, txscript.SigHashAll, w.key, true)
		case bytes.Equal(out.PkScript, w.p2pkh):
			tx.TxIn[i].SignatureScript, err = txscript.SignatureScript(tx, i,
				out.PkScript, txscript.SigHashAll, w.key, true)
		default:
			err = fmt.Errorf("chaingen: %v does not belong to the wallet", coins[i].OutPoint)
		}
		must(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err) // the caller made a mistake
	}
}

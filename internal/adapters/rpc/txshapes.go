package rpc

import (
	"encoding/hex"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// The shape of a transaction, in getblock and wherever else one is shown. The fields
// are in Core's order.
type (
	txResult struct {
		TxID     string  `json:"txid"`
		Hash     string  `json:"hash"`
		Version  uint32  `json:"version"`
		Size     int     `json:"size"`
		VSize    int64   `json:"vsize"`
		Weight   int64   `json:"weight"`
		LockTime uint32  `json:"locktime"`
		Vin      []any   `json:"vin"` // coinbaseIn or spendIn
		Vout     []vout  `json:"vout"`
		Fee      *amount `json:"fee,omitempty"`
		Hex      string  `json:"hex,omitempty"`
	}

	coinbaseIn struct {
		Coinbase string   `json:"coinbase"`
		Witness  []string `json:"txinwitness,omitempty"`
		Sequence uint32   `json:"sequence"`
	}

	spendIn struct {
		TxID      string    `json:"txid"`
		Vout      uint32    `json:"vout"`
		ScriptSig scriptSig `json:"scriptSig"`
		Witness   []string  `json:"txinwitness,omitempty"`
		Prevout   *prevout  `json:"prevout,omitempty"`
		Sequence  uint32    `json:"sequence"`
	}

	prevout struct {
		Generated    bool         `json:"generated"` // by a coinbase
		Height       int32        `json:"height"`
		Value        amount       `json:"value"`
		ScriptPubKey scriptPubKey `json:"scriptPubKey"`
	}

	scriptSig struct {
		Asm string `json:"asm"`
		Hex string `json:"hex"`
	}

	vout struct {
		Value        amount       `json:"value"`
		N            int          `json:"n"`
		ScriptPubKey scriptPubKey `json:"scriptPubKey"`
	}

	scriptPubKey struct {
		Asm     string `json:"asm"`
		Desc    string `json:"desc,omitempty"`
		Hex     string `json:"hex"`
		Address string `json:"address,omitempty"`
		Type    string `json:"type"`
	}
)

// newTxResult shows a transaction, with its hex. What it spends is not known here: see
// spends.
func newTxResult(tx *wire.MsgTx, params *chaincfg.Params) txResult {
	weight := weightOf(btcutil.NewTx(tx))
	r := txResult{
		TxID: tx.TxHash().String(), Hash: tx.WitnessHash().String(), Version: uint32(tx.Version),
		Size: tx.SerializeSize(), Weight: weight, VSize: vsize(weight),
		LockTime: tx.LockTime, Vin: []any{}, Vout: []vout{}, Hex: hexOf(tx),
	}
	coinbase := blockchain.IsCoinBaseTx(tx)
	for _, in := range tx.TxIn {
		var witness []string
		for _, w := range in.Witness {
			witness = append(witness, hex.EncodeToString(w))
		}
		if coinbase {
			r.Vin = append(r.Vin, coinbaseIn{hex.EncodeToString(in.SignatureScript), witness, in.Sequence})
			continue
		}
		r.Vin = append(r.Vin, spendIn{
			TxID: in.PreviousOutPoint.Hash.String(), Vout: in.PreviousOutPoint.Index,
			ScriptSig: scriptSig{asm(in.SignatureScript, true), hex.EncodeToString(in.SignatureScript)},
			Witness:   witness, Sequence: in.Sequence,
		})
	}
	for n, out := range tx.TxOut {
		r.Vout = append(r.Vout, vout{amount(out.Value), n, newScriptPubKey(out.PkScript, params)})
	}
	return r
}

// spends adds a transaction's fee, given the outputs that it spends, and these if they are to
// be shown. A coinbase spends none.
func (r *txResult) spends(outs []chain.SpentOut, show bool, params *chaincfg.Params) {
	fee := amount(0)
	for i, out := range outs {
		fee += amount(out.Value)
		if show {
			in := r.Vin[i].(spendIn)
			in.Prevout = &prevout{out.CoinBase, out.Height, amount(out.Value), newScriptPubKey(out.Script, params)}
			r.Vin[i] = in
		}
	}
	for _, out := range r.Vout {
		fee -= out.Value
	}
	r.Fee = &fee
}

// spentBy splits what a block spends into what each of its transactions does. It is nil if
// that is not known.
func spentBy(b *wire.MsgBlock, outs []chain.SpentOut) [][]chain.SpentOut {
	all := make([][]chain.SpentOut, len(b.Transactions))
	for i, tx := range b.Transactions {
		if i == 0 {
			continue
		}
		if len(tx.TxIn) > len(outs) {
			return nil
		}
		all[i], outs = outs[:len(tx.TxIn)], outs[len(tx.TxIn):]
	}
	return all
}

func weightOf(tx *btcutil.Tx) int64 { return blockchain.GetTransactionWeight(tx) }

// vsize is a weight in virtual bytes, rounded up.
func vsize(weight int64) int64 {
	return (weight + blockchain.WitnessScaleFactor - 1) / blockchain.WitnessScaleFactor
}

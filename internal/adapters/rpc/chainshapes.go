package rpc

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// The shapes of chain commands. The fields are in Core's order.
type (
	headerResult struct {
		Hash          string `json:"hash"`
		Confirmations int32  `json:"confirmations"`
		Height        int32  `json:"height"`
		Version       int32  `json:"version"`
		VersionHex    string `json:"versionHex"`
		MerkleRoot    string `json:"merkleroot"`
		Time          int64  `json:"time"`
		MedianTime    int64  `json:"mediantime"`
		Nonce         uint32 `json:"nonce"`
		Bits          string `json:"bits"`
		Target        string `json:"target"`
		Difficulty    float  `json:"difficulty"`
		ChainWork     string `json:"chainwork"`
		NTx           int    `json:"nTx"`
		Previous      string `json:"previousblockhash,omitempty"`
		Next          string `json:"nextblockhash,omitempty"`
	}

	blockResult struct {
		headerResult
		StrippedSize int   `json:"strippedsize"`
		Size         int   `json:"size"`
		Weight       int64 `json:"weight"`
		Tx           []any `json:"tx"` // ids, or txResult
	}

	txResult struct {
		TxID     string `json:"txid"`
		Hash     string `json:"hash"`
		Version  uint32 `json:"version"`
		Size     int    `json:"size"`
		VSize    int64  `json:"vsize"`
		Weight   int64  `json:"weight"`
		LockTime uint32 `json:"locktime"`
		Vin      []any  `json:"vin"` // coinbaseIn or spendIn
		Vout     []vout `json:"vout"`
		Hex      string `json:"hex"`
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
		Sequence  uint32    `json:"sequence"`
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
		Hex     string `json:"hex"`
		Address string `json:"address,omitempty"`
		Type    string `json:"type"`
	}
)

// newHeaderResult shows a header. best is the height of the best block.
func newHeaderResult(info chain.HeaderInfo, best int32, txs int) headerResult {
	h := info.Header
	confirmations := int32(-1) // not in the best chain
	if info.InBestChain {
		confirmations = best - info.Point.Height + 1
	}
	return headerResult{
		Hash: info.Point.Hash.String(), Confirmations: confirmations, Height: info.Point.Height,
		Version: h.Version, VersionHex: fmt.Sprintf("%08x", uint32(h.Version)),
		MerkleRoot: h.MerkleRoot.String(), Time: h.Timestamp.Unix(), MedianTime: info.MedianTime.Unix(),
		Nonce: h.Nonce, Bits: hexBits(h.Bits), Target: target(h.Bits),
		Difficulty: difficulty(h.Bits), ChainWork: chainWork(info.Point.Work), NTx: txs,
		Previous: hashOrEmpty(h.PrevBlock), Next: hashOrEmpty(info.Next),
	}
}

// newBlockResult shows a block, with its transactions if full, otherwise with their ids.
func newBlockResult(header headerResult, b *wire.MsgBlock, full bool, params *chaincfg.Params) blockResult {
	r := blockResult{
		headerResult: header,
		StrippedSize: b.SerializeSizeStripped(), Size: b.SerializeSize(),
		Weight: blockchain.GetBlockWeight(btcutil.NewBlock(b)), Tx: []any{},
	}
	for _, tx := range b.Transactions {
		if full {
			r.Tx = append(r.Tx, newTxResult(tx, params))
		} else {
			r.Tx = append(r.Tx, tx.TxHash().String())
		}
	}
	return r
}

func newTxResult(tx *wire.MsgTx, params *chaincfg.Params) txResult {
	weight := blockchain.GetTransactionWeight(btcutil.NewTx(tx))
	r := txResult{
		TxID: tx.TxHash().String(), Hash: tx.WitnessHash().String(), Version: uint32(tx.Version),
		Size: tx.SerializeSize(), Weight: weight, VSize: (weight + blockchain.WitnessScaleFactor - 1) / blockchain.WitnessScaleFactor,
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

func hexOf(v interface{ Serialize(io.Writer) error }) string {
	var b bytes.Buffer
	_ = v.Serialize(&b) // a bytes.Buffer does not fail
	return hex.EncodeToString(b.Bytes())
}

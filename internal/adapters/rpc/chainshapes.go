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

// newBlockResult shows a block with the ids of its transactions. With verbosity 2 it has the
// transactions and their fees, with 3 also the outputs that they spend, where these are known.
func newBlockResult(header headerResult, b *wire.MsgBlock, verbosity int64, outs []chain.SpentOut, params *chaincfg.Params) blockResult {
	r := blockResult{
		headerResult: header,
		StrippedSize: b.SerializeSizeStripped(), Size: b.SerializeSize(),
		Weight: blockchain.GetBlockWeight(btcutil.NewBlock(b)), Tx: []any{},
	}
	spent := spentBy(b, outs)
	for i, tx := range b.Transactions {
		if verbosity < 2 {
			r.Tx = append(r.Tx, tx.TxHash().String())
			continue
		}
		one := newTxResult(tx, params)
		if i > 0 && spent != nil {
			one.spends(spent[i], verbosity > 2, params)
		}
		r.Tx = append(r.Tx, one)
	}
	return r
}

func hexOf(v interface{ Serialize(io.Writer) error }) string {
	var b bytes.Buffer
	_ = v.Serialize(&b) // a bytes.Buffer does not fail
	return hex.EncodeToString(b.Bytes())
}

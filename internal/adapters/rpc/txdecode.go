package rpc

import (
	"bytes"
	"encoding/hex"
	"io"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// serialization says how a transaction in hex may be written.
type serialization struct{ witness, legacy bool }

// anyWay is for commands that cannot be told.
var anyWay = serialization{true, true}

// decodeTx reads a transaction in hex. A few bytes can be read in both ways. As in Core,
// the one whose scripts make sense is meant then, or else the one with witness data.
func decodeTx(text string, s serialization) *wire.MsgTx {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	var with, without *wire.MsgTx
	if s.witness {
		if with = readTx(raw, (*wire.MsgTx).Deserialize); with != nil && scriptsMakeSense(with) {
			return with
		}
	}
	if s.legacy {
		if without = readTx(raw, (*wire.MsgTx).DeserializeNoWitness); without != nil && scriptsMakeSense(without) {
			return without
		}
	}
	if with != nil {
		return with
	}
	return without
}

// readTx reads a transaction that is all of raw, or returns nil.
func readTx(raw []byte, read func(*wire.MsgTx, io.Reader) error) *wire.MsgTx {
	r := bytes.NewReader(raw)
	tx := new(wire.MsgTx)
	if read(tx, r) != nil || r.Len() > 0 {
		return nil
	}
	return tx
}

// scriptsMakeSense says whether all scripts consist of operations that exist. A
// coinbase's input may hold anything.
func scriptsMakeSense(tx *wire.MsgTx) bool {
	coinbase := blockchain.IsCoinBaseTx(tx)
	for _, in := range tx.TxIn {
		if !coinbase && !hasValidOps(in.SignatureScript) {
			return false
		}
	}
	for _, out := range tx.TxOut {
		if !hasValidOps(out.PkScript) {
			return false
		}
	}
	return true
}

// hasValidOps says whether a script can be read to its end, its operations exist, and
// nothing that it pushes is too long.
func hasValidOps(script []byte) bool {
	tok := txscript.MakeScriptTokenizer(0, script)
	for tok.Next() {
		if tok.Opcode() > txscript.OP_NOP10 || len(tok.Data()) > txscript.MaxScriptElementSize {
			return false
		}
	}
	return tok.Err() == nil
}

// unspendable says that nobody can ever spend an output with this script.
func unspendable(script []byte) bool {
	return len(script) > 0 && script[0] == txscript.OP_RETURN || len(script) > txscript.MaxScriptSize
}

// vsizeOf is a transaction's virtual size.
func vsizeOf(tx *wire.MsgTx) int64 { return vsize(weightOf(btcutil.NewTx(tx))) }

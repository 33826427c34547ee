package rpc

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// newScriptPubKey shows an output's script.
func newScriptPubKey(script []byte, params *chaincfg.Params) scriptPubKey {
	class, addrs, _, err := txscript.ExtractPkScriptAddrs(script, params)
	s := scriptPubKey{Asm: asm(script, false), Hex: hex.EncodeToString(script), Type: class.String()}
	// Core knows an address for what can be paid to by address only: not for
	// bare keys and multisig.
	if err == nil && len(addrs) == 1 && class != txscript.PubKeyTy && class != txscript.MultiSigTy {
		s.Address = addrs[0].EncodeAddress()
	}
	return s
}

// asm writes a script in words as Core does: pushes of up to four bytes as
// numbers, longer ones in hex, and in an input's script a signature with its
// hash type in words.
func asm(script []byte, input bool) string {
	signatures := input && (len(script) == 0 || script[0] != txscript.OP_RETURN)
	var words []string
	tok := txscript.MakeScriptTokenizer(0, script)
	for tok.Next() {
		op, data := tok.Opcode(), tok.Data()
		switch {
		case op > txscript.OP_0 && op <= txscript.OP_PUSHDATA4 && len(data) <= 4:
			words = append(words, strconv.FormatInt(scriptNumber(data), 10))
		case op > txscript.OP_0 && op <= txscript.OP_PUSHDATA4:
			words = append(words, push(data, signatures))
		default:
			words = append(words, opcode(op))
		}
	}
	if tok.Err() != nil {
		words = append(words, "[error]")
	}
	return strings.Join(words, " ")
}

// scriptNumber reads a number of at most four bytes: little-endian, the highest
// bit is the sign.
func scriptNumber(b []byte) int64 {
	if len(b) == 0 {
		return 0
	}
	var n int64
	for i, v := range b {
		n |= int64(v) << (8 * i)
	}
	if top := b[len(b)-1]; top&0x80 != 0 {
		n &^= int64(0x80) << (8 * (len(b) - 1))
		return -n
	}
	return n
}

var hashTypes = map[byte]string{
	0x01: "[ALL]", 0x02: "[NONE]", 0x03: "[SINGLE]",
	0x81: "[ALL|ANYONECANPAY]", 0x82: "[NONE|ANYONECANPAY]", 0x83: "[SINGLE|ANYONECANPAY]",
}

// push shows pushed data; with signatures, data that is one ends in words.
func push(data []byte, signatures bool) string {
	last := len(data) - 1
	name, ok := hashTypes[data[last]]
	if signatures && ok {
		if _, err := ecdsa.ParseDERSignature(data[:last]); err == nil {
			return hex.EncodeToString(data[:last]) + name
		}
	}
	return hex.EncodeToString(data)
}

// opcode names an operation that pushes no data.
func opcode(op byte) string {
	switch {
	case op == txscript.OP_0:
		return "0"
	case op == txscript.OP_1NEGATE:
		return "-1"
	case op >= txscript.OP_1 && op <= txscript.OP_16:
		return strconv.Itoa(int(op-txscript.OP_1) + 1)
	case op > txscript.OP_CHECKSIGADD && op != txscript.OP_INVALIDOPCODE:
		return "OP_UNKNOWN"
	}
	name, err := txscript.DisasmString([]byte{op})
	if err != nil {
		return "OP_UNKNOWN"
	}
	return name
}

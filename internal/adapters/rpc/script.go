package rpc

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// newScriptPubKey shows an output's script.
func newScriptPubKey(script []byte, params *chaincfg.Params) scriptPubKey {
	class, addrs, _, _ := txscript.ExtractPkScriptAddrs(script, params) // the error is always nil
	return scriptPubKey{
		Asm: asm(script, false), Desc: describe(script, params), Hex: hex.EncodeToString(script),
		Address: soleAddress(class, addrs), Type: class.String(),
	}
}

// soleAddress is the address of an output's script, or "". As in Core, bare keys and
// multisig have none.
func soleAddress(class txscript.ScriptClass, addrs []address.Address) string {
	if len(addrs) != 1 || class == txscript.PubKeyTy || class == txscript.MultiSigTy {
		return ""
	}
	return addrs[0].EncodeAddress()
}

// asm writes a script in words as Core does. Pushes of up to four bytes are numbers,
// longer ones are hex. In an input's script a signature has its hash type in words.
func asm(script []byte, input bool) string {
	signatures := input && (len(script) == 0 || script[0] != txscript.OP_RETURN)
	var words []string
	tok := txscript.MakeScriptTokenizer(0, script)
	for tok.Next() {
		op, data := tok.Opcode(), tok.Data()
		switch {
		case op > txscript.OP_0 && op <= txscript.OP_PUSHDATA4 && len(data) <= 4:
			n, _ := txscript.MakeScriptNum(data, false, 4) // no error: it has at most four bytes
			words = append(words, strconv.Itoa(int(n)))
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

var hashTypes = map[byte]string{
	0x01: "[ALL]", 0x02: "[NONE]", 0x03: "[SINGLE]",
	0x81: "[ALL|ANYONECANPAY]", 0x82: "[NONE|ANYONECANPAY]", 0x83: "[SINGLE|ANYONECANPAY]",
}

// push shows pushed data. With signatures, one of them ends in its hash type.
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

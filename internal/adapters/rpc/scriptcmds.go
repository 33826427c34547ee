package rpc

import (
	"encoding/hex"
	"slices"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// The shapes of decodescript, with the fields in Core's order.
type (
	scriptResult struct {
		Asm     string        `json:"asm"`
		Desc    string        `json:"desc"`
		Address string        `json:"address,omitempty"`
		Type    string        `json:"type"`
		P2SH    string        `json:"p2sh,omitempty"`
		Segwit  *segwitResult `json:"segwit,omitempty"`
	}

	segwitResult struct {
		scriptPubKey
		P2SH string `json:"p2sh-segwit"`
	}
)

func decodeScript(c *call, a arguments) (any, error) {
	script, err := hex.DecodeString(a.text(0))
	if err != nil {
		return nil, fail(codeInvalidParameter, "argument must be hexadecimal string (not '%s')", a.text(0))
	}
	s := newScriptPubKey(script, c.Params)
	r := scriptResult{Asm: s.Asm, Desc: s.Desc, Address: s.Address, Type: s.Type}
	class := txscript.GetScriptClass(script)
	if !wrappable(class, script) {
		return r, nil
	}
	r.P2SH = scriptHashAddress(script, c.Params)
	if program := witnessProgram(class, script); program != nil {
		r.Segwit = &segwitResult{newScriptPubKey(program, c.Params), scriptHashAddress(program, c.Params)}
		r.Segwit.Desc = describeProgram(class, script, program, c.Params)
	}
	return r, nil
}

// wrappable says whether an output may pay to the script's hash, as Core sees it.
func wrappable(class txscript.ScriptClass, script []byte) bool {
	switch class {
	case txscript.MultiSigTy, txscript.NonStandardTy, txscript.PubKeyTy, txscript.PubKeyHashTy,
		txscript.WitnessV0PubKeyHashTy, txscript.WitnessV0ScriptHashTy:
	default:
		return false
	}
	return hasValidOps(script) && !unspendable(script) && !txscript.ScriptHasOpSuccess(script)
}

// witnessProgram is the witness program that pays to the script, or nil if there is none:
// segwit takes no uncompressed keys, and a program pays to no program.
func witnessProgram(class txscript.ScriptClass, script []byte) []byte {
	var program []byte
	switch class {
	case txscript.PubKeyHashTy:
		program = script[3:23]
	case txscript.PubKeyTy:
		key := script[1 : len(script)-1]
		if len(key) != btcec.PubKeyBytesLenCompressed {
			return nil
		}
		program = address.Hash160(key)
	case txscript.MultiSigTy, txscript.NonStandardTy:
		if class == txscript.MultiSigTy && !compressedOnly(script) {
			return nil
		}
		program = chainhash.HashB(script)
	default:
		return nil
	}
	return append([]byte{txscript.OP_0, byte(len(program))}, program...)
}

func compressedOnly(script []byte) bool {
	return !slices.ContainsFunc(keysOf(script), func(key []byte) bool { return len(key) != btcec.PubKeyBytesLenCompressed })
}

// describeProgram describes a witness program whose script is known. It is "" where that
// would take miniscript.
func describeProgram(class txscript.ScriptClass, script, program []byte, params *chaincfg.Params) string {
	switch class {
	case txscript.NonStandardTy:
		return ""
	case txscript.MultiSigTy:
		return checksummed("wsh(" + descriptor(script, params) + ")")
	}
	return describe(program, params)
}

func scriptHashAddress(script []byte, params *chaincfg.Params) string {
	a, err := address.NewAddressScriptHash(script, params)
	if err != nil {
		panic(err) // a hash has the right length
	}
	return a.EncodeAddress()
}

package rpc

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

// describe is the output descriptor (BIP380) that a script alone allows, with its
// checksum: the keys where the script has them, else the address, else the script.
func describe(script []byte, params *chaincfg.Params) string {
	return checksummed(descriptor(script, params))
}

func descriptor(script []byte, params *chaincfg.Params) string {
	class, addrs, needed, _ := txscript.ExtractPkScriptAddrs(script, params) // the error is always nil
	switch class {
	case txscript.PubKeyTy:
		if keys := keysOf(script); !isHybrid(keys[0]) {
			return "pk(" + hex.EncodeToString(keys[0]) + ")"
		}
	case txscript.MultiSigTy: // its keys are no hybrids
		list := strconv.Itoa(needed)
		for _, key := range keysOf(script) {
			list += "," + hex.EncodeToString(key)
		}
		return "multi(" + list + ")"
	case txscript.WitnessV1TaprootTy:
		if key := script[2:]; isXOnly(key) {
			return "rawtr(" + hex.EncodeToString(key) + ")"
		}
	}
	if addr := soleAddress(class, addrs); addr != "" {
		return "addr(" + addr + ")"
	}
	return "raw(" + hex.EncodeToString(script) + ")"
}

// keysOf are the keys of a bare script: all that it pushes.
func keysOf(script []byte) (keys [][]byte) {
	tok := txscript.MakeScriptTokenizer(0, script)
	for tok.Next() {
		if key := tok.Data(); key != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// The first bytes of hybrid keys.
const (
	pubKeyHybridEven = 0x06
	pubKeyHybridOdd  = 0x07
)

// isHybrid says that a key is in the form that no descriptor takes. As in Core, a key
// need be no point of the curve.
func isHybrid(key []byte) bool {
	return key[0] == pubKeyHybridEven || key[0] == pubKeyHybridOdd
}

func isXOnly(key []byte) bool {
	_, err := schnorr.ParsePubKey(key)
	return err == nil
}

// The alphabets of BIP380's checksum.
const (
	descriptorChars = "0123456789()[],'/*abcdefgh@:$%{}" + "IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~" + "ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
	checksumChars   = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumLen     = 8
)

// checksumGenerator is BIP380's.
var checksumGenerator = [5]uint64{0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd}

// checksummed adds BIP380's checksum to a descriptor. A character that no descriptor has
// makes it "".
func checksummed(desc string) string {
	sum, group, n := uint64(1), 0, 0
	step := func(v int) {
		top := sum >> 35
		sum = sum&0x7ffffffff<<5 ^ uint64(v)
		for i, g := range checksumGenerator {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range desc {
		at := strings.IndexRune(descriptorChars, c)
		if at < 0 {
			return ""
		}
		step(at & 31)
		group, n = group*3+at>>5, n+1
		if n == 3 {
			step(group)
			group, n = 0, 0
		}
	}
	if n > 0 {
		step(group)
	}
	for range checksumLen {
		step(0)
	}
	sum ^= 1
	var b strings.Builder
	b.WriteString(desc + "#")
	for i := range checksumLen {
		b.WriteByte(checksumChars[sum>>(5*(checksumLen-1-i))&31])
	}
	return b.String()
}

// outputScript reads an address, or one of the descriptors that need no key: addr() and
// raw(). Core takes others too.
func outputScript(output string, params *chaincfg.Params) ([]byte, bool) {
	desc, _, marked := strings.Cut(output, "#")
	if marked && checksummed(desc) != output {
		return nil, false
	}
	if inner, ok := inside("raw", desc); ok {
		script, err := hex.DecodeString(inner)
		return script, err == nil
	}
	if inner, ok := inside("addr", desc); ok {
		return addressScript(inner, params)
	}
	return addressScript(output, params)
}

// inside is what stands between the parentheses of a descriptor's function.
func inside(function, desc string) (string, bool) {
	rest, ok := strings.CutPrefix(desc, function+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}

// addressScript is the script that pays to an address of this network.
func addressScript(addr string, params *chaincfg.Params) ([]byte, bool) {
	a, err := address.DecodeAddress(addr, params)
	if err != nil || !a.IsForNet(params) {
		return nil, false
	}
	script, err := txscript.PayToAddrScript(a)
	return script, err == nil
}

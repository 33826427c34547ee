package rpc

import (
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// A signature of block 170's spend, DER and hash type ALL.
const signature = "304402204e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d09"

func TestAsm(t *testing.T) {
	for _, c := range []struct {
		script string
		input  bool
		want   string
	}{
		{"", false, ""},
		{"00", false, "0"},
		{"4f5160", false, "-1 1 16"},
		{"02e803", false, "1000"},
		{"0181", false, "-1"},
		{"04ffffff7f", false, "2147483647"},
		{"05ffffff7f00", false, "ffffff7f00"},
		{"47" + signature + "01", true, signature + "[ALL]"},
		{"47" + signature + "83", true, signature + "[SINGLE|ANYONECANPAY]"},
		{"47" + signature + "01", false, signature + "01"},
		{"47" + signature + "07", true, signature + "07"}, // no such hash type
		{"76a90500112233448" + "8ac", false, "OP_DUP OP_HASH160 0011223344 OP_EQUALVERIFY OP_CHECKSIG"},
		{"b1b2ba", false, "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_CHECKSIGADD"},
		{"bbff", false, "OP_UNKNOWN OP_INVALIDOPCODE"},
		{"51ff05aa", false, "1 OP_INVALIDOPCODE [error]"},
		{"4c00", false, "0"},
	} {
		script, err := hex.DecodeString(c.script)
		if err != nil {
			t.Fatal(err)
		}
		if got := asm(script, c.input); got != c.want {
			t.Errorf("%s: %q, want %q", c.script, got, c.want)
		}
	}
}

func TestScriptPubKey(t *testing.T) {
	for _, c := range []struct{ script, kind, address string }{
		{"76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", "pubkeyhash", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH"},
		{"a914751e76e8199196d454941c45d1b3a323f1433bd687", "scripthash", "3CNHUhP3uyB9EUtRLsmvFUmvGdjGdkTxJw"},
		{"0014751e76e8199196d454941c45d1b3a323f1433bd6", "witness_v0_keyhash", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{"00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", "witness_v0_scripthash", "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3"},
		{"512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "witness_v1_taproot", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"},
		{"51024e73", "anchor", "bc1pfeessrawgf"},
		{"210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac", "pubkey", ""},
		{"6a0568656c6c6f", "nulldata", ""},
		{"51", "nonstandard", ""},
	} {
		script, err := hex.DecodeString(c.script)
		if err != nil {
			t.Fatal(err)
		}
		s := newScriptPubKey(script, &chaincfg.MainNetParams)
		if s.Type != c.kind || s.Address != c.address {
			t.Errorf("%s: %s %q, want %s %q", c.script, s.Type, s.Address, c.kind, c.address)
		}
	}
}

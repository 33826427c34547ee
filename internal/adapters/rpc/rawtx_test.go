package rpc

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/golden"
)

// A block is read with its witness data, whatever is shown of it.
func TestBlocksAreReadWithWitnessData(t *testing.T) {
	r := newRig(t, 1, Config{})
	hash := `"` + best.BlockHash().String() + `"`
	for method, params := range map[string]string{
		"getblock": "[" + hash + ",0]", "getrawtransaction": `["` + spend.TxHash().String() + `",0,` + hash + "]",
	} {
		on(r.f, func(q chain.GetBlock) (chain.Block, error) {
			if !q.Witness {
				t.Errorf("%s asks for a block without witness data", method)
			}
			return chain.Block{Hash: q.Hash, Height: 170, Payload: payload(best)}, nil
		})
		if _, failure := r.call(method, params); failure != "" {
			t.Errorf("%s: %s", method, failure)
		}
	}
}

func TestGetRawTransaction(t *testing.T) {
	r := newRig(t, 1, Config{})
	pooled, mined := `"`+child.TxHash().String()+`"`, `"`+spend.TxHash().String()+`"`
	hash := `"` + best.BlockHash().String() + `"`
	for _, verbosity := range []string{"", ",0", ",false", ",null"} {
		r.want("getrawtransaction", "["+pooled+verbosity+"]", hexText(child))
	}
	r.want("getrawtransaction", "["+mined+",0,"+hash+"]", hexText(spend))
	unknown := `"` + strings.Repeat("0", 64) + `"`
	r.wantError("getrawtransaction", "["+mined+"]", "-5 No such mempool transaction. This node has no -txindex: provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions.")
	r.wantError("getrawtransaction", "["+pooled+",1,"+hash+"]", "-5 No such transaction found in the provided block. Use gettransaction for wallet transactions.")
	r.wantError("getrawtransaction", "["+mined+",1,"+unknown+"]", "-5 Block hash not found")
	r.wantError("getrawtransaction", "["+mined+`,1,"`+stale.String()+`"]`, "-1 Block not available")
	r.wantError("getrawtransaction", "["+mined+",9999999999]", "-1 JSON integer out of range")
	r.wantError("getrawtransaction", `["abc"]`, "-8 parameter 1 must be of length 64 (not 3, for 'abc')")
	r.wantError("getrawtransaction", "["+mined+`,1,"abc"]`, "-8 parameter 3 must be of length 64 (not 3, for 'abc')")
	coinbase := chaincfg.RegressionNetParams.GenesisBlock.Transactions[0].TxHash().String()
	r.wantError("getrawtransaction", `["`+coinbase+`"]`, "-5 The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved")
	on(r.f, func(chain.GetBlock) (chain.Block, error) { return chain.Block{Payload: []byte{1}}, nil })
	r.wantError("getrawtransaction", "["+mined+",1,"+hash+"]", "-32603 Block "+best.BlockHash().String()+" cannot be read: unexpected EOF")
}

// With verbosity 2 a transaction of a block has its fee and what it spends. A coinbase and,
// as in Core 28, a transaction of the pool are shown as with 1.
func TestGetRawTransactionWithWhatItSpends(t *testing.T) {
	r := newRig(t, 1, Config{})
	hash := `"` + best.BlockHash().String() + `"`
	mined := `"` + spend.TxHash().String() + `"`
	result, _ := r.call("getrawtransaction", "["+mined+",2,"+hash+"]")
	golden.Equal(t, filepath.Join("testdata", "getrawtransaction_spent.json"), []byte(indent(t, result)))
	for _, args := range []string{`"` + child.TxHash().String() + `",%d`, `"` + best.Transactions[0].TxHash().String() + `",%d,` + hash} {
		plain, failure := r.call("getrawtransaction", "["+fmt.Sprintf(args, 1)+"]")
		r.want("getrawtransaction", "["+fmt.Sprintf(args, 2)+"]", plain)
		if failure != "" {
			t.Error(failure)
		}
	}
	on(r.f, func(q chain.GetBlock) (chain.Block, error) { return chain.Block{Payload: payload(best)}, nil })
	r.wantError("getrawtransaction", "["+mined+",2,"+hash+"]", "-32603 Undo data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event.")
	if got, failure := r.call("getblock", "["+hash+",3]"); failure != "" || strings.Contains(got, `"fee"`) || strings.Contains(got, `"prevout"`) {
		t.Errorf("a block of which it is not known what it spends: %s %s", got, failure)
	}
}

// What a block spends is split among its transactions, all or none.
func TestSpentBy(t *testing.T) {
	b := &wire.MsgBlock{Transactions: []*wire.MsgTx{parent, child, readBlock("testnet926485.hex").Transactions[2]}}
	n := len(b.Transactions[2].TxIn)
	outs := make([]chain.SpentOut, 1+n)
	for i := range outs {
		outs[i].Value = int64(i)
	}
	got := spentBy(b, outs)
	if len(got) != 3 || got[0] != nil || len(got[1]) != 1 || len(got[2]) != n || got[1][0].Value != 0 || got[2][n-1].Value != int64(n) {
		t.Errorf("%+v", got)
	}
	if got := spentBy(b, outs[:n]); got != nil {
		t.Errorf("one is missing: %+v", got)
	}
}

func TestDecodeRawTransaction(t *testing.T) {
	r := newRig(t, 1, Config{})
	result, _ := r.call("decoderawtransaction", "["+hexText(child)+"]")
	golden.Equal(t, filepath.Join("testdata", "decoderawtransaction.json"), []byte(indent(t, result)))
	for _, params := range []string{"[" + hexText(child) + ",true]", "[" + hexText(child) + ",null]"} {
		r.want("decoderawtransaction", params, result)
	}
	r.wantError("decoderawtransaction", "["+hexText(child)+",false]", "-22 TX decode failed")
	r.wantError("decoderawtransaction", `["xx"]`, "-22 TX decode failed")

	// A transaction without inputs can only be read without witness data.
	const empty = `"0200000000010000000000000000016a00000000"`
	for params, want := range map[string]bool{"[" + empty + "]": true, "[" + empty + ",false]": true, "[" + empty + ",true]": false} {
		result, failure := r.call("decoderawtransaction", params)
		if got := failure == "" && strings.Contains(result, `"vin":[]`); got != want {
			t.Errorf("%s: %s %s", params, result, failure)
		}
	}
}

// Some bytes can be read with witness data and without. Then the reading counts whose
// scripts make sense, and of two such the one with witness data.
func TestTransactionsThatCanBeReadInBothWays(t *testing.T) {
	const nonsense = 0xff
	for _, c := range []struct {
		with, input, without byte // the first operation of a script in each reading
		witness              bool
	}{
		{txscript.OP_TRUE, txscript.OP_TRUE, txscript.OP_DATA_47, true},
		{txscript.OP_TRUE, txscript.OP_TRUE, nonsense, true},
		{nonsense, txscript.OP_TRUE, txscript.OP_DATA_47, false},
		{txscript.OP_TRUE, nonsense, txscript.OP_DATA_47, false},
		{nonsense, txscript.OP_TRUE, nonsense, true},
	} {
		tx := wire.NewMsgTx(2)
		// Without witness data: no input, an output with the value of the number of inputs
		// and seven bytes of the hash, and a script to the end, which pushes all after its
		// first byte.
		out := wire.OutPoint{Hash: chainhash.Hash{7: 48, 8: c.without}}
		tx.AddTxIn(wire.NewTxIn(&out, []byte{c.input}, wire.TxWitness{{1}}))
		tx.AddTxOut(wire.NewTxOut(1, []byte{c.with}))
		got := decodeTx(hexOf(tx), anyWay)
		if got == nil || got.HasWitness() != c.witness || decodeTx(hexOf(tx), serialization{legacy: true}).HasWitness() {
			t.Errorf("%+v: read as %+v", c, got)
		}
	}
}

// Scripts of each kind, with the addresses that pay to them where that can be done. A
// script hash, a program and data cannot be wrapped.
func TestDecodeScript(t *testing.T) {
	r := newRig(t, 1, Config{})
	results := map[string]json.RawMessage{}
	for name, script := range map[string]string{
		"compressed key":   "2103b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb2ac",
		"uncompressed key": "4104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac",
		"hybrid key":       "4106d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac",
		"odd hybrid key":   "4107d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac",
		"key hash":         "76a914751e76e8199196d454941c45d1b3a323f1433bd688ac",
		"script hash":      "a914751e76e8199196d454941c45d1b3a323f1433bd687",
		"witness key":      "0014751e76e8199196d454941c45d1b3a323f1433bd6",
		"taproot":          "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
		"old multisig":     "514104d46c4968bde02899d2aa0963367c7a6ce34eec332b32e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725b51ae",
		"no point":         "512103ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff51ae",
		"pushes":           "040102030487",
		"returns":          "6a75",
		"multisig":         "512103b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb22103b0da749730dc9b4b1f4a14d6902877a92541f5368778853d9c4a0cb7802dcfb252ae",
		"data":             "6a0401020304",
		"anchor":           "51024e73",
		"no standard":      "5187",
		"success":          "5150",
		"empty":            "",
		"cut short":        "4c",
	} {
		result, failure := r.call("decodescript", `["`+script+`"]`)
		if failure != "" {
			t.Errorf("%s: %s", name, failure)
			continue
		}
		results[name] = json.RawMessage(result)
	}
	golden.Equal(t, filepath.Join("testdata", "decodescript.json"), []byte(indent(t, string(marshal(results)))))
	r.wantError("decodescript", `["5"]`, "-8 argument must be hexadecimal string (not '5')")
}

// The vectors are BIP380's, and what Core says of keys.
func TestDescriptors(t *testing.T) {
	for desc, sum := range map[string]string{
		"raw(deadbeef)": "89f8spxm",
		"pk(0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798)": "gn28ywm7",
	} {
		if got := checksummed(desc); got != desc+"#"+sum {
			t.Errorf("%s, want #%s", got, sum)
		}
	}
	if got := checksummed("raw(é)"); got != "" {
		t.Errorf("a letter that no descriptor has: %s", got)
	}
	const addr = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
	const script = "0014751e76e8199196d454941c45d1b3a323f1433bd6"
	for output, want := range map[string]string{
		addr: script, "addr(" + addr + ")": script, "raw(" + script + ")": script,
		checksummed("addr(" + addr + ")"): script, "raw()": "",
		"raw(deadbeef)#89f8spxm": "deadbeef",
	} {
		if got, ok := outputScript(output, &chaincfg.RegressionNetParams); !ok || hex.EncodeToString(got) != want {
			t.Errorf("%s: %x %v", output, got, ok)
		}
	}
	for _, output := range []string{"", "raw(0)", "raw(00", "raw(deadbeef)#89f8spxn", "raw(deadbeef)#", "addr(x)", "pk(02)", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"} {
		if got, ok := outputScript(output, &chaincfg.RegressionNetParams); ok {
			t.Errorf("%s is taken: %x", output, got)
		}
	}
}

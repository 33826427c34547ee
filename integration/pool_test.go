package integration

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/nodes"
)

// anyone is the witness script that everybody can satisfy, and its program's address.
func anyone(t *testing.T) (script, program []byte, addr string) {
	t.Helper()
	script = []byte{txscript.OP_TRUE}
	a, err := address.NewAddressWitnessScriptHash(chainhash.HashB(script), &chaincfg.RegressionNetParams)
	if err != nil {
		t.Fatal(err)
	}
	if program, err = txscript.PayToAddrScript(a); err != nil {
		t.Fatal(err)
	}
	return script, program, a.EncodeAddress()
}

// payment spends the first output of a transaction and leaves a fee.
func payment(t *testing.T, from *wire.MsgTx, fee int64) *wire.MsgTx {
	t.Helper()
	script, program, _ := anyone(t)
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: from.TxHash()}, nil, wire.TxWitness{script}))
	tx.AddTxOut(wire.NewTxOut(from.TxOut[0].Value-fee, program))
	return tx
}

func rawHex(tx *wire.MsgTx) string {
	var b bytes.Buffer
	_ = tx.Serialize(&b)
	return hex.EncodeToString(b.Bytes())
}

// wantRefusal calls and compares the error.
func wantRefusal(t *testing.T, n *harness.Node, code int, text, method string, params ...any) {
	t.Helper()
	var refusal *nodes.RPCError
	err := n.RPC.Call(t.Context(), nil, method, params...)
	if !errors.As(err, &refusal) || refusal.Code != code || refusal.Message != text {
		t.Errorf("%s: %v, want %d %s", method, err, code, text)
	}
}

// The life of a transaction by RPC: judged, taken, shown, kept in mempool.dat over a
// restart, offered to miners, mined with its fee.
func TestPoolByRPC(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	_, _, addr := anyone(t)
	us := start(t, harness.Options{MineTo: addr})
	us.Generate(102)
	coin := us.Block(us.HashAt(1)).Transactions[0]
	first := payment(t, coin, 2000)
	second := payment(t, first, 3000)
	ids := []string{first.TxHash().String(), second.TxHash().String()}

	var judged []struct {
		Allowed bool
		Reason  string `json:"reject-reason"`
		Fees    struct{ Base float64 }
	}
	us.Call(&judged, "testmempoolaccept", []string{rawHex(first)})
	if len(judged) != 1 || !judged[0].Allowed || judged[0].Fees.Base != 0.00002 {
		t.Errorf("the first is good: %+v", judged)
	}
	us.Call(&judged, "testmempoolaccept", []string{rawHex(second)})
	if len(judged) != 1 || judged[0].Allowed || judged[0].Reason != "missing-inputs" {
		t.Errorf("the second has no parent yet: %+v", judged)
	}
	wantRefusal(t, us, -25, "bad-txns-inputs-missingorspent", "sendrawtransaction", rawHex(second))
	wantRefusal(t, us, -25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)", "sendrawtransaction", rawHex(payment(t, coin, 1e8)))
	us.SendTx(first)
	us.SendTx(second)
	us.SendTx(second) // again is no error
	wantRefusal(t, us, -5, "Transaction not in mempool", "getmempoolentry", coin.TxHash().String())
	showPool(t, us, first, second)

	us.Call(nil, "prioritisetransaction", ids[1], nil, 700)
	us.Stop()
	us = us.Again(nil)
	var info struct {
		Loaded bool
		Size   int
	}
	harness.Eventually(t, harness.Patience, "the pool is loaded", func() (bool, string) {
		us.Call(&info, "getmempoolinfo")
		return info.Loaded, fmt.Sprintf("%+v", info)
	})
	showPool(t, us, first, second)
	var entry struct {
		Fees struct{ Base, Modified float64 }
	}
	us.Call(&entry, "getmempoolentry", ids[1])
	if entry.Fees.Base != 0.00003 || entry.Fees.Modified != 0.000037 {
		t.Errorf("the priority is lost: %+v", entry)
	}
	mineThem(t, us, ids, addr)
	wantRefusal(t, us, -27, "Transaction outputs already in utxo set", "sendrawtransaction", rawHex(second))
}

// showPool asks for a parent and its child in all ways.
func showPool(t *testing.T, us *harness.Node, first, second *wire.MsgTx) {
	t.Helper()
	ids := []string{first.TxHash().String(), second.TxHash().String()}
	var pool []string
	us.Call(&pool, "getrawmempool")
	if !slices.Equal(pool, ids) {
		t.Fatalf("the pool has %v, want %v", pool, ids)
	}
	for method, want := range map[string]struct{ of, is string }{
		"getmempoolancestors": {ids[1], ids[0]}, "getmempooldescendants": {ids[0], ids[1]},
	} {
		us.Call(&pool, method, want.of)
		if !slices.Equal(pool, []string{want.is}) {
			t.Errorf("%s: %v", method, pool)
		}
	}
	var text string
	us.Call(&text, "getrawtransaction", ids[1])
	if text != rawHex(second) {
		t.Errorf("the transaction is %s", text)
	}
	var out *struct {
		Confirmations int
		Value         float64
	}
	if us.Call(&out, "gettxout", ids[1], 0); out == nil || out.Confirmations != 0 {
		t.Errorf("the pool's output: %+v", out)
	}
	if us.Call(&out, "gettxout", ids[0], 0); out != nil {
		t.Errorf("an output that the pool spends: %+v", out)
	}
	var spenders []struct{ SpendingTxID string }
	us.Call(&spenders, "gettxspendingprevout", []any{map[string]any{"txid": ids[0], "vout": 0}})
	if len(spenders) != 1 || spenders[0].SpendingTxID != ids[1] {
		t.Errorf("spenders %+v", spenders)
	}
}

// mineThem mines the pool, which a template has offered.
func mineThem(t *testing.T, us *harness.Node, ids []string, addr string) {
	t.Helper()
	var template struct {
		Height        int32
		CoinbaseValue int64
		Transactions  []struct {
			TxID    string
			Depends []int
			Fee     int64
		}
	}
	us.Call(&template, "getblocktemplate", map[string]any{"rules": []string{"segwit"}})
	offered := template.Transactions
	if len(offered) != 2 || offered[0].TxID != ids[0] || offered[1].TxID != ids[1] || !slices.Equal(offered[1].Depends, []int{1}) ||
		template.CoinbaseValue != 50e8+5000 || template.Height != 103 {
		t.Fatalf("the template is %+v", template)
	}
	us.Generate(1)
	block := us.Block(us.BestHash())
	if len(block.Transactions) != 3 || block.Transactions[0].TxOut[0].Value != 50e8+5000 {
		t.Fatalf("a block of %d transactions", len(block.Transactions))
	}
	var pool []string
	if us.Call(&pool, "getrawmempool"); len(pool) != 0 {
		t.Errorf("the pool still has %v", pool)
	}
	// One more by hand: the next coin, in a block that names it.
	coin := payment(t, us.Block(us.HashAt(2)).Transactions[0], 4000)
	var made struct{ Hash string }
	us.Call(&made, "generateblock", addr, []string{rawHex(coin)})
	if block := us.Block(us.BestHash()); block.BlockHash().String() != made.Hash || len(block.Transactions) != 2 || block.Transactions[0].TxOut[0].Value != 50e8 {
		t.Errorf("the block that was made by hand: %v", made)
	}
}

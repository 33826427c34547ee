package rpc

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/golden"
)

func hexText(tx *wire.MsgTx) string { return `"` + hexOf(tx) + `"` }

// verdicts answers SubmitTx, and remembers the questions.
func (r *rig) verdicts(v *chain.TxVerdict) *[]chain.SubmitTx {
	asked := new([]chain.SubmitTx)
	on(r.f, func(q chain.SubmitTx) (chain.TxVerdict, error) {
		*asked = append(*asked, q)
		return *v, nil
	})
	return asked
}

// A transaction is tried first, so that one that pays too much is never relayed.
func TestSendRawTransaction(t *testing.T) {
	r := newRig(t, 1, Config{})
	verdict := chain.TxVerdict{Code: chain.TxOK, Fee: 6300, VSize: 63}
	asked := r.verdicts(&verdict)
	id := `"` + child.TxHash().String() + `"`
	for _, c := range []struct {
		params string
		tests  []bool // of each question
		fails  string
	}{
		{"[" + hexText(child) + "]", []bool{true, false}, ""},
		{"[" + hexText(child) + ",0]", []bool{false}, ""},
		{"[" + hexText(child) + `,"0.00100000"]`, []bool{true, false}, ""},
		{"[" + hexText(child) + ",0.0009]", []bool{true}, "-25 Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"},
		{"[" + hexText(child) + ",1]", nil, "-8 Fee rates larger than or equal to 1BTC/kvB are not accepted"},
		{"[" + hexText(child) + `,"much"]`, nil, "-3 Invalid amount"},
		{"[" + hexText(child) + ",-1]", nil, "-3 Amount out of range"},
		{"[" + hexText(child) + ",0,21000000]", []bool{false}, ""},
		{"[" + hexText(child) + ",0,21000000.00000001]", nil, "-3 Amount out of range"},
		{`["00"]`, nil, "-22 TX decode failed. Make sure the tx has at least one input."},
		{`["zz"]`, nil, "-22 TX decode failed. Make sure the tx has at least one input."},
		{`["` + hexOf(child) + `0"]`, nil, "-22 TX decode failed. Make sure the tx has at least one input."},
		{`["` + hexOf(child) + `00"]`, nil, "-22 TX decode failed. Make sure the tx has at least one input."},
	} {
		*asked = nil
		if c.fails == "" {
			r.want("sendrawtransaction", c.params, id)
		} else {
			r.wantError("sendrawtransaction", c.params, c.fails)
		}
		var tests []bool
		for _, q := range *asked {
			tests = append(tests, q.Test)
			if q.Ours == q.Test { // what is submitted is announced until a peer asks for it
				t.Errorf("%s asked %+v", c.params, q)
			}
			if q.ID != chain.NameOf(child) || q.Source != 0 || q.Orphan || !q.Added.IsZero() {
				t.Errorf("%s asked %+v", c.params, q)
			}
		}
		if !slices.Equal(tests, c.tests) {
			t.Errorf("%s: asked with Test %v, want %v", c.params, tests, c.tests)
		}
	}
}

// What cannot be spent is refused unless the caller says how much may be burnt.
func TestBurning(t *testing.T) {
	r := newRig(t, 1, Config{})
	verdict := chain.TxVerdict{Code: chain.TxOK}
	r.verdicts(&verdict)
	push := func(n int) []byte {
		return append([]byte{txscript.OP_PUSHDATA2, byte(n), byte(n >> 8)}, make([]byte, n)...)
	}
	const refused = "-25 Unspendable output exceeds maximum configured by user (maxburnamount)"
	for _, script := range [][]byte{{0x6a, 1, 2}, {0xba}, {0x4c}, push(521), make([]byte, 10_001)} {
		tx := childOf(parent)
		tx.AddTxOut(wire.NewTxOut(1000, script))
		r.wantError("sendrawtransaction", "["+hexText(tx)+"]", refused)
		r.wantError("sendrawtransaction", "["+hexText(tx)+",0.1,0.00000999]", refused)
		r.want("sendrawtransaction", "["+hexText(tx)+",0.1,0.00001]", `"`+tx.TxHash().String()+`"`)
		tx.TxOut[1].Value = 0
		r.want("sendrawtransaction", "["+hexText(tx)+"]", `"`+tx.TxHash().String()+`"`)
	}
	for _, script := range [][]byte{{0xb9}, push(520), make([]byte, 10_000)} { // those can be spent
		tx := childOf(parent)
		tx.AddTxOut(wire.NewTxOut(1000, script))
		r.want("sendrawtransaction", "["+hexText(tx)+"]", `"`+tx.TxHash().String()+`"`)
	}
}

// Each verdict has Core's code and words, in both commands that give it.
func TestRefusals(t *testing.T) {
	r := newRig(t, 1, Config{})
	var verdict chain.TxVerdict
	asked := r.verdicts(&verdict)
	ids := `"txid":"` + child.TxHash().String() + `","wtxid":"` + child.WitnessHash().String() + `",`
	for _, c := range []struct {
		v          chain.TxVerdict
		send, test string
	}{
		{chain.TxVerdict{Code: chain.TxKnown, Reason: "txn-already-in-mempool"}, "", `"reject-reason":"txn-already-in-mempool","reject-details":"txn-already-in-mempool"`},
		{chain.TxVerdict{Code: chain.TxPolicy, Reason: "txn-same-nonwitness-data-in-mempool"}, "", `"reject-reason":"txn-same-nonwitness-data-in-mempool","reject-details":"txn-same-nonwitness-data-in-mempool"`},
		{chain.TxVerdict{Code: chain.TxPolicy, Reason: "txn-already-known"}, "-27 Transaction outputs already in utxo set", `"reject-reason":"txn-already-known","reject-details":"txn-already-known"`},
		{chain.TxVerdict{Code: chain.TxOrphan, Reason: "bad-txns-inputs-missingorspent"}, "-25 bad-txns-inputs-missingorspent", `"reject-reason":"missing-inputs","reject-details":"bad-txns-inputs-missingorspent"`},
		{chain.TxVerdict{Code: chain.TxPolicy, Reason: "min relay fee not met", Detail: "0 < 63"}, "-26 min relay fee not met, 0 < 63", `"reject-reason":"min relay fee not met","reject-details":"min relay fee not met, 0 < 63"`},
		{chain.TxVerdict{Code: chain.TxPolicy, Reason: "txn-mempool-conflict"}, "-26 txn-mempool-conflict", `"reject-reason":"txn-mempool-conflict","reject-details":"txn-mempool-conflict"`},
		{chain.TxVerdict{Code: chain.TxPolicy, Reason: "dust", Detail: "dust"}, "-26 dust", `"reject-reason":"dust","reject-details":"dust"`},
		{chain.TxVerdict{Code: chain.TxEarly, Reason: "non-final"}, "-26 non-final", `"reject-reason":"non-final","reject-details":"non-final"`},
		{chain.TxVerdict{Code: chain.TxInvalid, Reason: "bad-txns-vin-empty"}, "-26 bad-txns-vin-empty", `"reject-reason":"bad-txns-vin-empty","reject-details":"bad-txns-vin-empty"`},
		{chain.TxVerdict{Code: chain.TxFatal, Detail: "disk full"}, "-25 fatal, disk full", ""},
	} {
		verdict = c.v
		if c.send == "" {
			r.want("sendrawtransaction", "["+hexText(child)+"]", `"`+child.TxHash().String()+`"`)
		} else {
			*asked = nil
			r.wantError("sendrawtransaction", "["+hexText(child)+"]", c.send)
			if len(*asked) != 1 {
				t.Errorf("%+v: asked %d times", c.v, len(*asked))
			}
			r.wantError("sendrawtransaction", "["+hexText(child)+",0]", c.send)
		}
		if c.test != "" {
			r.want("testmempoolaccept", "[["+hexText(child)+"]]", "[{"+ids+`"allowed":false,`+c.test+"}]")
		}
	}
	r.wantError("testmempoolaccept", "[["+hexText(child)+"]]", "-25 fatal, disk full")
}

// One that spends what another one of the same call makes is not judged, and says why. The
// others are. If the pool has its parent, it is judged too.
func TestTestMempoolAcceptOfAFamily(t *testing.T) {
	r := newRig(t, 1, Config{})
	pooled := false
	on(r.f, func(q chain.SubmitTx) (chain.TxVerdict, error) {
		switch {
		case q.ID == chain.NameOf(parent) && pooled:
			return chain.TxVerdict{Code: chain.TxKnown, Reason: "txn-already-in-mempool"}, nil
		case q.ID == chain.NameOf(child) && !pooled:
			return chain.TxVerdict{Code: chain.TxOrphan, Missing: []chainhash.Hash{{1}, parent.TxHash()}}, nil
		case q.ID == chain.NameOf(spend):
			return chain.TxVerdict{Code: chain.TxOrphan, Missing: []chainhash.Hash{{1}}}, nil
		}
		return chain.TxVerdict{Code: chain.TxOK, Fee: 6300, VSize: 63}, nil
	})
	args := "[[" + hexText(parent) + "," + hexText(child) + "," + hexText(spend) + "," + hexText(childOf(best.Transactions[0])) + "]]"
	for _, name := range []string{"testmempoolaccept_family", "testmempoolaccept_child"} {
		result, _ := r.call("testmempoolaccept", args)
		golden.Equal(t, filepath.Join("testdata", name+".json"), []byte(indent(t, result)))
		pooled = true
	}
}

func TestTestMempoolAccept(t *testing.T) {
	r := newRig(t, 1, Config{})
	verdict := chain.TxVerdict{Code: chain.TxOK, Fee: 6300, VSize: 63}
	asked := r.verdicts(&verdict)
	names := func(tx *wire.MsgTx) string {
		return `{"txid":"` + tx.TxHash().String() + `","wtxid":"` + tx.WitnessHash().String() + `"`
	}
	good := func(tx *wire.MsgTx) string {
		return names(tx) + `,"allowed":true,"vsize":63,"fees":{"base":0.00006300,"effective-feerate":0.00100000,"effective-includes":["` + tx.WitnessHash().String() + `"]}}`
	}
	dear := names(child) + `,"allowed":false,"reject-reason":"max-fee-exceeded"}`
	both := "[" + hexText(child) + "," + hexText(spend) + "]"
	r.want("testmempoolaccept", "["+both+"]", "["+good(child)+","+good(spend)+"]")
	for _, q := range *asked {
		if !q.Test || q.Orphan {
			t.Errorf("it asked %+v, which would change the pool", q)
		}
	}
	r.want("testmempoolaccept", "["+both+",0.0009]", "["+dear+","+names(spend)+"}]")
	r.want("testmempoolaccept", "["+both+",0.001]", "["+good(child)+","+good(spend)+"]") // no more than that
	r.wantError("testmempoolaccept", "["+both+",1]", "-8 Fee rates larger than or equal to 1BTC/kvB are not accepted")
	r.want("testmempoolaccept", "["+both+",0]", "["+good(child)+","+good(spend)+"]")

	*asked = nil
	twice := names(child) + `,"package-error":"package-contains-duplicates"}`
	r.want("testmempoolaccept", "[["+hexText(child)+","+hexText(child)+"]]", "["+twice+","+twice+"]")
	rival := childOf(parent)
	rival.TxOut[0].Value++
	clash := `,"package-error":"conflict-in-package"}`
	r.want("testmempoolaccept", "[["+hexText(child)+","+hexText(rival)+"]]", "["+names(child)+clash+","+names(rival)+clash+"]")
	grandchild := childOf(child)
	unsorted := `,"package-error":"package-not-sorted"}`
	r.want("testmempoolaccept", "[["+hexText(grandchild)+","+hexText(child)+"]]", "["+names(grandchild)+unsorted+","+names(child)+unsorted+"]")
	if len(*asked) != 0 {
		t.Error("transactions that contradict each other were judged")
	}

	for weight, want := range map[int64]string{maxPackageWeight: "", maxPackageWeight + 4: "package-too-large"} {
		large := childOf(parent)
		large.TxOut[0].PkScript = make([]byte, 1<<16)
		large.TxOut[0].PkScript = make([]byte, 1<<16+(weight-weightOf(btcutil.NewTx(large))-weightOf(btcutil.NewTx(spend)))/4)
		txs := []*wire.MsgTx{spend, large}
		if got := contradiction(txs, idsOf(txs)); got != want {
			t.Errorf("a weight of %d: %q, want %q", weight, got, want)
		}
		if got := contradiction(txs[1:], idsOf(txs[1:])); got != "" {
			t.Errorf("one alone is judged as such, not %q", got)
		}
	}

	const count = "-8 Array must contain between 1 and 25 transactions."
	r.wantError("testmempoolaccept", "[[]]", count)
	r.wantError("testmempoolaccept", "[["+strings.Repeat(`"00",`, 25)+`"00"]]`, count)
	r.wantError("testmempoolaccept", `[["00"]]`, "-22 TX decode failed: 00 Make sure the tx has at least one input.")
	r.wantError("testmempoolaccept", `[[1]]`, "-3 JSON value of type number is not of expected type string")
}

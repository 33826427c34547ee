package rpc

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// decoded is a block that was submitted.
func decoded(t *testing.T, payload []byte) *wire.MsgBlock {
	b := new(wire.MsgBlock)
	if err := b.Deserialize(bytes.NewReader(payload)); err != nil {
		t.Errorf("the submitted block cannot be read: %v", err)
	}
	return b
}

const payTo = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// A generated block has the pool's transactions, and its coinbase their fees. btcd checks
// its roots.
func TestGenerateWithThePool(t *testing.T) {
	r := newRig(t, 1, Config{})
	var block *wire.MsgBlock
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		block = decoded(t, q.Payload)
		return chain.Verdict{Hash: q.Hash, InBestChain: true}, nil
	})
	if _, failure := r.call("generatetoaddress", `[1,"`+payTo+`"]`); failure != "" {
		t.Fatal(failure)
	}
	if len(block.Transactions) != 3 || block.Transactions[1].TxHash() != parent.TxHash() || block.Transactions[2].TxHash() != child.TxHash() {
		t.Fatalf("%d transactions", len(block.Transactions))
	}
	if got := block.Transactions[0].TxOut[0].Value; got != 50e8+3000 {
		t.Errorf("the coinbase takes %d", got)
	}
	b := btcutil.NewBlock(block)
	if root := blockchain.CalcMerkleRoot(b.Transactions(), false); root != block.Header.MerkleRoot {
		t.Errorf("merkle root %v, want %v", block.Header.MerkleRoot, root)
	}
	if err := blockchain.ValidateWitnessCommitment(b); err != nil {
		t.Error(err)
	}
	if _, committed := blockchain.ExtractWitnessCommitment(b.Transactions()[0]); !committed {
		t.Error("a block with witness data has no commitment")
	}
}

// Nobody mines where that takes long. Mining ends with the request, and when its tries are
// used up.
func TestMiningEnds(t *testing.T) {
	r := newRig(t, 1, Config{})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	hard := func(chain.GetTemplate) (chain.Template, error) { return chain.Template{Bits: 0x1b0404cb}, nil }
	for name, one := range map[string]struct {
		run  run
		args arguments
	}{
		"generateblock":     {generateBlock, arguments{json.RawMessage(`"raw(51)"`), json.RawMessage("[]"), nil}},
		"generatetoaddress": {generateToAddress, arguments{json.RawMessage("1"), json.RawMessage(`"` + payTo + `"`), nil}},
	} {
		c := r.direct(over)
		if _, err := one.run(c, one.args); err == nil || err.Error() != "the request was given up while a block was mined" {
			t.Errorf("%s of a client that has gone: %v", name, err)
		}
		p := *c.Params
		p.PoWNoRetargeting = false
		c.Params = &p
		if _, err := one.run(c, one.args); err == nil || !strings.HasPrefix(err.Error(), name+" works on regtest only") {
			t.Errorf("%s elsewhere: %v", name, err)
		}
	}
	on(r.f, hard)
	r.wantError("generateblock", `["raw(51)",[]]`, "-1 Failed to make block.")
	r.wantError("generatetoaddress", `[9999999999,"`+payTo+`"]`, "-1 JSON integer out of range")
	r.wantError("generatetoaddress", `[1,"`+payTo+`",-1]`, "-1 JSON integer out of range")
	r.wantError("submitblock", `["`+hexOf(best)+`0"]`, "-22 Block decode failed")
	headless := *best
	headless.Transactions = best.Transactions[1:]
	r.wantError("submitblock", `["`+hexOf(&headless)+`"]`, "-22 Block does not start with a coinbase")
}

// generateblock takes the transactions that are named, in their order, and no fee.
func TestGenerateBlock(t *testing.T) {
	r := newRig(t, 1, Config{})
	var block *wire.MsgBlock
	verdict := chain.Verdict{InBestChain: true}
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		block = decoded(t, q.Payload)
		return verdict, nil
	})
	list := `["` + parent.TxHash().String() + `",` + hexText(spend) + "]"
	got, failure := r.call("generateblock", `["`+payTo+`",`+list+"]")
	if failure != "" || got != `{"hash":"`+block.BlockHash().String()+`"}` {
		t.Errorf("%s %s", got, failure)
	}
	if len(block.Transactions) != 3 || block.Transactions[1].TxHash() != parent.TxHash() || block.Transactions[2].TxHash() != spend.TxHash() {
		t.Errorf("%d transactions", len(block.Transactions))
	}
	if got := block.Transactions[0].TxOut[0].Value; got != 50e8 {
		t.Errorf("the coinbase takes %d", got)
	}

	block = nil
	got, failure = r.call("generateblock", `["raw(51)",`+list+",false]")
	var made generated
	_ = json.Unmarshal([]byte(got), &made)
	raw, _ := hex.DecodeString(made.Hex)
	var b wire.MsgBlock
	if err := b.Deserialize(bytes.NewReader(raw)); err != nil || failure != "" || b.BlockHash().String() != made.Hash || len(b.Transactions) != 3 {
		t.Errorf("%s %s: %v", got, failure, err)
	}
	if block != nil {
		t.Error("a block was submitted that should not be")
	}

	unknown := strings.Repeat("0", 64)
	for params, want := range map[string]string{
		`["nonsense",[]]`:                                             "-5 Error: Invalid address or descriptor",
		`["` + payTo + `",["` + unknown + `"]]`:                       "-5 Transaction " + unknown + " not in mempool.",
		`["` + payTo + `",["` + strings.Repeat("g", 64) + `"]]`:       "-22 Transaction decode failed for " + strings.Repeat("g", 64) + ". Make sure the tx has at least one input.",
		`["` + payTo + `",[` + strings.Repeat("1,", maxNamed) + `1]]`: fmt.Sprintf("-8 more than %d transactions do not fit a block", maxNamed),
		`["` + payTo + `",["00"]]`:                                    "-22 Transaction decode failed for 00. Make sure the tx has at least one input.",
		`["` + payTo + `",[1]]`:                                       "-3 JSON value of type number is not of expected type string",
	} {
		r.wantError("generateblock", params, want)
	}
	verdict = chain.Verdict{Code: chain.Invalid, Reason: "bad-txns-inputs-missingorspent"}
	r.wantError("generateblock", `["`+payTo+`",`+list+"]", "-25 TestBlockValidity failed: bad-txns-inputs-missingorspent")
}

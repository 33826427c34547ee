package rpc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

const payTo = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

// A generated block has the pool's transactions, and its coinbase their fees. btcd checks
// its roots.
func TestGenerateWithThePool(t *testing.T) {
	r := newRig(t, 1, Config{})
	var block *wire.MsgBlock
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		block = q.Block
		return chain.Verdict{Hash: q.Hash, InBestChain: true}, nil
	})
	if _, failure := r.call("generatetoaddress", `[1,"`+payTo+`"]`); failure != "" {
		t.Fatal(failure)
	}
	if len(block.Transactions) != 3 || block.Transactions[1] != parent || block.Transactions[2] != child {
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

// generateblock takes the transactions that are named, in their order, and no fee.
func TestGenerateBlock(t *testing.T) {
	r := newRig(t, 1, Config{})
	var block *wire.MsgBlock
	verdict := chain.Verdict{InBestChain: true}
	on(r.f, func(q chain.SubmitBlock) (chain.Verdict, error) {
		block = q.Block
		return verdict, nil
	})
	list := `["` + parent.TxHash().String() + `",` + hexText(spend) + "]"
	got, failure := r.call("generateblock", `["`+payTo+`",`+list+"]")
	if failure != "" || got != `{"hash":"`+block.BlockHash().String()+`"}` {
		t.Errorf("%s %s", got, failure)
	}
	if len(block.Transactions) != 3 || block.Transactions[1] != parent || block.Transactions[2].TxHash() != spend.TxHash() {
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
		`["nonsense",[]]`:                       "-5 Error: Invalid address or descriptor",
		`["` + payTo + `",["` + unknown + `"]]`: "-5 Transaction " + unknown + " not in mempool.",
		`["` + payTo + `",["00"]]`:              "-22 Transaction decode failed for 00. Make sure the tx has at least one input.",
		`["` + payTo + `",[1]]`:                 "-3 JSON value of type number is not of expected type string",
	} {
		r.wantError("generateblock", params, want)
	}
	verdict = chain.Verdict{Code: chain.Invalid, Reason: "bad-txns-inputs-missingorspent"}
	r.wantError("generateblock", `["`+payTo+`",`+list+"]", "-25 TestBlockValidity failed: bad-txns-inputs-missingorspent")
}

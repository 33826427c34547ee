package integration

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
)

// TestThePoolSurvivesARestart: a node alone takes transactions by RPC, keeps them over a
// restart, and mines them.
func TestThePoolSurvivesARestart(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	wallet := chaingen.NewWallet("pool")
	us := start(t, harness.Options{MineTo: wallet.Address()})
	us.Generate(110)
	coins := chaingen.From(wallet, chaingen.Options{}, us.Blocks()).Ripe()
	parent := wallet.Spend(coins[:1], 4, fee)
	child := wallet.Spend(wallet.Outputs(parent)[1:2], 1, 3*fee) // with witness data
	for _, tx := range []*wire.MsgTx{parent, child} {
		us.SendTx(tx)
	}

	var entry struct {
		Fees struct {
			Base       float64 `json:"base"`
			Descendant float64 `json:"descendant"`
		} `json:"fees"`
		DescendantCount int      `json:"descendantcount"`
		SpentBy         []string `json:"spentby"`
	}
	us.Call(&entry, "getmempoolentry", parent.TxHash().String())
	if entry.Fees.Base != 0.0001 || entry.Fees.Descendant != 0.0004 || entry.DescendantCount != 2 ||
		len(entry.SpentBy) != 1 || entry.SpentBy[0] != child.TxHash().String() {
		t.Errorf("the parent's entry is %+v", entry)
	}

	us.Stop()
	us = us.Again(nil)
	harness.Eventually(t, harness.Patience, "mempool.dat is loaded", func() (bool, string) {
		var info struct {
			Loaded bool `json:"loaded"`
			Size   int  `json:"size"`
		}
		us.Call(&info, "getmempoolinfo")
		return info.Loaded && info.Size == 2, fmt.Sprintf("%+v", info)
	})

	us.Generate(1)
	block := us.Block(us.BestHash())
	if len(block.Transactions) != 3 || block.Transactions[1].TxHash() != parent.TxHash() || block.Transactions[2].TxHash() != child.TxHash() {
		t.Fatalf("the block has %d transactions, want the coinbase, the parent and the child", len(block.Transactions))
	}
	if got, want := block.Transactions[0].TxOut[0].Value, int64(50e8+4*fee); got != want {
		t.Errorf("the coinbase pays %d, want the subsidy and the fees: %d", got, want)
	}
	var left []string
	us.Call(&left, "getrawmempool")
	if len(left) != 0 {
		t.Errorf("the pool still has %v", left)
	}
}

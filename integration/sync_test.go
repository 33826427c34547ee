package integration

import (
	"testing"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/script"
)

// TestSyncFromAndToBtcd sends a chain from one btcd through this node to
// another btcd. The second btcd has no other peer.
func TestSyncFromAndToBtcd(t *testing.T) {
	t.Parallel()
	wallet := chaingen.NewWallet("sync")
	first := harness.Btcd(t, harness.Options{Name: "first", MineTo: wallet.Address()})
	chain := mineHistory(t, first, wallet)

	us := start(t, harness.Options{Name: "us", Connect: []string{first.P2P}, MineTo: wallet.Address()})
	us.Await(chain.Tip(), harness.Patience)
	second := harness.Btcd(t, harness.Options{Name: "second", Connect: []string{us.P2P}})
	second.Await(chain.Tip(), harness.Patience)
	all := []*harness.Node{first, us, second}

	t.Log("the first btcd gives up its last 20 blocks for 21 others")
	first.Invalidate(chain.Block(chain.Height() - 19).BlockHash())
	first.Generate(21)
	awaitAll(t, first, all)

	t.Log("we are given another branch, which forks off 20 blocks below the tip")
	branch := chaingen.From(wallet, chaingen.Options{Seed: 2, Spends: 1}, first.Blocks()).
		Fork(first.Height()-20, 1).Mine(21)
	for _, block := range branch.Blocks(branch.Height() - 20) {
		us.SubmitBlock(block)
	}
	us.Await(branch.Tip(), harness.Patience)
	awaitAll(t, us, all)

	t.Log("we mine, and everybody follows")
	us.Generate(3)
	awaitAll(t, us, all)
	if got, want := us.Height(), branch.Height()+3; got != want {
		t.Errorf("the chain ends at height %d, want %d", got, want)
	}
}

// mineHistory makes btcd mine 510 blocks and returns them. Most have
// transactions from btcd's memory pool.
func mineHistory(t *testing.T, btcd *harness.Node, wallet *chaingen.Wallet) *chaingen.Chain {
	t.Helper()
	chain := chaingen.New(wallet, chaingen.Options{Seed: 1, Spends: 4})
	mine := func(n int) {
		btcd.Generate(n)
		for height := chain.Height() + 1; height <= btcd.Height(); height++ {
			chain.Add(btcd.Block(btcd.HashAt(height)))
		}
	}
	mine(110)
	for range 50 {
		for _, tx := range chain.Spends() {
			btcd.SendTx(tx)
		}
		mine(8)
	}

	spends, inputs := 0, 0
	for _, block := range chain.Blocks(1) {
		for _, tx := range block.Transactions[1:] {
			spends++
			inputs += len(tx.TxIn)
		}
	}
	if chain.Height() < 500 || spends < 100 || inputs < 150 {
		t.Fatalf("btcd has %d blocks with %d spends of %d inputs: too little to mean anything",
			chain.Height(), spends, inputs)
	}
	return chain
}

func awaitAll(t *testing.T, from *harness.Node, all []*harness.Node) {
	t.Helper()
	tip := from.BestHash()
	for _, n := range all {
		n.Await(tip, harness.Patience)
	}
}

// TestFollowsAReorgOfScriptedPeers is the same without btcd. The peers announce
// branches by headers, each longer than the one before.
func TestFollowsAReorgOfScriptedPeers(t *testing.T) {
	t.Parallel()
	chain := newChain(140)
	a, addrA := listen(t, regtest("a", chain, script.Behaviour{SendHeaders: true}))
	b, addrB := listen(t, regtest("b", chain, script.Behaviour{SendHeaders: true}))
	us := start(t, harness.Options{Connect: []string{addrA, addrB}})
	us.Await(chain.Tip(), harness.Patience)

	for i, p := range []*script.Peer{a, b, a} {
		chain = chain.Fork(chain.Height()-20, uint64(i+1)).Mine(21)
		p.Switch(script.Blocks(chain.Blocks(0)))
		us.Await(chain.Tip(), harness.Patience)
	}
}

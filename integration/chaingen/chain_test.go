package chaingen

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// newEngine is btcd's full validation on an empty regtest chain.
func newEngine(t *testing.T) *blockchain.BlockChain {
	t.Helper()
	return engineOf(t, &chaincfg.RegressionNetParams)
}

func engineOf(t *testing.T, params *chaincfg.Params) *blockchain.BlockChain {
	t.Helper()
	db, err := database.Create("ffldb", t.TempDir(), params.Net)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	engine, err := blockchain.New(&blockchain.Config{
		DB: db, ChainParams: params, TimeSource: blockchain.NewMedianTime(),
		SigCache: txscript.NewSigCache(1000), HashCache: txscript.NewHashCache(1000),
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func process(t *testing.T, engine *blockchain.BlockChain, blocks []*wire.MsgBlock) {
	t.Helper()
	for _, block := range blocks {
		if _, orphan, err := engine.ProcessBlock(btcutil.NewBlock(block), blockchain.BFNone); err != nil || orphan {
			t.Fatalf("block %v: orphan %v, %v", block.BlockHash(), orphan, err)
		}
	}
}

func TestValidBySomebodyElsesRules(t *testing.T) {
	w := NewWallet("rules")
	c := New(w, Options{Seed: 1, Start: time.Unix(1_700_000_000, 0), Spends: 3}).Mine(200)
	engine := newEngine(t)
	process(t, engine, c.Blocks(1))

	plain, witness := 0, 0
	for _, block := range c.Blocks(1) {
		for _, tx := range block.Transactions[1:] {
			for _, in := range tx.TxIn {
				if len(in.Witness) > 0 {
					witness++
				} else {
					plain++
				}
			}
		}
	}
	if plain < 100 || witness < 50 {
		t.Errorf("%d inputs of P2PKH and %d of P2WPKH: too few to mean anything", plain, witness)
	}

	branch := c.Fork(180, 1).Mine(21)
	process(t, engine, branch.Blocks(181))
	if got := engine.BestSnapshot().Hash; got != branch.Tip() {
		t.Errorf("the longer branch is not the best chain: %v, want %v", got, branch.Tip())
	}

	bad := branch.Invalid()
	if err := engine.CheckConnectBlockTemplate(btcutil.NewBlock(bad)); err == nil {
		t.Error("the invalid block is valid")
	}
}

func TestSixBlocksASecondAreValid(t *testing.T) {
	o := Options{Seed: 1, Start: time.Unix(1_700_000_000, 0), PerSecond: 6}
	c := New(NewWallet("six"), o).Mine(11 + 60)
	process(t, newEngine(t), c.Blocks(1))
	if took := c.Block(71).Header.Timestamp.Sub(c.Block(11).Header.Timestamp); took != 10*time.Second {
		t.Errorf("60 blocks took %v", took)
	}
}

// TestLowerHeightWithMoreWork makes two branches of simnet after its second
// retarget. One has few blocks of the full difficulty, the other more blocks
// that come late. The engine confirms the difficulties.
func TestLowerHeightWithMoreWork(t *testing.T) {
	p := &chaincfg.SimNetParams
	o := Options{Seed: 1, Params: p, Start: time.Unix(1_700_000_000, 0), PerSecond: 6}
	fork := New(NewWallet("work"), o).Mine(4_050)
	high := fork.Fork(fork.Height(), 1).MineSlow(10)
	low := fork.Fork(fork.Height(), 2).Mine(5)
	if low.WorkAfter(fork.Height()).Cmp(high.WorkAfter(fork.Height())) <= 0 {
		t.Fatalf("five blocks have no more work than ten slow ones: %v, %v",
			low.WorkAfter(fork.Height()), high.WorkAfter(fork.Height()))
	}
	engine := engineOf(t, p)
	process(t, engine, high.Blocks(1))
	if got := engine.BestSnapshot().Hash; got != high.Tip() {
		t.Fatalf("the tip is %v", got)
	}
	process(t, engine, low.Blocks(fork.Height()+1))
	if got := engine.BestSnapshot(); got.Hash != low.Tip() || got.Height != fork.Height()+5 {
		t.Errorf("the tip is %v at %d, not the one with more work at %d", got.Hash, got.Height, fork.Height()+5)
	}
	process(t, engine, low.MineSlow(1).Mine(4_032-2_016).Blocks(fork.Height()+6)) // across a retarget
}

// TestSplitCoinsAreSpentInTheNextBlock: coins of either kind. What spends a coin
// of P2WPKH has a witness, and its own output is of that kind too.
func TestSplitCoinsAreSpentInTheNextBlock(t *testing.T) {
	w := NewWallet("split")
	c := New(w, Options{Seed: 1, Start: time.Unix(1_700_000_000, 0)}).Mine(110)
	fan, coins := w.Split(c.Ripe()[0], 50, 10_000)
	fan2, witness := w.SplitWitness(c.Ripe()[1], 50, 10_000)
	c.MineWith([]*wire.MsgTx{fan, fan2})
	var spends []*wire.MsgTx
	for i, coin := range append(coins, witness...) {
		spend, next := w.Split(coin, 1, 1_000)
		again, _ := w.Split(next[0], 1, 1_000)
		spends = append(spends, spend, again)
		if has := again.HasWitness(); has != (i >= len(coins)) {
			t.Errorf("coin %d: witness %v", i, has)
		}
	}
	c.MineWith(spends)
	process(t, newEngine(t), c.Blocks(1))
}

func TestSameSeedSameChain(t *testing.T) {
	tip := func(seed uint64) chainhash.Hash {
		o := Options{Seed: seed, Start: time.Unix(1_700_000_000, 0), Spends: 2}
		return New(NewWallet("seed"), o).Mine(120).Tip()
	}
	if tip(1) != tip(1) {
		t.Error("the same seed gave two chains")
	}
	if tip(1) == tip(2) {
		t.Error("two seeds gave the same chain")
	}
}

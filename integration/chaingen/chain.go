package chaingen

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Options of a chain.
type Options struct {
	Seed uint64
	// Params are those of a network whose blocks a processor can mine: regtest, or
	// simnet, which has testnet3's rules with an easy limit. Nil: regtest.
	Params *chaincfg.Params
	// Start is the time of block 1. Each block comes a second after the one
	// before. btcd serves a chain only if its tip is less than a day old.
	Start time.Time
	// PerSecond is how many blocks share a timestamp, from block 12 on. At most 6
	// are valid, because a block must be later than the median of the last eleven.
	// Zero: 1.
	PerSecond int
	// Spends is how many transactions a block has at most, beside the coinbase.
	// Each spends up to three coins to up to four outputs.
	Spends int
}

// Chain is a chain from the genesis block on, with the coins that its blocks
// pay to the wallet. It is not safe for concurrent use.
type Chain struct {
	Wallet *Wallet
	opts   Options
	blocks []*wire.MsgBlock // by height, the genesis block included
	coins  []Coin           // unspent, the oldest first
	rng    *rand.Rand
	branch uint64 // makes the coinbases of two branches differ
}

// New begins a chain.
func New(w *Wallet, o Options) *Chain {
	if o.Params == nil {
		o.Params = &chaincfg.RegressionNetParams
	}
	return &Chain{
		Wallet: w,
		opts:   o,
		blocks: []*wire.MsgBlock{o.Params.GenesisBlock},
		rng:    rand.New(rand.NewPCG(o.Seed, 0)),
	}
}

// From continues a chain of a node. blocks are its blocks from height 1 on.
func From(w *Wallet, o Options, blocks []*wire.MsgBlock) *Chain {
	c := New(w, o)
	for _, block := range blocks {
		c.Add(block)
	}
	return c
}

// Fork returns a chain that shares the blocks up to the height with this one
// and makes other blocks above. Two branches make different blocks.
func (c *Chain) Fork(height int32, branch uint64) *Chain {
	f := From(c.Wallet, c.opts, c.blocks[1:height+1])
	f.branch = branch
	f.rng = rand.New(rand.NewPCG(c.opts.Seed, branch))
	return f
}

// Height is that of the tip.
func (c *Chain) Height() int32 { return int32(len(c.blocks)) - 1 }

// Tip is the hash of the tip.
func (c *Chain) Tip() chainhash.Hash { return c.blocks[c.Height()].BlockHash() }

// Block returns the block at a height. It must not be changed.
func (c *Chain) Block(height int32) *wire.MsgBlock { return c.blocks[height] }

// Blocks returns the blocks from a height on. They must not be changed.
func (c *Chain) Blocks(from int32) []*wire.MsgBlock { return c.blocks[from:] }

// Mine adds n blocks with the spends of the options, and returns c.
func (c *Chain) Mine(n int) *Chain {
	for range n {
		c.MineWith(c.Spends())
	}
	return c
}

// MineWith adds one block with the given transactions.
func (c *Chain) MineWith(txs []*wire.MsgTx) *wire.MsgBlock {
	block := c.next(txs, 0, c.stamp())
	c.Add(block)
	return block
}

// Invalid returns a block on the tip whose coinbase pays a satoshi too much.
// Its header is valid. The block is not added to the chain.
func (c *Chain) Invalid() *wire.MsgBlock { return c.next(nil, 1, c.stamp()) }

// next makes a block on the tip.
func (c *Chain) next(txs []*wire.MsgTx, excess int64, stamp time.Time) *wire.MsgBlock {
	height := c.Height() + 1
	all := []*btcutil.Tx{btcutil.NewTx(c.coinbase(height, excess))}
	witness := false
	for _, tx := range txs {
		all = append(all, btcutil.NewTx(tx))
		witness = witness || tx.HasWitness()
	}
	if witness {
		mining.AddWitnessCommitment(all[0], all)
		all[0] = btcutil.NewTx(all[0].MsgTx()) // its hash has changed
	}

	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version:    0x20000000,
		PrevBlock:  c.Tip(),
		MerkleRoot: blockchain.CalcMerkleRoot(all, false),
		Timestamp:  stamp,
		Bits:       c.bits(stamp),
	})
	for _, tx := range all {
		must(block.AddTransaction(tx.MsgTx()))
	}
	solve(&block.Header)
	return block
}

// stamp is the time of the next block.
func (c *Chain) stamp() time.Time {
	stamp := c.tip().Timestamp
	if c.Height() < 11 || c.together() >= max(c.opts.PerSecond, 1) {
		stamp = stamp.Add(time.Second)
	}
	if stamp.Before(c.opts.Start) {
		stamp = c.opts.Start.Truncate(time.Second)
	}
	return stamp
}

func (c *Chain) tip() *wire.BlockHeader { return &c.blocks[c.Height()].Header }

// together counts the blocks at the tip that have its timestamp.
func (c *Chain) together() (n int) {
	for h := c.Height(); h >= 0 && c.blocks[h].Header.Timestamp.Equal(c.tip().Timestamp); h-- {
		n++
	}
	return n
}

// solve finds the nonce. At the lowest difficulty every second nonce will do.
func solve(h *wire.BlockHeader) {
	for target := blockchain.CompactToBig(h.Bits); ; h.Nonce++ {
		hash := h.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return
		}
	}
}

// coinbase pays the subsidy. It leaves the fees unclaimed.
func (c *Chain) coinbase(height int32, excess int64) *wire.MsgTx {
	script, err := txscript.NewScriptBuilder().
		AddInt64(int64(height)). // BIP34
		AddInt64(int64(c.branch)).
		AddData([]byte("acyclic")).
		Script()
	must(err)
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	tx.AddTxOut(wire.NewTxOut(blockchain.CalcBlockSubsidy(height, c.opts.Params)+excess, c.Wallet.p2pkh))
	return tx
}

// Spends makes the transactions of the next block. They spend the oldest ripe
// coins.
func (c *Chain) Spends() (txs []*wire.MsgTx) {
	const fee = 2_000
	if c.opts.Spends == 0 {
		return nil
	}
	ripe := c.Ripe()
	for range c.opts.Spends {
		inputs := 1 + c.rng.IntN(3)
		if inputs > len(ripe) {
			break
		}
		if tx := c.Wallet.Spend(ripe[:inputs], 1+c.rng.IntN(4), fee); tx != nil {
			txs = append(txs, tx)
		}
		ripe = ripe[inputs:]
	}
	return txs
}

// Ripe returns the coins that the next block may spend, the oldest first.
func (c *Chain) Ripe() (ripe []Coin) {
	for _, coin := range c.coins {
		if !coin.Coinbase || c.Height()+1-coin.Height >= int32(c.opts.Params.CoinbaseMaturity) {
			ripe = append(ripe, coin)
		}
	}
	return ripe
}

// Add puts a block on the tip.
func (c *Chain) Add(block *wire.MsgBlock) {
	if tip := c.Tip(); block.Header.PrevBlock != tip {
		panic(fmt.Sprintf("chaingen: %v is no child of %v", block.BlockHash(), tip))
	}
	c.blocks = append(c.blocks, block)
	spent := map[wire.OutPoint]bool{}
	for i, tx := range block.Transactions {
		for _, in := range tx.TxIn {
			spent[in.PreviousOutPoint] = true
		}
		hash := tx.TxHash()
		for n, out := range tx.TxOut {
			if c.Wallet.Owns(out.PkScript) {
				c.coins = append(c.coins, Coin{*wire.NewOutPoint(&hash, uint32(n)), *out, c.Height(), i == 0})
			}
		}
	}
	if len(block.Transactions) == 1 {
		return // a coinbase spends nothing
	}
	kept := c.coins[:0]
	for _, coin := range c.coins {
		if !spent[coin.OutPoint] {
			kept = append(kept, coin)
		}
	}
	c.coins = kept
}

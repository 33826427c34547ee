package storm

import (
	"context"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/script"
	"acyclic/integration/wait"
)

// Base describes a chain to begin with.
type Base struct {
	// Params are the network's: regtest or simnet. Nil: regtest.
	Params    *chaincfg.Params
	Blocks    int
	PerSecond int // blocks to a timestamp second; zero: 1
	// Coins is how many coins the first ripe coinbases are split into, for the
	// wallet. Half of them are P2WPKH.
	Coins int
	// Spends is how many transactions each block has.
	Spends int
}

// coinsPerSplit is how many coins a block makes, in two transactions.
const coinsPerSplit = 1000

// Network returns the parameters.
func (b Base) Network() *chaincfg.Params {
	if b.Params == nil {
		return &chaincfg.RegressionNetParams
	}
	return b.Params
}

// chain makes the chain. Its first block is twelve hours old. That is recent
// enough for btcd to call itself current, and leaves room for the timestamps of
// the longest storm.
func (b Base) chain(seed uint64) (c *chaingen.Chain, coins []chaingen.Coin) {
	w := chaingen.NewWallet("stormlab")
	c = chaingen.New(w, chaingen.Options{
		Seed: seed, Params: b.Network(), Start: time.Now().Add(-12 * time.Hour), PerSecond: b.PerSecond, Spends: b.Spends,
	})
	splits := (b.Coins + coinsPerSplit - 1) / coinsPerSplit
	c.Mine(b.Blocks - splits)
	for range splits {
		tx, plain := w.Split(c.Ripe()[0], coinsPerSplit/2, 50_000)
		tx2, witness := w.SplitWitness(c.Ripe()[1], coinsPerSplit/2, 50_000)
		c.MineWith([]*wire.MsgTx{tx, tx2})
		coins = append(append(coins, plain...), witness...)
	}
	return c, coins
}

// Feed is the honest peer. It owns the chain that the node should have.
type Feed struct {
	Coins []chaingen.Coin // of Base.Coins

	addr string
	peer *script.Peer

	mu     sync.Mutex
	chain  *chaingen.Chain
	high   *chaingen.Chain // between High and Low; nil: at other times
	branch uint64
}

// NewFeed makes the chain. It connects to the node only in Run.
func NewFeed(addr string, b Base, seed uint64) *Feed {
	chain, coins := b.chain(seed)
	return &Feed{
		Coins: coins, addr: addr, chain: chain,
		peer: script.New(script.Config{
			Net: b.Network().Net, Chain: script.Blocks(chain.Blocks(0)), Name: "feed",
			Behaviour: script.Behaviour{SendHeaders: true},
		}),
	}
}

// Run keeps the feed connected until ctx ends, then closes it.
func (f *Feed) Run(ctx context.Context) {
	defer f.peer.Close()
	for {
		if f.peer.Stats().Open == 0 {
			f.peer.Dial(f.addr) // retried after a failure
		}
		if !wait.Sleep(ctx, time.Second) {
			return
		}
	}
}

// Height is the height of the offered tip.
func (f *Feed) Height() int32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.high != nil {
		return f.high.Height()
	}
	return f.chain.Height()
}

// Served is the chain as scripted peers serve it.
func (f *Feed) Served() *script.Chain {
	f.mu.Lock()
	defer f.mu.Unlock()
	return script.Blocks(f.chain.Blocks(0))
}

// Extend mines n blocks on the tip, offers them and returns them.
func (f *Feed) Extend(n int) []*wire.MsgBlock {
	f.mu.Lock()
	height := f.chain.Height()
	f.chain.Mine(n)
	blocks := f.chain.Blocks(height + 1)
	served := script.Blocks(f.chain.Blocks(0))
	f.mu.Unlock()

	f.peer.Switch(served)
	return blocks
}

// extendWith mines a block of the transactions on the tip. It gives the block to
// note and offers it.
func (f *Feed) extendWith(txs []*wire.MsgTx, note func(*wire.MsgBlock, int32)) {
	f.mu.Lock()
	block := f.chain.MineWith(txs)
	note(block, f.chain.Height())
	served := script.Blocks(f.chain.Blocks(0))
	f.mu.Unlock()

	f.peer.Switch(served)
}

// Branch leaves the chain depth blocks below its tip and mines n others there.
// n must be more than depth. It offers the new chain and returns it.
func (f *Feed) Branch(depth, n int) *script.Chain {
	f.mu.Lock()
	f.branch++
	f.chain = f.chain.Fork(f.chain.Height()-int32(depth), f.branch).Mine(n)
	served := script.Blocks(f.chain.Blocks(0))
	f.mu.Unlock()

	f.peer.Switch(served)
	return served
}

// High offers a branch of n blocks on the tip. They come late and so have the
// lowest difficulty. It needs a network with testnet3's rules. The feed does
// not continue this branch: see Low.
func (f *Feed) High(n int) *script.Chain {
	f.mu.Lock()
	f.branch++
	f.high = f.chain.Fork(f.chain.Height(), f.branch).MineSlow(n)
	served := script.Blocks(f.high.Blocks(0))
	f.mu.Unlock()

	f.peer.Switch(served)
	return served
}

// Low mines on the tip until the chain has more work than the branch of High,
// and offers it. lower is true if that took fewer blocks than High.
func (f *Feed) Low() (served *script.Chain, blocks int, lower bool) {
	f.mu.Lock()
	fork := f.chain.Height()
	for work := f.high.WorkAfter(fork); f.chain.WorkAfter(fork).Cmp(work) <= 0; {
		f.chain.Mine(1)
	}
	blocks, lower = int(f.chain.Height()-fork), f.chain.Height() < f.high.Height()
	f.high = nil
	served = script.Blocks(f.chain.Blocks(0))
	f.mu.Unlock()

	f.peer.Switch(served)
	return served, blocks, lower
}

// heartbeat is how often the chain grows in a storm that makes no blocks.
const heartbeat = 2 * time.Second

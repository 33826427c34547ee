package storm

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Pool is the storm at the limits of the pool and of the relay.
var Pool = Storm{
	Name: "pool",
	About: "Ten honest payers at a pool of 5 MB, which cheap bulky transactions fill, so that its lowest fee rate rises; " +
		"chains at the limit of descendants and beyond it; replacements that evict 100 transactions; orphans without " +
		"parents; invalid signatures; eight peers announce what they never deliver, among it what honest peers announce " +
		"after them; ten flood inv, eight connect and leave.",
	Args:   []string{"--maxmempool=5"},
	Base:   Base{Blocks: 160, Coins: 9_000},
	Honest: true,
	Run:    runPool,
}

// Fee rates, in satoshi per virtual byte. Each kind pays more than those before,
// so the pool drops the cheap ones first, and never what the payers send. The
// kept ones of the payers pay ten times as much again.
const (
	cheapest, dearest = 1, 30 // of the fillers
	chainRate         = 50
	victimRate        = 60
	payRate           = 200
)

const (
	plainSize = 192 // virtual bytes of one input and one output of P2PKH
	chainMost = 25  // Core's limit of a chain, and this node's
	beyond    = 3   // how many more a chain tries
	roots     = 4   // of a replacement: each with a chain of chainMost
)

// purses divides the coins.
type purses struct{ pay, fill, chain, replace, announce, forge []chaingen.Coin }

// divide mixes the coins, so that each purse has both kinds.
func divide(coins []chaingen.Coin, rng *rand.Rand) (p purses) {
	coins = slices.Clone(coins)
	rng.Shuffle(len(coins), func(i, j int) { coins[i], coins[j] = coins[j], coins[i] })
	percent := len(coins) / 100
	take := func(share int) (some []chaingen.Coin) {
		n := percent * share
		some, coins = coins[:n:n], coins[n:]
		return some
	}
	p.pay, p.fill, p.chain, p.replace, p.announce = take(10), take(40), take(10), take(15), take(15)
	p.forge = take(10)
	return p
}

func runPool(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	p := divide(r.Feed.Coins, r.rng(0))
	w := chaingen.NewWallet("stormlab")
	crew.add(1, func(*rand.Rand) { r.Beat(ctx) })
	crew.floods(ctx, 10)
	crew.churn(ctx, 8, 5*time.Millisecond)
	crew.payers(ctx, 10, p.pay, payRate*plainSize, time.Second)
	crew.fillers(ctx, 6, w, p.fill)
	crew.chains(ctx, 4, w, p.chain)
	crew.replacers(ctx, 3, w, p.replace)
	crew.orphans(ctx, 4, w, p.forge)
	crew.forgers(ctx, 4, w, p.forge)
	crew.announcers(ctx, w, p.announce)
	crew.Wait()
}

// each has n workers send what more makes of their own part of the coins, until
// it makes nothing more.
func (c *crew) each(ctx context.Context, n int, name string, coins []chaingen.Coin, pause time.Duration, more func(*coinBox, *rand.Rand) []wire.Message) {
	for i := range n {
		box := &coinBox{coins: coins[i*len(coins)/n : (i+1)*len(coins)/n]}
		c.stays(ctx, name, nil, func(conn *p2p.Conn, rng *rand.Rand) {
			for wait.Sleep(ctx, pause) {
				msgs := more(box, rng)
				if conn.Send(msgs...) != nil {
					return
				}
				c.r.Load.Txs.Add(int64(len(msgs)))
			}
		})
	}
}

// coinBox hands out coins, each once.
type coinBox struct{ coins []chaingen.Coin }

// take returns n coins, or nil if there are not so many.
func (b *coinBox) take(n int) (some []chaingen.Coin) {
	if len(b.coins) < n {
		return nil
	}
	some, b.coins = b.coins[:n], b.coins[n:]
	return some
}

// fillers send bulky transactions at low fee rates: about 1.4 kB each.
func (c *crew) fillers(ctx context.Context, n int, w *chaingen.Wallet, coins []chaingen.Coin) {
	const outputs, size = 36, 1_400
	c.each(ctx, n, "filler", coins, 100*time.Millisecond, func(box *coinBox, rng *rand.Rand) (msgs []wire.Message) {
		for _, coin := range box.take(1) {
			rate := int64(cheapest + rng.IntN(dearest-cheapest+1))
			tx, _ := w.Split(coin, outputs, rate*size)
			msgs = append(msgs, c.r.Ledger.enter(tx, allowed).tx)
		}
		return msgs
	})
}

// chains send chains as long as allowed, and some more links, which the node must
// not relay.
func (c *crew) chains(ctx context.Context, n int, w *chaingen.Wallet, coins []chaingen.Coin) {
	c.each(ctx, n, "chain", coins, 4*time.Second, func(box *coinBox, _ *rand.Rand) (msgs []wire.Message) {
		for _, coin := range box.take(1) {
			for i, tx := range chain(w, coin, chainMost+beyond, chainRate) {
				if i < chainMost {
					c.r.Ledger.enter(tx, allowed)
				}
				msgs = append(msgs, tx)
			}
		}
		return msgs
	})
}

func chain(w *chaingen.Wallet, coin chaingen.Coin, n int, rate int64) (txs []*wire.MsgTx) {
	for range n {
		tx, next := w.Split(coin, 1, rate*plainSize)
		txs, coin = append(txs, tx), next[0]
	}
	return txs
}

// replacers send chains from some coins, then a transaction that spends the same
// coins and one more, and so replaces too many, then one that replaces 100.
func (c *crew) replacers(ctx context.Context, n int, w *chaingen.Wallet, coins []chaingen.Coin) {
	c.each(ctx, n, "replacer", coins, 5*time.Second, func(box *coinBox, _ *rand.Rand) (msgs []wire.Message) {
		some := box.take(roots + 1)
		if some == nil {
			return nil
		}
		rep := replacement(w, some)
		for _, tx := range append(rep.victims, rep.tooMany) {
			msgs = append(msgs, c.r.Ledger.enter(tx, allowed).tx)
		}
		return append(msgs, c.r.Ledger.enter(rep.most, kept).tx)
	})
}

// replaced are the transactions of one turn of a replacer. If the node has lost
// some of the victims, it may take tooMany; it must take most in any case.
type replaced struct {
	victims       []*wire.MsgTx
	tooMany, most *wire.MsgTx
}

// replacement makes chains of roots+1 coins and what replaces them.
func replacement(w *chaingen.Wallet, coins []chaingen.Coin) (rep replaced) {
	const fees = (roots + 1) * chainMost * victimRate * plainSize // of the victims
	for _, coin := range coins {
		rep.victims = append(rep.victims, chain(w, coin, chainMost, victimRate)...)
	}
	rep.tooMany, rep.most = w.Spend(coins, 1, 2*fees), w.Spend(coins[:roots], 1, 4*fees)
	return rep
}

// orphans send transactions whose parents nobody has.
func (c *crew) orphans(ctx context.Context, n int, w *chaingen.Wallet, coins []chaingen.Coin) {
	c.each(ctx, n, "orphan", coins, 100*time.Millisecond, func(box *coinBox, rng *rand.Rand) (msgs []wire.Message) {
		coin := box.coins[0]
		coin.OutPoint = wire.OutPoint{Hash: nonsense(rng, 1).InvList[0].Hash}
		tx, _ := w.Split(coin, 1, payRate*plainSize)
		return []wire.Message{tx}
	})
}

// forgers send transactions whose signature does not fit.
func (c *crew) forgers(ctx context.Context, n int, w *chaingen.Wallet, coins []chaingen.Coin) {
	c.each(ctx, n, "forger", coins, 100*time.Millisecond, func(box *coinBox, rng *rand.Rand) []wire.Message {
		tx, _ := w.Split(box.coins[rng.IntN(len(box.coins))], 1, payRate*plainSize)
		return []wire.Message{forged(tx, rng)}
	})
}

// forged returns a copy that pays less than what was signed. The copy of a
// transaction with a witness has another witness instead: so it has the same
// txid.
func forged(tx *wire.MsgTx, rng *rand.Rand) *wire.MsgTx {
	tx = tx.Copy()
	if !tx.HasWitness() {
		tx.TxOut[0].Value -= 1 + rng.Int64N(1_000)
		return tx
	}
	sig := tx.TxIn[0].Witness[0]
	sig[len(sig)-2] ^= 1 // the last byte but that of the hash type
	return tx
}

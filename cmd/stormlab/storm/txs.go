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

// Txs is the storm of transactions.
var Txs = Storm{
	Name: "txs",
	About: "60 peers send valid transactions, each its own, 20 a second each, 20 peers flood inv, eight connect and " +
		"leave without pause; blocks confirm the transactions after six seconds, but for some, which only relay can bring " +
		"to the three honest listeners. All sizes are the defaults.",
	Base:   Base{Blocks: 160, Coins: 9_000},
	Honest: true,
	Run:    runTxs,
}

const (
	txPeers   = 60
	txFee     = 1_000 // satoshi; five times btcd's minimum to relay
	txPerSend = 5
	txPause   = 250 * time.Millisecond
	keepEvery = 120 // one in so many is kept: ten a second of all peers
	// mostOpen bounds what a payer has sent and no listener knows to be confirmed.
	mostOpen = 250
	// longestChain is below Core's and this node's limit of 25 unconfirmed
	// ancestors.
	longestChain = 20
)

func runTxs(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	crew.add(1, func(*rand.Rand) { r.Beat(ctx) })
	crew.floods(ctx, 20)
	crew.churn(ctx, 8, 5*time.Millisecond)
	crew.payers(ctx, txPeers, r.Feed.Coins, txFee, txPause)
	crew.Wait()
}

// payers has n peers send valid transactions, each from its own coins. They
// answer a node that asks for one, because it may have had no room for it. Two
// thirds of the coins are for transactions that are mined.
func (c *crew) payers(ctx context.Context, n int, coins []chaingen.Coin, fee int64, pause time.Duration) {
	wallet := chaingen.NewWallet("stormlab")
	for i := range n {
		p := &payer{ledger: c.r.Ledger, fee: fee, turn: i * keepEvery / n, purse: purse{wallet: wallet}}
		for j := i; j < len(coins); j += n {
			if j < len(coins)*2/3 {
				p.purse.coins = append(p.purse.coins, coins[j])
			} else {
				p.spare = append(p.spare, coins[j])
			}
		}
		p.purse.chain = make([]int, len(p.purse.coins))
		hear := func(conn *p2p.Conn) { serve(conn, c.r.Ledger.find) }
		c.stays(ctx, "payer", hear, func(conn *p2p.Conn, _ *rand.Rand) {
			c.r.Ledger.await(ctx)
			for msgs := p.again(); ; msgs = p.next(txPerSend) {
				if conn.Send(msgs...) != nil {
					return
				}
				c.r.Load.Txs.Add(int64(len(msgs)))
				if !wait.Sleep(ctx, pause) {
					return
				}
			}
		})
	}
}

// payer makes the transactions of one peer.
type payer struct {
	ledger *Ledger
	fee    int64
	turn   int
	purse  purse
	spare  []chaingen.Coin // for transactions that are kept
	open   []*entry        // sent, and not yet known everywhere
	spent  map[*entry]int  // by which coin of the purse
}

// next makes up to n more transactions.
func (p *payer) next(n int) (msgs []wire.Message) {
	p.forget()
	for range n {
		e := p.make()
		if e == nil {
			break
		}
		p.open = append(p.open, e)
		msgs = append(msgs, e.tx)
	}
	return msgs
}

// again returns what may have been lost with the last connection.
func (p *payer) again() (msgs []wire.Message) {
	p.forget()
	p.ledger.mu.Lock()
	defer p.ledger.mu.Unlock()
	for _, e := range p.open {
		if e.tx != nil {
			msgs = append(msgs, e.tx)
		}
	}
	return msgs
}

func (p *payer) make() *entry {
	if p.turn++; p.turn%keepEvery == 0 && len(p.spare) > 0 {
		tx, _ := p.purse.wallet.Split(p.spare[0], 1, keptFactor*p.fee)
		p.spare = p.spare[1:]
		return p.ledger.enter(tx, kept)
	}
	if len(p.open) >= mostOpen {
		return nil
	}
	tx, coin := p.purse.spend(p.fee)
	if tx == nil {
		return nil
	}
	e := p.ledger.enter(tx, mined)
	if p.spent == nil {
		p.spent = map[*entry]int{}
	}
	p.spent[e] = coin
	return e
}

// forget drops what is known everywhere. A coin whose transactions are confirmed
// may be spent on.
func (p *payer) forget() {
	p.open = p.ledger.waiting(p.open)
	for e, coin := range p.spent {
		if !slices.Contains(p.open, e) {
			p.purse.chain[coin]--
			delete(p.spent, e)
		}
	}
}

// purse spends its coins in turn, each to its own wallet. So there is always one
// more transaction, until the fees have eaten the coins, or until too many are
// unconfirmed.
type purse struct {
	wallet *chaingen.Wallet
	coins  []chaingen.Coin
	chain  []int // how many unconfirmed transactions lead to each coin
	next   int
}

// spend makes a transaction. It returns nil if the next coin cannot be spent now.
func (p *purse) spend(fee int64) (tx *wire.MsgTx, coin int) {
	coin = p.next % len(p.coins)
	from := &p.coins[coin]
	if from.Out.Value < 100*fee || p.chain[coin] >= longestChain {
		return nil, coin
	}
	p.next++
	p.chain[coin]++
	tx, change := p.wallet.Split(*from, 1, fee)
	*from = change[0]
	return tx, coin
}

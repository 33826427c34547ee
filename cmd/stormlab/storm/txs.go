package storm

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/p2p"
	"acyclic/integration/wait"
)

// Txs is the storm of transactions.
var Txs = Storm{
	Name: "txs",
	About: "60 peers send valid transactions, each its own, 20 peers flood inv, eight connect and leave without " +
		"pause; all sizes are the defaults.",
	Base: Base{Blocks: 160, Coins: 6_000}, // coins for every peer
	Run:  runTxs,
}

const (
	txPeers   = 60
	txFee     = 1_000 // satoshi; five times btcd's minimum to relay
	txPerSend = 5
	txPause   = 25 * time.Millisecond // 200 transactions a second and peer at most
)

func runTxs(ctx context.Context, r *Rig) {
	crew := crew{r: r}
	wallet := chaingen.NewWallet("stormlab")
	share := len(r.Feed.Coins) / txPeers
	for i := range txPeers {
		purse := purse{wallet: wallet, coins: r.Feed.Coins[i*share : (i+1)*share]}
		crew.connected(ctx, 1, 100*time.Millisecond, "payer", func(conn *p2p.Conn, _ *rand.Rand) {
			for wait.Sleep(ctx, txPause) {
				txs := make([]wire.Message, 0, txPerSend)
				for range txPerSend {
					if tx := purse.spend(); tx != nil {
						txs = append(txs, tx)
					}
				}
				if conn.Send(txs...) != nil {
					return
				}
				r.Load.Txs.Add(int64(len(txs)))
			}
		})
	}
	crew.floods(ctx, 20)
	crew.churn(ctx, 8, 5*time.Millisecond)
	crew.add(1, func(*rand.Rand) { r.Feed.Beat(ctx) })
	crew.Wait()
}

// purse spends its coins in turn, each to its own wallet. So there is always
// one more transaction, until the fees have eaten the coins.
type purse struct {
	wallet *chaingen.Wallet
	coins  []chaingen.Coin
	next   int
}

func (p *purse) spend() *wire.MsgTx {
	coin := &p.coins[p.next%len(p.coins)]
	p.next++
	if coin.Out.Value < 100*txFee {
		return nil
	}
	tx, change := p.wallet.Split(*coin, 1, txFee)
	*coin = change[0]
	return tx
}

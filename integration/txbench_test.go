package integration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/p2p"
)

// txFare is a chain whose last block made many coins, and a transaction for each coin.
type txFare struct {
	chain *chaingen.Chain
	txs   []*wire.MsgTx
}

// newTxFare signs 3,000 transactions of one input each, once for all benchmarks.
var newTxFare = sync.OnceValue(func() txFare {
	const splits, outputs = 3, 1000
	wallet := chaingen.NewWallet("fare")
	chain := chaingen.New(wallet, chaingen.Options{Start: time.Now().Add(-time.Hour)}).Mine(100 + splits)
	var fares []*wire.MsgTx
	var coins []chaingen.Coin
	for _, coin := range chain.Ripe()[:splits] {
		tx, outs := wallet.Split(coin, outputs, 100*fee)
		fares, coins = append(fares, tx), append(coins, outs...)
	}
	chain.MineWith(fares)
	f := txFare{chain: chain}
	for i := range coins {
		// Each pays more than the one before, so the newest is announced first.
		f.txs = append(f.txs, wallet.Spend(coins[i:i+1], 1, fee+int64(i)))
	}
	return f
})

// both runs a measurement at this node and at btcd, one after the other, b.N times. It
// reports the means and the ratio.
func both(b *testing.B, unit string, measure func(b *testing.B, program string) float64) {
	var ours, theirs float64
	for b.Loop() {
		ours += measure(b, "acyclicd")
		theirs += measure(b, "btcd")
	}
	n := float64(b.N)
	b.ReportMetric(ours/n, unit+"/acyclicd")
	b.ReportMetric(theirs/n, unit+"/btcd")
	b.ReportMetric(ours/theirs, "acyclicd/btcd")
}

// withFare starts a node that has the chain.
func withFare(b *testing.B, program string) (*harness.Node, txFare) {
	b.Helper()
	f := newTxFare()
	n := harness.Start(b, program, harness.Options{Args: []string{"--maxpeers=200"}})
	for _, block := range f.chain.Blocks(1) {
		n.SubmitBlock(block)
	}
	return n, f
}

// connect opens connections that live until the node stops. What the node says is read and
// dropped.
func connect(b *testing.B, n *harness.Node, peers int) []*p2p.Conn {
	b.Helper()
	var conns []*p2p.Conn
	for i := range peers {
		c, err := p2p.Node{Addr: n.P2P, Net: wire.TestNet}.Dial(b.Context(), fmt.Sprint("peer", i))
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, c)
	}
	return conns
}

// deliver sends the transactions, an equal share by each connection, and waits until the
// node's pool has them all. What the node asks for is sent once more: it may have had no
// room.
func deliver(b *testing.B, n *harness.Node, conns []*p2p.Conn, txs []*wire.MsgTx) {
	b.Helper()
	byHash := map[chainhash.Hash]*wire.MsgTx{}
	for _, tx := range txs {
		byHash[tx.TxHash()] = tx
	}
	for share := range slices.Chunk(txs, (len(txs)+len(conns)-1)/len(conns)) {
		c := conns[0]
		conns = conns[1:]
		go c.Serve(func(hash chainhash.Hash) *wire.MsgTx { return byHash[hash] })
		go func() {
			for _, tx := range share {
				if c.Send(tx) != nil {
					return
				}
			}
		}()
	}
	awaitPool(b, n, len(txs))
}

func awaitPool(b *testing.B, n *harness.Node, want int) {
	b.Helper()
	harness.Eventually(b, 5*time.Minute, "the pool is full", func() (bool, string) {
		var info struct {
			Size int `json:"size"`
		}
		n.Call(&info, "getmempoolinfo")
		return info.Size == want, fmt.Sprintf("%d of %d transactions", info.Size, want)
	})
}

// BenchmarkTxAccept is how many transactions a second a node accepts from one peer and from
// eight.
//
//	go test ./integration -run xxx -bench Tx -benchtime 1x
func BenchmarkTxAccept(b *testing.B) {
	for _, peers := range []int{1, 8} {
		b.Run(fmt.Sprintf("peers=%d", peers), func(b *testing.B) {
			both(b, "tx/s", func(b *testing.B, program string) float64 {
				n, f := withFare(b, program)
				defer n.Stop()
				conns := connect(b, n, peers)
				begin := time.Now()
				deliver(b, n, conns, f.txs)
				return float64(len(f.txs)) / time.Since(begin).Seconds()
			})
		})
	}
}

// BenchmarkTxBlock is how long a node takes to connect a block of 3,000 transactions that
// are in its pool.
func BenchmarkTxBlock(b *testing.B) {
	both(b, "ms", func(b *testing.B, program string) float64 {
		n, f := withFare(b, program)
		defer n.Stop()
		deliver(b, n, connect(b, n, 1), f.txs)
		block := f.chain.Fork(f.chain.Height(), 1).MineWith(f.txs)
		begin := time.Now()
		n.SubmitBlock(block)
		return float64(time.Since(begin).Microseconds()) / 1000
	})
}

// BenchmarkTxDelay is how old the youngest transaction in an inv is: the time between its
// delivery by one peer and its announcement to another one, without the time for which
// announcements are held back on purpose. It is the least over all invs of a run.
func BenchmarkTxDelay(b *testing.B) {
	both(b, "ms", func(b *testing.B, program string) float64 {
		n, f := withFare(b, program)
		defer n.Stop()
		conns := connect(b, n, 2)
		ctx, stop := context.WithCancel(b.Context())
		defer stop()
		var mu sync.Mutex
		sent := map[chainhash.Hash]time.Time{}
		go conns[0].Drain()
		go func() {
			pace := time.NewTicker(5 * time.Millisecond) // 200 transactions a second
			defer pace.Stop()
			for _, tx := range f.txs {
				mu.Lock()
				sent[tx.TxHash()] = time.Now()
				mu.Unlock()
				if conns[0].Send(tx) != nil {
					return
				}
				select {
				case <-pace.C:
				case <-ctx.Done():
					return
				}
			}
		}()
		least := time.Hour
		for invs := 0; invs < 2; { // btcd's come every ten seconds, and what is sent lasts for fifteen
			command, payload, err := conns[1].Receive()
			if err != nil {
				b.Fatal(err)
			}
			now := time.Now()
			if command != wire.CmdInv {
				continue
			}
			msg, err := p2p.Decode(payload, &wire.MsgInv{})
			if err != nil {
				b.Fatal(err)
			}
			invs++
			mu.Lock()
			for _, v := range msg.InvList {
				if at, ok := sent[v.Hash]; ok {
					least = min(least, now.Sub(at))
				}
			}
			mu.Unlock()
		}
		return float64(least.Microseconds()) / 1000
	})
}

// BenchmarkTxInvs is the memory of a node, resident at most, to which 100 peers announce the
// same 100,000 transactions and deliver none.
func BenchmarkTxInvs(b *testing.B) {
	both(b, "MiB", func(b *testing.B, program string) float64 {
		n, _ := withFare(b, program)
		defer n.Stop()
		conns := connect(b, n, 100)
		var all sync.WaitGroup
		for _, c := range conns {
			go c.Drain()
			all.Go(func() {
				const each = wire.MaxInvPerMsg
				for first := range 2 {
					msg := wire.NewMsgInvSizeHint(each)
					for i := range each {
						h := chainhash.HashH(fmt.Append(nil, first*each+i))
						_ = msg.AddInvVect(wire.NewInvVect(wire.InvTypeTx, &h)) // it has room
					}
					if c.Send(msg) != nil {
						return
					}
				}
			})
		}
		all.Wait()
		for _, c := range connect(b, n, 1) { // its handshake comes after what was sent before
			if err := c.Ping(); err != nil {
				b.Fatal(err)
			}
		}
		return float64(n.PeakRSS()) / (1 << 20)
	})
}

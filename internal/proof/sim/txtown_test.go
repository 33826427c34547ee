package sim_test

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

// traders adds nodes with wallets. All have the same chain and connect to each other. Two of
// them find blocks at the same time now and then, so there are forks with transactions on
// both branches. The last one takes no transaction that pays little.
func traders(c *town, n int, engine fake.EngineConfig, idle func() bool) *market {
	blocks := chainOf(60, 1)
	each := len(blocks) / n
	k := &market{town: c, idle: idle, byName: map[chainhash.Hash]*wire.MsgTx{}}
	for i := range n {
		has := belongings{engine: engine, blocks: blocks, market: k, pays: 4 * time.Second, coins: blocks[i*each : (i+1)*each]}
		if i < 2 {
			has.mine = fake.MinerConfig{Every: 40 * time.Second, Count: 4, Size: 400, Txs: true}
		}
		c.add(has)
	}
	for i, x := range c.nodes {
		x.store.Rules.MinFee, x.store.Rules.MaxTxs = cheapFee, 10_000
		if i == n-1 {
			x.store.Rules.MinFee = dearFee
		}
	}
	c.race(c.nodes[:2])
	return k
}

// raceEvery is how often nodes find a block at the same time, until it is calm.
const raceEvery = 15 * time.Second

// race lets some nodes find a block at the same time.
func (c *town) race(nodes []*resident) {
	meddle, next := c.meddle, c.Now.Add(raceEvery)
	c.meddle = func() {
		meddle()
		if c.calm || c.Now.Before(next) {
			return
		}
		next = c.Now.Add(raceEvery)
		for _, n := range nodes {
			n.miner.More(n.clock(c.Now))
			n.Wake(n.Sys.Lookup(minerID))
		}
	}
}

// trades has what wallets wish for: all have what any has, if it was told everywhere, then a
// last payment of each reaches all, and no request is open. In between a block decides which
// branch is the best.
func trades(c *town, toldAll bool) {
	var last error
	c.why = func() error { return last }
	is := func(done func() error) func() bool {
		var next time.Time // a look reads all pools and blocks
		return func() bool {
			if c.Now.Before(next) {
				return false
			}
			next = c.Now.Add(10 * time.Second)
			last = done()
			return last == nil
		}
	}
	c.wishes = append(c.wishes, wish{"a block decides between branches", 5 * time.Minute, c.news()})
	if toldAll {
		c.wishes = append(c.wishes, wish{"what pays enough is in all pools", 40 * time.Minute, is(c.everywhere)})
	}
	c.wishes = append(c.wishes, wish{"the last payments reach all", 20 * time.Minute, once(func() {
		for _, n := range c.up() {
			n.wallet.finish()
		}
	}, is(c.reached))}, wish{"relay waits for no transaction", 40 * time.Minute, is(func() error {
		for _, n := range c.up() {
			if err := n.quiet(); err != nil {
				return err
			}
		}
		return nil
	})})
}

// Wallets pay at their own nodes, while blocks and forks come. In every other world there is
// no network when they begin. What they have paid then is announced again when there is one.
// They pause while the nodes find each other: who is not there hears of nothing. Every third
// world has tiny bounds, so relay lags behind the pool.
var relays = scenario{
	name: "TestTransactionsReachAll", seeds: 6, net: smoothNet, size: 4,
	bounds: bounds{rough: 8 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		begin := c.Now
		if c.seed%2 == 1 {
			c.cutOff(2 * time.Minute)
		}
		if c.seed%3 == 2 {
			c.bounds = lagging
		}
		traders(c, 4, quick, func() bool {
			since := c.Now.Sub(begin)
			return since < 6*time.Minute && (c.outage.IsZero() || since > 100*time.Second)
		})
		trades(c, true)
	},
}

func TestTransactionsReachAll(t *testing.T) { try(t, &relays) }

// lagging has room for one event of the pool at a time, one question at the readers, and few
// transactions in flight.
func lagging(s *node.Settings) {
	l := &s.Limits
	l.TxEvents, l.Relay.MaxReads, l.Relay.Txs.MaxInFlight, l.Windows.RelayTxs = 1, 1, 2, 1
}

// The same on a rough network, while components die. What a node has heard of just before its
// relay dies, or a line breaks, it may not tell. But what is paid in calm reaches all.
var relayDeaths = scenario{
	name: "TestL11TransactionsThoughComponentsDie", seeds: 3, net: roughNet, size: 4,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.deadly = 300 + c.rng.IntN(900)
		traders(c, 4, quick, func() bool { return false })
		trades(c, false)
	},
}

func TestL11TransactionsThoughComponentsDie(t *testing.T) { try(t, &relayDeaths) }

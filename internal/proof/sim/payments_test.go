package sim_test

import (
	"fmt"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

// payers adds nodes with payers, whose miners make blocks of the pool. The pools are small, so
// that they evict, and let things expire. Both branches of a fork have transactions.
func payers(c *town, n int, engine fake.EngineConfig, with func(i int, has *belongings)) {
	rich := chainOf(60, 1)
	settlers(c, n, engine, func(i int, has *belongings) {
		has.pays, has.coins = 700*time.Millisecond, rich
		if i < 2 {
			has.mine = fake.MinerConfig{Every: 20 * time.Second, Count: 8, Size: 400, Txs: true}
		}
		if with != nil {
			with(i, has)
		}
	})
	for _, n := range c.nodes {
		n.store.Rules.MaxTxs, n.store.Rules.MaxOrphans, n.store.Rules.Expiry = 60, 10, time.Minute
		n.store.Rules.MinFee = 2000
	}
	var last error
	c.wishes = append(c.wishes, wish{"payers, subscribers and oracles agree on the pools", 10 * time.Minute, func() bool {
		for _, n := range c.up() {
			if last = n.payer.settled(); last != nil {
				last = fmt.Errorf("%s: %w", n.Name, last)
				return false
			}
		}
		return true
	}})
	c.why = func() error { return last }
}

// Three nodes offer transactions to their own chains all the time, while blocks and forks come
// over a rough network. Every third world has tiny bounds, so that subscribers lag behind.
var payments = scenario{
	name: "TestPoolsFollowTheirChains", seeds: 5, net: roughNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		if c.seed%3 == 2 {
			c.bounds = tinyBounds(c.rng)
		}
		payers(c, 3, quick, nil)
	},
}

func TestPoolsFollowTheirChains(t *testing.T) { try(t, &payments) }

// The same while components die. A question to a chain that dies may have been carried out.
var payDeaths = scenario{
	name: "TestL11PoolsThoughComponentsDie", seeds: 4, net: roughNet, size: 3,
	bounds: bounds{rough: 5 * time.Minute, agree: 10 * time.Minute, news: time.Minute},
	build: func(c *town) {
		c.deadly = 300 + c.rng.IntN(900)
		payers(c, 3, quick, nil)
	},
}

func TestL11PoolsThoughComponentsDie(t *testing.T) { try(t, &payDeaths) }

// The engine of one node is slow, that of another hangs longer than chain's patience, and the
// database of a third fails.
var payEngines = scenario{
	name: "TestPoolsThoughEnginesFail", seeds: 3, net: smoothNet, size: 4,
	bounds: bounds{rough: 15 * time.Minute, agree: time.Hour, news: time.Minute},
	build: func(c *town) {
		payers(c, 4, quick, func(i int, has *belongings) {
			has.pays = time.Second
			switch i {
			case 1:
				has.engine = fake.EngineConfig{MaxApply: time.Second, MaxRead: 30 * time.Second}
			case 2:
				has.engine = fake.EngineConfig{MaxApply: 100 * time.Millisecond, MaxRead: time.Second, HangChance: 10, HangFor: 11 * time.Minute}
			case 3:
				has.engine.FatalAt = 1 + c.rng.Uint64N(2000)
			}
		})
	},
}

func TestPoolsThoughEnginesFail(t *testing.T) { try(t, &payEngines) }

// The worlds above are worth something: all that can happen to a transaction happens in one
// of a few of them.
func TestPaymentsMeetEverything(t *testing.T) {
	reasons, codes, lagged, unsures := map[chain.Removal]int{}, map[chain.TxCode]int{}, 0, 0
	for _, w := range []struct {
		in   *scenario
		seed uint64
	}{{&payments, 1}, {&payments, 2}, {&payments, 3}, {&payEngines, 1}} {
		c, err := w.in.run(w.seed, nil)
		if err != nil {
			t.Fatalf("%s, seed %d: %v", w.in.name, w.seed, err)
		}
		for _, n := range c.nodes {
			for why, times := range n.payer.reasons {
				reasons[why] += times
			}
			for code, times := range n.payer.codes {
				codes[code] += times
			}
			lagged += n.payer.lagged
			for _, d := range n.payer.deltas {
				if d.state == unsure {
					unsures++
				}
			}
		}
	}
	for why := chain.RemovedConfirmed; why <= chain.RemovedReorg; why++ {
		if reasons[why] == 0 {
			t.Errorf("nothing was removed for %v: %v", why, reasons)
		}
	}
	for _, code := range []chain.TxCode{chain.TxOK, chain.TxKnown, chain.TxOrphan, chain.TxPolicy, chain.TxFatal} {
		if codes[code] == 0 {
			t.Errorf("no verdict was %v: %v", code, codes)
		}
	}
	if lagged == 0 || unsures == 0 {
		t.Errorf("%d times a subscriber has lagged, %d priorities were refused", lagged, unsures)
	}
	t.Log(reasons, codes, lagged, unsures)
}

// atOnce is how many questions of a kind the worker may have beside one that comes.
func (f *frail) atOnce(in actor.Input) {
	switch in.Body.(type) {
	case chain.ApplyTx, chain.FindTxOut, chain.ApplyPriority, chain.WritePool:
		if n := f.Queued(in.Body); n > 0 {
			f.town.accuse(fmt.Errorf("the worker has %d of %T, and is asked another: a block may come", n, in.Body))
		}
	}
}

// widened gives chain more than one slot for transactions.
func widened(plan *cell.Plan) {
	for i := range plan.Cells {
		for j := range plan.Cells[i].Ports {
			if p := &plan.Cells[i].Ports[j]; plan.Cells[i].ID == node.Chain && p.Name == "chain.apply-tx" {
				p.Window = payerWindow
			}
		}
	}
}

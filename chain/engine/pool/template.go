package pool

import (
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"

	"acyclic/chain"
)

// What is left for the coinbase in a new block, and how many packages in a row may not
// fit before a nearly full block is good enough. As in Bitcoin Core.
const (
	coinbaseWeight = 4000
	coinbaseSigOps = 400
	maxBlockWeight = blockchain.MaxBlockWeight - coinbaseWeight
	maxMisses      = 1000
)

// assembler chooses transactions for a new block: again and again the one that pays
// most with its ancestors, and these before it.
type assembler struct {
	pool   *Pool
	height int32
	median time.Time
	at     map[*entry]int // the place of those that are chosen
	state  map[*entry]*candidate
	heap   ranking[candidate] // the first to be chosen
	weight int64
	sigOps int64
	misses int
	chosen []chain.TemplateTx
}

// candidate is a transaction with those of its ancestors that are not chosen yet.
type candidate struct {
	e    *entry
	up   sums
	rate float64
	pos  int // in the heap; -1: not in it
}

func worthMore(a, b *candidate) bool {
	if a.rate != b.rate {
		return a.rate > b.rate
	}
	return a.e.seq < b.e.seq
}

// rank is the fee rate by which a transaction is chosen: alone or with its
// ancestors, whichever is lower.
func (c *candidate) rank() { c.rate = min(c.up.rate(), c.e.alone().rate()) }

// Template chooses the transactions for a block of a height, after blocks with a
// median time. Only the worker calls it.
func (p *Pool) Template(height int32, median time.Time) []chain.TemplateTx {
	a := &assembler{
		pool: p, height: height, median: median,
		at: map[*entry]int{}, state: make(map[*entry]*candidate, len(p.index.byTxID)),
		heap:   ranking[candidate]{less: worthMore, at: func(c *candidate) *int { return &c.pos }},
		weight: coinbaseWeight, sigOps: coinbaseSigOps,
	}
	for _, e := range p.index.order {
		if !e.gone.Load() {
			c := &candidate{e: e, up: e.up}
			c.rank()
			a.state[e] = c
			a.heap.add(c)
		}
	}
	for c := a.heap.first(); c != nil; c = a.heap.first() {
		a.heap.remove(c)
		if _, chosen := a.at[c.e]; chosen {
			continue
		}
		if c.up.fees < feeAt(p.cfg.MinRelayFee, c.up.size) {
			break // all others pay less
		}
		if !a.try(c) {
			if a.misses++; a.misses > maxMisses && a.weight > maxBlockWeight-coinbaseWeight {
				break
			}
		}
	}
	return a.chosen
}

// try chooses a transaction with its ancestors if there is room for all of them.
func (a *assembler) try(c *candidate) bool {
	var pack []*entry
	weight, sigOps := a.weight, a.sigOps
	for _, e := range a.pool.reach([]*entry{c.e}, up) {
		if _, chosen := a.at[e]; !chosen {
			pack = append(pack, e)
			weight += e.weight
			sigOps += int64(e.sigOps)
			if !blockchain.IsFinalizedTransaction(btcutil.NewTx(e.tx), a.height, a.median) {
				return false
			}
		}
	}
	if weight >= maxBlockWeight || sigOps >= blockchain.MaxBlockSigOpsCost {
		return false
	}
	a.misses, a.weight, a.sigOps = 0, weight, sigOps
	for _, e := range inOrder(pack) {
		a.choose(e)
	}
	return true
}

// choose puts a transaction into the block. Its descendants need it no more.
func (a *assembler) choose(e *entry) {
	tx := chain.TemplateTx{Tx: e.tx, ID: e.ID, Fee: e.Fee, SigOps: int64(e.sigOps), Weight: e.weight}
	for _, p := range e.parents {
		tx.Depends = append(tx.Depends, a.at[p])
	}
	a.at[e] = len(a.chosen)
	a.chosen = append(a.chosen, tx)
	for _, d := range a.pool.reach(e.children, down) {
		c := a.state[d]
		c.up.sub(e.alone())
		c.rank()
		if c.pos >= 0 {
			a.heap.fix(c)
		}
	}
}

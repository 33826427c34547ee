package pool

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// conflicts returns the transactions of the pool that spend what one spends, each
// once.
func (p *Pool) conflicts(tx *wire.MsgTx) (list []*entry) {
	for _, in := range tx.TxIn {
		if c := p.index.spends[in.PreviousOutPoint]; c != nil && !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}

// checkRelatives says whether a transaction would have too many relatives in the
// pool, or spends from one that it conflicts with.
func (p *Pool) checkRelatives(e *entry, conflicts []*entry) *refusal {
	parents := p.index.parentsOf(e.tx)
	ancestors := p.reach(parents, up)
	limit := relatives25
	if len(conflicts) == 1 { // which makes room
		limit.down.count++
		limit.down.size += conflicts[0].down.size
	}
	r := limit.check(e, ancestors)
	if r != nil && e.VSize <= carveOutSize {
		// Two parties can share a transaction, and one of them fill its limit. The
		// other one may still add a child to it.
		limit.up.count = 2
		limit.down.count++
		limit.down.size += carveOutSize
		if limit.check(e, ancestors) == nil {
			r = nil
		}
	}
	if r != nil {
		return r
	}
	for _, a := range ancestors {
		if slices.Contains(conflicts, a) {
			return refuse(chain.TxInvalid, "bad-txns-spends-conflicting-tx", "it spends from %v, with which it conflicts", a.ID.TxID)
		}
	}
	return nil
}

// limits are what a transaction may have at most with its ancestors and with its
// descendants.
type limits struct{ up, down sums }

var relatives25 = limits{
	up:   sums{count: maxRelatives, size: maxRelativesSize},
	down: sums{count: maxRelatives, size: maxRelativesSize},
}

func (l limits) check(e *entry, ancestors []*entry) *refusal {
	const reason = "too-long-mempool-chain"
	size := e.VSize
	for _, a := range ancestors {
		size += a.VSize
		if a.down.count+1 > l.down.count {
			return refuse(chain.TxPolicy, reason, "too many descendants for tx %v [limit: %d]", a.ID.TxID, l.down.count)
		}
		if a.down.size+e.VSize > l.down.size {
			return refuse(chain.TxPolicy, reason, "exceeds descendant size limit for tx %v [limit: %d]", a.ID.TxID, l.down.size)
		}
	}
	if len(ancestors)+1 > l.up.count {
		return refuse(chain.TxPolicy, reason, "too many unconfirmed ancestors [limit: %d]", l.up.count)
	}
	if size > l.up.size {
		return refuse(chain.TxPolicy, reason, "exceeds ancestor size limit [limit: %d]", l.up.size)
	}
	return nil
}

// checkReplacement says whether a transaction may take the place of others, after
// BIP125 and as Bitcoin Core does it: whether they signal does not matter. It costs
// the sender more each time, so the pool cannot be churned for nothing.
func (p *Pool) checkReplacement(e *entry, conflicts []*entry) *refusal {
	if len(conflicts) == 0 {
		return nil
	}
	const tooCheap = "insufficient fee"
	mine := e.alone()
	count := 0
	known := map[chainhash.Hash]bool{} // what may be spent of the pool
	for _, c := range conflicts {
		if mine.rate() <= c.alone().rate() {
			return refuse(chain.TxPolicy, tooCheap, "it pays %.3f sat/vB, no more than the %.3f of %v, which it would replace", mine.rate(), c.alone().rate(), c.ID.TxID)
		}
		count += c.down.count
		for _, in := range c.tx.TxIn {
			known[in.PreviousOutPoint.Hash] = true
		}
	}
	if count > maxReplaced {
		return refuse(chain.TxPolicy, "too many potential replacements", "it would replace %d transactions; %d at most", count, maxReplaced)
	}
	for _, in := range e.tx.TxIn {
		out := in.PreviousOutPoint
		if !known[out.Hash] && p.index.byTxID[out.Hash] != nil {
			return refuse(chain.TxPolicy, "replacement-adds-unconfirmed", "it spends %v, which those that it would replace do not", out)
		}
	}
	replaced := int64(0)
	for _, c := range p.reach(conflicts, down) {
		replaced += c.modified()
	}
	if more := feeAt(incrementalFee, e.VSize); mine.fees < replaced+more {
		return refuse(chain.TxPolicy, tooCheap, "it pays %d; those that it would replace pay %d, and its own way costs %d", mine.fees, replaced, more)
	}
	return nil
}

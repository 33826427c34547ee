package pool

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What readers may call, from any goroutine. They hold the mutex for a few entries at
// a time.

// look returns all entries as they are now, parents first. Those that go meanwhile
// are marked.
func (p *Pool) look() (order []*entry, sequence uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.index.order, p.sequence
}

// List answers GetPool.
func (p *Pool) List() chain.Pool {
	order, sequence := p.look()
	a := chain.Pool{Txs: make([]chain.PoolTx, 0, len(order)), Sequence: sequence}
	for _, e := range order {
		if !e.gone.Load() {
			a.Txs = append(a.Txs, e.name())
		}
	}
	return a
}

// Tx answers GetPoolTx.
func (p *Pool) Tx(q chain.GetPoolTx) chain.PooledTx {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.index.byTxID[q.TxID]
	if e == nil {
		return chain.PooledTx{}
	}
	return chain.PooledTx{PoolTx: e.name(), Tx: e.tx}
}

// Several answers GetPoolTxs.
func (p *Pool) Several(q chain.GetPoolTxs) chain.PooledTxs {
	a := chain.PooledTxs{Txs: make([]*wire.MsgTx, len(q.TxIDs))}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, txid := range q.TxIDs {
		if e := p.index.byTxID[txid]; e != nil {
			a.Txs[i] = e.tx
		}
	}
	return a
}

// Info answers GetPoolInfo, but for what others know.
func (p *Pool) Info() chain.PoolInfo {
	now := p.cfg.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	total := p.index.total
	return chain.PoolInfo{
		Txs: len(p.index.byTxID), VBytes: total.size, Usage: total.usage, MaxUsage: p.cfg.MaxBytes, Fees: total.fees,
		MinFee:      max(p.cfg.MinRelayFee, p.fee.after(now, total.usage, p.cfg.MaxBytes).least()),
		MinRelayFee: p.cfg.MinRelayFee,
		Orphans:     p.waiting,
		Sequence:    p.sequence,
	}
}

// Entries answers GetPoolEntries.
func (p *Pool) Entries(q chain.GetPoolEntries) chain.PoolEntries {
	if q.Which == chain.AllEntries {
		return p.allEntries()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	a := chain.PoolEntries{Sequence: p.sequence}
	e := p.index.byTxID[q.TxID]
	if e == nil {
		return a
	}
	a.Known = true
	list := []*entry{e}
	switch q.Which {
	case chain.AncestorEntries:
		list = inOrder(relatives(e, up))
	case chain.DescendantEntries:
		list = inOrder(relatives(e, down))
	}
	for _, e := range list {
		a.Entries = append(a.Entries, e.describe())
	}
	return a
}

// allEntries describes all entries, a chunk at a time.
func (p *Pool) allEntries() chain.PoolEntries {
	order, sequence := p.look()
	a := chain.PoolEntries{Known: true, Entries: make([]chain.PoolEntry, 0, len(order)), Sequence: sequence}
	for len(order) > 0 {
		n := min(len(order), chunk)
		p.locked(func() {
			for _, e := range order[:n] {
				if !e.gone.Load() {
					a.Entries = append(a.Entries, e.describe())
				}
			}
		})
		order = order[n:]
	}
	return a
}

// describe says all about an entry. The caller holds the mutex.
func (e *entry) describe() chain.PoolEntry {
	d := chain.PoolEntry{
		PoolTx: e.name(), Tx: e.tx, Weight: e.weight, Height: e.height, Modified: e.modified(),
		AncestorFees: e.up.fees, AncestorCount: e.up.count, AncestorSize: e.up.size,
		DescendantFees: e.down.fees, DescendantCount: e.down.count, DescendantSize: e.down.size,
		Depends: names(e.parents), SpentBy: names(e.children),
		Replaceable: e.signals,
	}
	if !d.Replaceable && len(e.parents) > 0 {
		for _, a := range relatives(e, up) {
			d.Replaceable = d.Replaceable || a.signals
		}
	}
	return d
}

func names(list []*entry) []chainhash.Hash {
	hashes := make([]chainhash.Hash, 0, len(list))
	for _, e := range list {
		hashes = append(hashes, e.ID.TxID)
	}
	return hashes
}

// Spenders answers GetSpenders, a chunk at a time.
func (p *Pool) Spenders(q chain.GetSpenders) chain.Spenders {
	a := chain.Spenders{TxIDs: make([]chainhash.Hash, 0, len(q.Outs))}
	for outs := range slices.Chunk(q.Outs, chunk) {
		p.locked(func() {
			for _, out := range outs {
				var by chainhash.Hash
				if e := p.index.spends[out]; e != nil {
					by = e.ID.TxID
				}
				a.TxIDs = append(a.TxIDs, by)
			}
		})
	}
	return a
}

package fake

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What the readers answer about the pool.

func (s *Store) poolNames() chain.Pool {
	a := chain.Pool{Sequence: s.pool.sequence}
	for _, t := range s.pool.txs {
		a.Txs = append(a.Txs, t.PoolTx)
	}
	return a
}

func (s *Store) poolTx(q chain.GetPoolTx) chain.PooledTx {
	for _, t := range s.pool.txs {
		if t.ID.TxID == q.TxID {
			return chain.PooledTx{PoolTx: t.PoolTx, Tx: t.tx}
		}
	}
	return chain.PooledTx{}
}

func (s *Store) poolTxs(q chain.GetPoolTxs) chain.PooledTxs {
	a := chain.PooledTxs{Txs: make([]*wire.MsgTx, len(q.TxIDs))}
	for i, txid := range q.TxIDs {
		a.Txs[i] = s.poolTx(chain.GetPoolTx{TxID: txid}).Tx
	}
	return a
}

func (s *Store) poolInfo() chain.PoolInfo {
	a := chain.PoolInfo{
		Loaded: true, Txs: len(s.pool.txs), MinFee: s.Rules.MinFee, MinRelayFee: s.Rules.MinFee,
		Orphans: len(s.pool.orphans), Sequence: s.pool.sequence,
	}
	for _, t := range s.pool.txs {
		a.VBytes, a.Fees = a.VBytes+t.VSize, a.Fees+t.Fee
	}
	return a
}

func (s *Store) poolEntries(q chain.GetPoolEntries) chain.PoolEntries {
	p := &s.pool
	a := chain.PoolEntries{Known: q.Which == chain.AllEntries || p.find(q.TxID) != nil, Sequence: p.sequence}
	list := p.txs
	switch q.Which {
	case chain.OneEntry:
		list = slices.DeleteFunc(slices.Clone(list), func(t pooled) bool { return t.ID.TxID != q.TxID })
	case chain.AncestorEntries:
		list = without(p.ancestors(q.TxID), q.TxID)
	case chain.DescendantEntries:
		list = without(p.family(q.TxID), q.TxID)
	}
	for _, t := range list {
		a.Entries = append(a.Entries, p.entry(t))
	}
	return a
}

func without(list []pooled, txid chainhash.Hash) []pooled {
	return slices.DeleteFunc(list, func(t pooled) bool { return t.ID.TxID == txid })
}

// ancestors lists a transaction and all that it descends from, parents first.
func (p *pool) ancestors(txid chainhash.Hash) (list []pooled) {
	names := []chainhash.Hash{txid}
	for _, t := range slices.Backward(p.txs) {
		if slices.Contains(names, t.ID.TxID) {
			list = append(list, t)
			for _, in := range t.tx.TxIn {
				names = add(names, in.PreviousOutPoint.Hash)
			}
		}
	}
	slices.Reverse(list)
	return list
}

func (p *pool) entry(t pooled) chain.PoolEntry {
	up, down := p.ancestors(t.ID.TxID), p.family(t.ID.TxID)
	e := chain.PoolEntry{
		PoolTx: t.PoolTx, Tx: t.tx, Weight: weightOf(t.tx), Height: t.height, Modified: p.fee(t),
		AncestorCount: len(up), DescendantCount: len(down), Replaceable: true,
	}
	e.AncestorFees, e.AncestorSize = p.sums(up)
	e.DescendantFees, e.DescendantSize = p.sums(down)
	for _, other := range up {
		if childOf(t.tx, []chainhash.Hash{other.ID.TxID}) {
			e.Depends = append(e.Depends, other.ID.TxID)
		}
	}
	for _, other := range down {
		if childOf(other.tx, []chainhash.Hash{t.ID.TxID}) {
			e.SpentBy = append(e.SpentBy, other.ID.TxID)
		}
	}
	return e
}

func (s *Store) spenders(q chain.GetSpenders) (a chain.Spenders) {
	for _, at := range q.Outs {
		var by chainhash.Hash
		if t := s.pool.spender(at); t != nil {
			by = t.ID.TxID
		}
		a.TxIDs = append(a.TxIDs, by)
	}
	return a
}

// maxTemplate is how many transactions a template has at most.
const maxTemplate = 100

// templateTxs picks, again and again, what pays best of what has its parents in the block.
func (s *Store) templateTxs() (list []chain.TemplateTx) {
	p := &s.pool
	left := slices.Clone(p.txs)
	index := map[chainhash.Hash]int{}
	for len(list) < maxTemplate && len(left) > 0 {
		best := -1
		for i, t := range left {
			ready := !slices.ContainsFunc(left, func(other pooled) bool { return childOf(t.tx, []chainhash.Hash{other.ID.TxID}) })
			if ready && (best < 0 || p.pays([]pooled{t}, []pooled{left[best]}) > 0) {
				best = i
			}
		}
		t := left[best]
		left = slices.Delete(left, best, best+1)
		x := chain.TemplateTx{Tx: t.tx, ID: t.ID, Fee: t.Fee, Weight: weightOf(t.tx)}
		for _, in := range t.tx.TxIn {
			if i, ok := index[in.PreviousOutPoint.Hash]; ok && !slices.Contains(x.Depends, i) {
				x.Depends = append(x.Depends, i)
			}
		}
		index[t.ID.TxID] = len(list)
		list = append(list, x)
	}
	return list
}

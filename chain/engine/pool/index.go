package pool

import (
	"cmp"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// index knows the transactions of the pool and how they depend on each other. A
// parent is always added before its child. It is guarded by Pool.mu.
type index struct {
	byTxID map[chainhash.Hash]*entry
	spends map[wire.OutPoint]*entry // by the output that is spent
	// order has all entries, as they came, and some that are gone. Its elements
	// never change, so readers may look at an earlier state of it without the mutex.
	order   []*entry
	holes   int // entries in order that are gone
	seq     uint64
	byScore ranking[entry] // the first to be evicted
	byAge   ranking[entry] // the first to expire
	total   struct{ usage, size, fees int64 }
}

func newIndex() index {
	return index{
		byTxID:  map[chainhash.Hash]*entry{},
		spends:  map[wire.OutPoint]*entry{},
		byScore: ranking[entry]{less: worthLess, at: func(e *entry) *int { return &e.byScore }},
		byAge:   ranking[entry]{less: older, at: func(e *entry) *int { return &e.byAge }},
	}
}

// parentsOf returns the transactions of the pool that one spends from, each once.
func (ix *index) parentsOf(tx *wire.MsgTx) (parents []*entry) {
	for _, in := range tx.TxIn {
		if p := ix.byTxID[in.PreviousOutPoint.Hash]; p != nil && !slices.Contains(parents, p) {
			parents = append(parents, p)
		}
	}
	return parents
}

// add takes an entry in, with its parents and all its ancestors. It has no children
// yet.
func (ix *index) add(e *entry, parents, ancestors []*entry) {
	ix.seq++
	e.seq = ix.seq
	ix.byTxID[e.ID.TxID] = e
	for _, in := range e.tx.TxIn {
		ix.spends[in.PreviousOutPoint] = e
	}
	ix.order = append(ix.order, e)
	e.parents = parents
	for _, p := range parents {
		p.children = append(p.children, e)
	}
	e.up, e.down = e.alone(), e.alone()
	for _, a := range ancestors {
		e.up.add(a.alone())
		a.down.add(e.alone())
		ix.rescore(a)
	}
	e.score = e.down.rate()
	ix.byScore.add(e)
	ix.byAge.add(e)
	ix.total.usage += e.usage
	ix.total.size += e.VSize
	ix.total.fees += e.Fee
}

// remove takes an entry out, given its relatives.
func (ix *index) remove(e *entry, ancestors, descendants []*entry) {
	e.gone.Store(true)
	for _, a := range ancestors {
		a.down.sub(e.alone())
		ix.rescore(a)
	}
	for _, d := range descendants {
		d.up.sub(e.alone())
	}
	for _, p := range e.parents {
		p.children = without(p.children, e)
	}
	for _, c := range e.children {
		c.parents = without(c.parents, e)
	}
	e.parents, e.children = nil, nil
	delete(ix.byTxID, e.ID.TxID)
	for _, in := range e.tx.TxIn {
		delete(ix.spends, in.PreviousOutPoint)
	}
	ix.byScore.remove(e)
	ix.byAge.remove(e)
	ix.total.usage -= e.usage
	ix.total.size -= e.VSize
	ix.total.fees -= e.Fee
	ix.holes++
}

// without removes e from a list. It keeps the others' order.
func without(list []*entry, e *entry) []*entry {
	i := slices.Index(list, e)
	if len(list) == 1 {
		return nil
	}
	return slices.Delete(list, i, i+1)
}

// rescore brings an entry to its place in the order of eviction.
func (ix *index) rescore(e *entry) {
	e.score = max(e.down.rate(), e.alone().rate())
	ix.byScore.fix(e)
}

// prioritise adds to the fee that an entry counts with.
func (ix *index) prioritise(e *entry, delta int64) {
	e.delta += delta
	e.up.fees += delta
	e.down.fees += delta
	ix.rescore(e)
	for _, a := range relatives(e, up) {
		a.down.fees += delta
		ix.rescore(a)
	}
	for _, d := range relatives(e, down) {
		d.up.fees += delta
	}
}

func up(e *entry) []*entry   { return e.parents }
func down(e *entry) []*entry { return e.children }

// relatives returns the ancestors or descendants of an entry, in no order that means
// anything. The caller holds the mutex. The worker has a faster way.
func relatives(e *entry, next func(*entry) []*entry) (found []*entry) {
	seen := map[*entry]bool{e: true}
	for at := []*entry{e}; len(at) > 0; {
		last := at[len(at)-1]
		at = at[:len(at)-1]
		for _, r := range next(last) {
			if !seen[r] {
				seen[r] = true
				found = append(found, r)
				at = append(at, r)
			}
		}
	}
	return found
}

// reach returns the given entries and all that can be reached from them. Only the
// worker calls it.
func (p *Pool) reach(from []*entry, next func(*entry) []*entry) (found []*entry) {
	p.walk++
	visit := func(list []*entry) {
		for _, e := range list {
			if e.walked != p.walk {
				e.walked = p.walk
				found = append(found, e)
			}
		}
	}
	visit(from)
	for i := 0; i < len(found); i++ {
		visit(next(found[i]))
	}
	return found
}

// family returns entries with all their descendants, children before their parents.
func (p *Pool) family(of []*entry) []*entry {
	all := p.reach(of, down)
	slices.Reverse(inOrder(all))
	return all
}

// inOrder sorts entries, parents before their children.
func inOrder(list []*entry) []*entry {
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	return list
}

// insert puts an entry into the pool.
func (p *Pool) insert(e *entry) {
	parents := p.index.parentsOf(e.tx)
	ancestors := p.reach(parents, up)
	p.locked(func() {
		e.Ancestors = len(ancestors)
		p.index.add(e, parents, ancestors)
		p.sequence++
	})
}

// take takes an entry out of the pool. Its relatives stay.
func (p *Pool) take(e *entry) {
	ancestors, descendants := p.reach(e.parents, up), p.reach(e.children, down)
	p.locked(func() {
		p.index.remove(e, ancestors, descendants)
		p.sequence++
	})
	p.compact()
	p.cfg.HashCache.PurgeSigHashes(&e.ID.TxID)
}

// compact makes a new order without those that are gone, once they are the most. Readers
// may still look at the old one, and need not wait meanwhile.
func (p *Pool) compact() {
	ix := &p.index
	if ix.holes <= chunk || ix.holes <= len(ix.order)/2 {
		return
	}
	order := make([]*entry, 0, len(ix.order)-ix.holes)
	for _, e := range ix.order {
		if !e.gone.Load() {
			order = append(order, e)
		}
	}
	p.locked(func() { ix.order, ix.holes = order, 0 })
}

// takeFamily takes entries out of the pool with all their descendants. It returns
// their names, parents first.
func (p *Pool) takeFamily(of []*entry) (ids []chain.TxID) {
	for _, e := range p.family(of) {
		p.take(e)
		ids = append(ids, e.ID)
	}
	slices.Reverse(ids)
	return ids
}

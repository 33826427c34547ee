package pool

import (
	"maps"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// check holds the index against what follows from its transactions alone.
func check(t testing.TB, p *Pool) {
	t.Helper()
	for _, complaint := range complaints(p) {
		t.Error(complaint)
	}
}

// complaints is all that is wrong with a pool.
func complaints(p *Pool) (list []string) {
	ix := &p.index
	complain := func(is bool, what string) {
		if is {
			list = append(list, what)
		}
	}
	live := map[*entry]bool{}
	var sum struct{ usage, size, fees int64 }
	spends := map[wire.OutPoint]*entry{}
	last := uint64(0)
	for _, e := range ix.order {
		if e.gone.Load() {
			complain(ix.byTxID[e.ID.TxID] == e, "one that is gone is in the index")
			continue
		}
		live[e] = true
		complain(e.seq <= last, "the order is not the one in which they came")
		last = e.seq
		sum.usage += e.usage
		sum.size += e.VSize
		sum.fees += e.Fee
		complain(ix.byTxID[e.ID.TxID] != e, "an entry is not found by name")
		complain(e.delta != p.deltas[e.ID.TxID], "a delta is not the one that was set")
		for _, in := range e.tx.TxIn {
			complain(spends[in.PreviousOutPoint] != nil, "an output is spent twice")
			spends[in.PreviousOutPoint] = e
		}
	}
	complain(sum != ix.total, "a total is not the sum")
	complain(len(live) != len(ix.byTxID), "the map has others than the order")
	complain(len(live) != len(ix.byScore.list) || len(live) != len(ix.byAge.list), "the heaps have others than the order")
	complain(len(ix.order)-ix.holes != len(live), "the holes are not those that are gone")
	complain(ix.holes > chunk && ix.holes > len(ix.order)/2, "the most in the order are gone")
	complain(len(spends) != len(ix.spends), "outputs are spent that nobody spends")
	for out, e := range spends {
		complain(ix.spends[out] != e, "an output is spent by another")
	}
	for _, r := range []*ranking[entry]{&ix.byScore, &ix.byAge} {
		for i, e := range r.list {
			complain(!live[e] || *r.at(e) != i, "an entry does not know its place")
			complain(i > 0 && r.less(e, r.list[(i-1)/2]), "a heap is out of order")
		}
		for _, e := range r.list[len(r.list):cap(r.list)] {
			complain(e != nil, "a heap keeps one that is gone in memory")
		}
	}
	for e := range live {
		list = append(list, familyComplaints(ix, e)...)
	}
	complain(ix.total.usage > p.cfg.MaxBytes, "the pool is too large")
	return append(list, orphanComplaints(p)...)
}

// orphanComplaints is all that is wrong about the orphans.
func orphanComplaints(p *Pool) (list []string) {
	o := p.orphans
	complain := func(is bool, what string) {
		if is {
			list = append(list, what)
		}
	}
	complain(len(o.list) > maxOrphans || o.usage > maxOrphanBytes, "too many orphans")
	complain(p.waiting != len(o.list) || len(o.byWTxID) != len(o.list), "readers are told of others than wait")
	usage, spends, queued := int64(0), map[wire.OutPoint][]*orphan{}, 0
	for _, n := range o.list {
		usage += n.usage
		for _, in := range n.tx.TxIn {
			spends[in.PreviousOutPoint] = append(spends[in.PreviousOutPoint], n)
		}
		complain(o.byWTxID[n.id.WTxID] != n, "an orphan is not found by name")
		complain(n.queued != slices.Contains(o.queue, n), "an orphan does not know whether it is tried again")
		if n.queued {
			queued++
		}
	}
	complain(usage != o.usage, "the memory of orphans is not the sum")
	complain(queued != len(o.queue), "others are tried again than wait")
	complain(!maps.EqualFunc(spends, o.spends, slices.Equal), "outputs are waited for that nobody waits for")
	return list
}

// familyComplaints is all that is wrong about the relatives of an entry.
func familyComplaints(ix *index, e *entry) (list []string) {
	var parents, children []*entry
	for _, in := range e.tx.TxIn {
		if q := ix.byTxID[in.PreviousOutPoint.Hash]; q != nil && !slices.Contains(parents, q) {
			parents = append(parents, q)
		}
	}
	for i := range e.tx.TxOut {
		if c := ix.spends[wire.OutPoint{Hash: e.ID.TxID, Index: uint32(i)}]; c != nil && !slices.Contains(children, c) {
			children = append(children, c)
		}
	}
	if !same(parents, e.parents) || !same(children, e.children) {
		list = append(list, "the links are not those of the transactions")
	}
	var above, below sums
	for _, a := range append(relatives(e, up), e) {
		above.add(a.alone())
		if a != e && a.seq >= e.seq {
			list = append(list, "a parent comes after its child")
		}
	}
	for _, d := range append(relatives(e, down), e) {
		below.add(d.alone())
	}
	if above != e.up || below != e.down {
		list = append(list, "sums are not those of the relatives")
	}
	if e.score != max(e.down.rate(), e.alone().rate()) {
		list = append(list, "a score is old")
	}
	return list
}

func same(a, b []*entry) bool { return len(a) == len(b) && len(a) == len(intersect(a, b)) }

func intersect(a, b []*entry) (both []*entry) {
	for _, e := range a {
		if slices.Contains(b, e) {
			both = append(both, e)
		}
	}
	return both
}

// The check above finds what is wrong.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for what, breakIt := range map[string]func(*Pool, *entry){
		"a total":      func(p *Pool, _ *entry) { p.index.total.fees++ },
		"a sum":        func(_ *Pool, e *entry) { e.up.size++ },
		"a link":       func(_ *Pool, e *entry) { e.parents = nil },
		"a name":       func(p *Pool, e *entry) { delete(p.index.byTxID, e.ID.TxID) },
		"a spend":      func(p *Pool, e *entry) { delete(p.index.spends, e.tx.TxIn[0].PreviousOutPoint) },
		"the order":    func(p *Pool, e *entry) { e.seq = 0 },
		"the heap":     func(p *Pool, e *entry) { e.byAge++ },
		"the score":    func(p *Pool, e *entry) { e.score++ },
		"a delta":      func(p *Pool, e *entry) { p.deltas[e.ID.TxID] = 1 },
		"what is gone": func(p *Pool, e *entry) { e.gone.Store(true) },
		"the size":     func(p *Pool, e *entry) { p.cfg.MaxBytes = 1 },

		"how many orphans": func(p *Pool, _ *entry) { p.waiting++ },
		"their memory":     func(p *Pool, _ *entry) { p.orphans.usage++ },
		"their queue":      func(p *Pool, _ *entry) { p.orphans.list[0].queued = true },
		"one that is left": func(p *Pool, _ *entry) { p.orphans.queue = []*orphan{{}} },
		"its name":         func(p *Pool, _ *entry) { p.orphans.byWTxID[p.orphans.list[0].id.WTxID] = nil },
		"what it spends":   func(p *Pool, _ *entry) { clear(p.orphans.spends) },
	} {
		r := newRig(t, Config{})
		a := spend(1000, 1, r.coins(1, 100_000)...)
		b := spend(1000, 1, outputs(a)...)
		r.accept(a, b)
		r.offer(Offer{Tx: spend(1000, 1, coin{wire.OutPoint{Hash: [32]byte{1}}, 100_000}), Orphan: true})
		if c := complaints(r.pool); len(c) > 0 {
			t.Fatalf("a good pool: %q", c)
		}
		breakIt(r.pool, r.pool.index.byTxID[b.TxHash()])
		if len(complaints(r.pool)) == 0 {
			t.Errorf("%s is wrong, and nobody complains", what)
		}
	}
}

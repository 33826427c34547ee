package pool

import (
	"slices"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What readers are told of a family of three.
func TestEntries(t *testing.T) {
	r := newRig(t, Config{})
	a := spend(1000, 2, r.coins(1, 1_000_000)...)
	a.TxIn[0].Sequence = 0xfffffffd
	b := spend(2000, 1, outputs(a)[0])
	c := spend(4000, 1, outputs(b)[0], outputs(a)[1])
	r.accept(a)
	r.block() // the others come later
	r.accept(b, c)
	r.pool.Prioritise(b.TxHash(), 100)
	one := func(tx *wire.MsgTx) chain.PoolEntry {
		return r.pool.Entries(chain.GetPoolEntries{TxID: tx.TxHash()}).Entries[0]
	}
	if e := one(b); e.Fee != 2000 || e.Modified != 2100 || e.AncestorFees != 3100 || e.DescendantFees != 6100 ||
		e.AncestorCount != 2 || e.DescendantCount != 2 || !slices.Equal(e.Depends, []chainhash.Hash{a.TxHash()}) || !slices.Equal(e.SpentBy, []chainhash.Hash{c.TxHash()}) ||
		e.AncestorSize != one(a).VSize+e.VSize || e.DescendantSize != e.VSize+one(c).VSize || !e.Replaceable ||
		e.Height != r.chain.height() || one(a).Height != r.chain.height()-1 {
		t.Errorf("the middle one is %+v", e)
	}
	for which, want := range map[chain.Which][]*wire.MsgTx{
		chain.AncestorEntries: {a, b}, chain.AllEntries: {a, b, c}, chain.OneEntry: {c}, chain.DescendantEntries: nil,
	} {
		got := r.pool.Entries(chain.GetPoolEntries{TxID: c.TxHash(), Which: which})
		if !got.Known || len(got.Entries) != len(want) {
			t.Errorf("set %d has %d entries, want %d", which, len(got.Entries), len(want))
			continue
		}
		for i, tx := range want {
			if got.Entries[i].ID.TxID != tx.TxHash() {
				t.Errorf("set %d, entry %d is another", which, i)
			}
		}
	}
	if r.pool.Entries(chain.GetPoolEntries{}).Known {
		t.Error("nothing is known")
	}
	some := []wire.OutPoint{outputs(a)[1].out, outputs(c)[0].out, outputs(c)[0].out}
	spenders := r.pool.Spenders(chain.GetSpenders{Outs: slices.Repeat(some, chunk)}).TxIDs
	want := slices.Repeat([]chainhash.Hash{c.TxHash(), {}, {}}, chunk)
	if !slices.Equal(spenders, want) {
		t.Errorf("the spenders are %v", spenders)
	}
	if tx := r.pool.Tx(chain.GetPoolTx{TxID: c.TxHash()}).Tx; tx != c {
		t.Error("it is not found by its txid")
	}
	if r.pool.Tx(chain.GetPoolTx{TxID: c.WitnessHash()}).Tx != nil {
		t.Error("a wtxid is taken for a txid")
	}
}

// A transaction can be replaced if one of its ancestors says so, whichever.
func TestReplaceable(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	signals, silent := spend(1000, 2, c[0]), spend(1000, 2, c[1])
	signals.TxIn[0].Sequence = 0xfffffffd
	one, other := spend(1000, 1, outputs(signals)[0], outputs(silent)[0]), spend(1000, 1, outputs(silent)[1], outputs(signals)[1])
	r.accept(signals, silent, one, other)
	for tx, want := range map[*wire.MsgTx]bool{signals: true, silent: false, one: true, other: true} {
		if got := r.pool.Entries(chain.GetPoolEntries{TxID: tx.TxHash()}).Entries[0].Replaceable; got != want {
			t.Errorf("%s is replaceable: %v", name(tx), got)
		}
	}
}

// Who asks for an output may name one that there is not.
func TestOutput(t *testing.T) {
	r := newRig(t, Config{})
	tx := spend(1000, 2, r.coins(1, 1_000_000)...)
	r.accept(tx)
	for n, want := range []*wire.TxOut{tx.TxOut[0], tx.TxOut[1], nil, nil} {
		if got := r.pool.Output(wire.OutPoint{Hash: tx.TxHash(), Index: uint32(n)}); got != want {
			t.Errorf("output %d is %v, want %v", n, got, want)
		}
	}
	if r.pool.Output(wire.OutPoint{}) != nil {
		t.Error("an output of nothing")
	}
}

// Readers look while the worker changes the pool. The race detector looks too.
func TestReadersBesideTheWorker(t *testing.T) {
	r := newRig(t, Config{MaxBytes: 60_000})
	over := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				seen := map[chain.TxID]bool{}
				for _, e := range r.pool.Entries(chain.GetPoolEntries{Which: chain.AllEntries}).Entries {
					if seen[e.ID] {
						t.Errorf("%s is listed twice", short(e.ID.TxID))
					}
					seen[e.ID] = true
					r.pool.Entries(chain.GetPoolEntries{TxID: e.ID.TxID, Which: chain.DescendantEntries})
				}
				_, _ = r.pool.List(), r.pool.Info()
			}
		})
	}
	for i := range 60 {
		fan := spend(5000+int64(i), 3, r.coins(1, 1_000_000)...)
		r.offer(Offer{Tx: fan})
		for _, out := range outputs(fan) {
			r.offer(Offer{Tx: spend(1000, 1, out)})
		}
		r.pool.Prioritise(fan.TxHash(), 1)
		if i%5 == 0 {
			r.block(fan)
		}
		if i%20 == 19 {
			r.reorg(2, nil)
		}
	}
	close(over)
	wg.Wait()
	check(t, r.pool)
}

package pool

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// A block is filled, and not more than that.
func TestTemplateFits(t *testing.T) {
	r := newRig(t, Config{})
	for range 12 {
		r.accept(spend(400_000, 2200, r.coins(1, 100_000_000)...))
	}
	weight := int64(coinbaseWeight)
	chosen := r.pool.Template(r.chain.height()+1, r.now)
	for _, tx := range chosen {
		weight += tx.Weight
	}
	if weight >= maxBlockWeight || weight < maxBlockWeight-400_000 || len(chosen) == 12 {
		t.Errorf("%d of 12 weigh %d", len(chosen), weight)
	}
}

// put puts an entry of 1,000 virtual bytes into the pool, as if it had been judged.
func (r *rig) put(fee, weight int64, sigOps int32, parents ...*entry) *entry {
	r.chain.made++
	tx := &wire.MsgTx{LockTime: r.chain.made}
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: r.chain.made}, Sequence: wire.MaxTxInSequenceNum})
	for _, p := range parents {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: p.ID.TxID}, Sequence: wire.MaxTxInSequenceNum})
	}
	e := &entry{tx: tx, weight: weight, sigOps: sigOps}
	e.ID, e.Fee, e.VSize = chain.NameOf(tx), fee, 1000
	r.pool.insert(e)
	return e
}

// wantChosen wants a template of just these, in this order.
func (r *rig) wantChosen(why string, want ...*entry) {
	r.t.Helper()
	var got []*entry
	for _, tx := range r.pool.Template(r.chain.height()+1, r.chain.BestSnapshot().MedianTime) {
		e := r.pool.index.byTxID[tx.ID.TxID]
		if got = append(got, e); tx.SigOps != int64(e.sigOps) || tx.Weight != e.weight || tx.Fee != e.Fee || tx.Tx != e.tx {
			r.t.Errorf("%s: the template says %+v of %+v", why, tx, e)
		}
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("%s: %d are chosen, want %d", why, len(got), len(want))
	}
}

// The bounds of a block, to the unit. What does not fit leaves room for what does.
func TestTemplateFitsToTheUnit(t *testing.T) {
	for _, c := range []struct {
		why    string
		weight int64
		sigOps int32
		fits   bool
	}{
		{"as heavy as there is room", maxBlockWeight - coinbaseWeight - 51, 1, true},
		{"too heavy by one", maxBlockWeight - coinbaseWeight - 50, 1, false},
		{"as many operations as there is room", 1, blockchain.MaxBlockSigOpsCost - coinbaseSigOps - 26, true},
		{"too many by one", 1, blockchain.MaxBlockSigOpsCost - coinbaseSigOps - 25, false},
	} {
		r := newRig(t, Config{})
		best, middle, last := r.put(9000, 50, 25), r.put(8000, c.weight, c.sigOps), r.put(7000, 50, 25)
		if c.fits {
			r.wantChosen(c.why, best, middle) // there is no room for the last one
		} else {
			r.wantChosen(c.why, best, last)
		}
	}
}

// What pays just enough for relay is chosen, and what pays less is not.
func TestTemplateHasAFloor(t *testing.T) {
	r := newRig(t, Config{})
	enough, _ := r.put(DefaultMinRelayFee, 1, 1), r.put(DefaultMinRelayFee-1, 1, 1)
	r.wantChosen("a satoshi is missing", enough)
}

// A transaction whose time comes with the block after the next one is left out, and its
// child with it.
func TestTemplateIsFinal(t *testing.T) {
	r := newRig(t, Config{})
	early := r.put(9000, 1, 1)
	r.put(8000, 1, 1, early)
	ripe := r.put(7000, 1, 1)
	early.tx.LockTime, early.tx.TxIn[0].Sequence = uint32(r.chain.height()+1), 0
	ripe.tx.LockTime, ripe.tx.TxIn[0].Sequence = uint32(r.chain.height()), 0
	r.wantChosen("one is early", ripe)
}

// Of those that pay the same the older one is chosen first. What is left of a family when
// one of it is chosen counts by itself.
func TestTheOrderOfATemplate(t *testing.T) {
	r := newRig(t, Config{})
	first, second := r.put(9000, 1, 1), r.put(9000, 1, 1)
	poor := r.put(1000, 1, 1)
	child := r.put(14_000, 1, 1, first, poor) // with all three 8,000, and with the poor one 7,500
	r.wantChosen("nothing comes between", first, second, poor, child)
	other := r.put(7800, 1, 1)
	r.wantChosen("another pays more than the child and the poor one", first, second, other, poor, child)
}

// A thousand in a row that do not fit a nearly full block end the search. One that fits
// begins the count anew.
func TestTemplateGivesUp(t *testing.T) {
	r := newRig(t, Config{})
	first := r.put(90_000, maxBlockWeight-2*coinbaseWeight, 1)
	fee := int64(80_000)
	next := func(weight int64) *entry { fee--; return r.put(fee, weight, 1) }
	for range maxMisses {
		next(10_000)
	}
	small := next(10)
	for range maxMisses {
		next(10_000)
	}
	second := next(10)
	for range maxMisses + 1 {
		next(10_000)
	}
	next(10)
	r.wantChosen("the last one comes too late", first, small, second)
}

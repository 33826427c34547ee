package pool

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// A full pool evicts what pays least, and then asks for more than that. The demand
// falls with time, once a block has come.
func TestAFullPool(t *testing.T) {
	r := newRig(t, Config{MaxBytes: 100_000})
	coins := r.coins(200, 1_000_000)
	var txs []*wire.MsgTx
	full := false
	for i, c := range coins {
		tx := spend(1000+int64(i)*100, 1, c)
		txs = append(txs, tx)
		r.accept(tx)
		full = full || !r.has(txs[0])
	}
	if !full {
		t.Fatal("nothing was evicted")
	}
	check(t, r.pool)
	info := r.pool.Info()
	if info.MinFee <= DefaultMinRelayFee || info.Usage > info.MaxUsage {
		t.Errorf("a full pool: %+v", info)
	}
	poor := spend(1000, 1, r.coins(1, 1_000_000)...)
	r.refused(poor, chain.TxPolicy, "mempool min fee not met", "the pool is full")
	r.now = r.now.Add(24 * time.Hour)
	if got := r.pool.Info().MinFee; got != info.MinFee {
		t.Errorf("without a block the minimum fell to %d", got)
	}
	r.block()
	r.now = r.now.Add(12 * time.Hour)
	half := r.pool.Info().MinFee
	if half < info.MinFee/2-1 || half > info.MinFee/2+1 {
		t.Errorf("after half its life the minimum is %d, want half of %d", half, info.MinFee)
	}
	r.block(txs[100:]...)
	r.now = r.now.Add(3 * time.Hour) // nearly empty: four times as fast
	if got := r.pool.Info().MinFee; got < half/2-1 || got > half/2+1 {
		t.Errorf("the minimum of an empty pool is %d, want half of %d", got, half)
	}
	r.now = r.now.Add(1000 * time.Hour)
	if got := r.pool.Info().MinFee; got != DefaultMinRelayFee {
		t.Errorf("in the end the minimum is %d", got)
	}
}

// Of those that pay the same the younger one is evicted first.
func TestTheYoungerOfEqualsIsEvicted(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(3, 1_000_000)
	old, young, rich := spend(1000, 1, c[0]), spend(1000, 1, c[1]), spend(5000, 1, c[2])
	r.accept(old, young)
	r.pool.cfg.MaxBytes = r.pool.Info().Usage
	r.accept(rich)
	r.want("there is room for two", []*wire.MsgTx{old, rich}, young)
}

// The poorest is refused at the door of a full pool that it would not improve.
func TestMempoolFull(t *testing.T) {
	r := newRig(t, Config{})
	r.accept(spend(5000, 1, r.coins(1, 1_000_000)...))
	r.pool.cfg.MaxBytes = r.pool.Info().Usage * 3 / 2
	poor := spend(1000, 1, r.coins(1, 1_000_000)...)
	v := r.offer(Offer{Tx: poor})
	if v.Reason != "mempool full" || v.Code != chain.TxPolicy || r.has(poor) {
		t.Errorf("%+v", v)
	}
	check(t, r.pool)
}

// What comes next must pay more than what was evicted, with its children, by what a
// replacement pays more.
func TestTheMinimumRisesAboveWhatWasEvicted(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	parent := spend(200, 1, c[0])
	child, rich := spend(2000, 1, outputs(parent)...), spend(50_000, 1, c[1])
	r.accept(parent, child)
	r.pool.cfg.MaxBytes = r.pool.Info().Usage
	e := r.pool.Entries(chain.GetPoolEntries{TxID: parent.TxHash()}).Entries[0]
	r.accept(rich)
	r.want("there is room for two", []*wire.MsgTx{rich}, parent, child)
	if got, want := r.pool.Info().MinFee, (e.DescendantFees*1000+e.DescendantSize-1)/e.DescendantSize+incrementalFee; got != want {
		t.Errorf("the minimum is %d, want %d", got, want)
	}
}

// The lowest fee that is taken is rounded up to the satoshi. A priority counts.
func TestTheLowestFee(t *testing.T) {
	const rate = 1001 // a satoshi for a byte, and a little more
	r := newRig(t, Config{MinRelayFee: rate})
	c := r.coins(2, 1_000_000)
	vsize := mempool.GetTxVirtualSize(btcutil.NewTx(spend(0, 1, c[0])))
	r.refused(spend(vsize, 1, c[0]), chain.TxPolicy, "min relay fee not met", "a fraction is missing")
	r.accept(spend(vsize+1, 1, c[0]))
	poor := spend(1, 1, c[1])
	r.refused(poor, chain.TxPolicy, "min relay fee not met", "it pays nothing")
	r.pool.Prioritise(poor.TxHash(), vsize)
	r.accept(poor)
}

// A child that pays keeps its parent in the pool, and takes it into a block.
func TestAChildPaysForItsParent(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	parent, other := spend(200, 1, c[0]), spend(2000, 1, c[1])
	child := spend(100_000, 1, outputs(parent)...)
	r.accept(parent, other, child)
	if r.pool.index.byScore.first().ID.TxID != other.TxHash() {
		t.Error("the parent would be evicted first")
	}
	chosen := r.pool.Template(r.chain.height()+1, r.now)
	if len(chosen) != 3 || chosen[0].ID.TxID != parent.TxHash() || chosen[1].ID.TxID != child.TxHash() {
		t.Fatalf("chosen: %+v", chosen)
	}
	if d := chosen[1].Depends; len(d) != 1 || d[0] != 0 {
		t.Errorf("the child depends on %v", d)
	}
	r.pool.Prioritise(child.TxHash(), -99_900)
	if chosen = r.pool.Template(r.chain.height()+1, r.now); chosen[0].ID.TxID != other.TxHash() {
		t.Error("a priority has no effect")
	}
	check(t, r.pool)
}

// Priorities are bounded. Those of what is in the pool are kept, and so is the one that was
// set last.
func TestPrioritiesAreBounded(t *testing.T) {
	p := newRig(t, Config{}).pool
	name := func(n uint32) (h chainhash.Hash) {
		binary.LittleEndian.PutUint32(h[:], n)
		return h
	}
	for n := range uint32(maxDeltas) {
		p.deltas[name(n)] = 1
		if n%2 == 0 {
			p.index.byTxID[name(n)] = &entry{}
		}
	}
	for n := range uint32(100) {
		last := name(maxDeltas + n)
		if p.Prioritise(last, 7); len(p.deltas) != maxDeltas || p.deltas[last] != 7 {
			t.Fatalf("%d priorities are kept, the last one is %d", len(p.deltas), p.deltas[last])
		}
	}
	for txid := range p.index.byTxID {
		if p.deltas[txid] != 1 {
			t.Fatal("the priority of one in the pool is lost")
		}
	}
}

// The minimum of a pool that was full falls by half in twelve hours, in six if the pool is
// less than half full, and in three if it is less than a quarter full. It falls once a block
// has come, and at most every ten seconds. Below half of what a replacement pays more it is
// nothing, and above that never less than it.
func TestTheMinimumFalls(t *testing.T) {
	const most = 1000
	for _, c := range []struct {
		why    string
		rate   float64
		passed time.Duration
		usage  int64
		want   float64
		least  int64
	}{
		{"full", 8000, 12 * time.Hour, most, 4000, 4000},
		{"half full", 8000, 12 * time.Hour, most / 2, 4000, 4000},
		{"less than half full", 8000, 12 * time.Hour, most/2 - 1, 2000, 2000},
		{"a quarter full", 8000, 12 * time.Hour, most / 4, 2000, 2000},
		{"less than a quarter full", 8000, 12 * time.Hour, most/4 - 1, 500, 1000},
		{"too low to count", 7999, 12 * time.Hour, most/4 - 1, 0, 0},
		{"it was looked at ten seconds ago", 8000, 10 * time.Second, most, 8000, 8000},
		{"a fraction counts as one", 8000.25, 10 * time.Second, most, 8000.25, 8001},
	} {
		r := rolling{rate: c.rate}
		if got := r.after(start.Add(c.passed), c.usage, most); got != r {
			t.Errorf("%s, and no block has come: %+v", c.why, got)
		}
		r.block(start)
		got := r.after(start.Add(c.passed), c.usage, most)
		if got.rate != c.want || got.least() != c.least {
			t.Errorf("%s: the minimum is %v, %d, want %v, %d", c.why, got.rate, got.least(), c.want, c.least)
		}
		if moved := got.at.Equal(start.Add(c.passed)); moved != (got.rate != c.rate) {
			t.Errorf("%s: the next look counts from %v", c.why, got.at.Sub(start))
		}
	}
	r := rolling{rate: 8000}
	r.block(start)
	if got := r.after(start.Add(10*time.Second+1), most, most); got.rate >= 8000 {
		t.Errorf("after more than ten seconds the minimum is %v", got.rate)
	}
	r.rise(8000)
	if !r.sinking {
		t.Error("what is as high has lifted it")
	}
	if r.rise(8001); r.sinking || r.rate != 8001 {
		t.Errorf("%+v: it rises, and waits for the next block", r)
	}
}

// A pool that expires all at once goes in parts, a bounded one with each call. The descendants
// of what goes last go with it.
func TestL4ExpiryGoesInParts(t *testing.T) {
	r := newRig(t, Config{})
	const families, each = maxExpired/2 + 3, 3
	for n := range families {
		c := coin{wire.OutPoint{Hash: chainhash.Hash{1}, Index: uint32(n)}, 1000}
		for range each {
			e := &entry{tx: spend(1, 1, c)}
			e.ID, e.Added, e.VSize, e.usage = chain.NameOf(e.tx), r.now, 100, 100
			r.pool.insert(e)
			c = outputs(e.tx)[0]
		}
	}
	r.now = r.now.Add(DefaultExpiry + 1)
	for left := families * each; left > 0; {
		r.block()
		gone := r.events[0].(chain.TxRemoved)
		if want := min(left, (maxExpired+each-1)/each*each); gone.Reason != chain.RemovedExpired || len(gone.Txs) != want {
			t.Fatalf("of %d that have expired %d have gone as %v, want %d", left, len(gone.Txs), gone.Reason, want)
		}
		left -= len(gone.Txs)
		if got := r.pool.Info().Txs; got != left {
			t.Fatalf("%d are left, want %d", got, left)
		}
		r.events = nil
	}
}

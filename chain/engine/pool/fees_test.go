package pool

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
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

package pool

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// A parent brings its orphans and theirs, told in one event.
func TestAParentBringsItsOrphans(t *testing.T) {
	r := newRig(t, Config{})
	a := spend(1000, 2, r.coins(1, 1_000_000)...)
	b := spend(1000, 1, outputs(a)[0])
	c := spend(1000, 1, outputs(b)[0], outputs(a)[1])
	for _, tx := range []*wire.MsgTx{c, b} {
		r.offer(Offer{Tx: tx, Orphan: true, Source: alice})
	}
	bad := spend(1000, 1, outputs(c)...)
	bad.TxIn[0].Witness = nil
	r.offer(Offer{Tx: bad, Orphan: true, Source: bob})
	if got := r.pool.Info().Orphans; got != 3 {
		t.Fatalf("%d orphans", got)
	}
	r.accept(a)
	if got, want := r.take(), []string{"accepted " + name(a) + " " + name(b) + " " + name(c)}; !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
	if got := r.pool.List().Txs[1].Source; got != alice {
		t.Errorf("the orphan's source is %v", got)
	}
	r.want("the invalid one is dropped", []*wire.MsgTx{a, b, c}, bad)
	if got := r.pool.Info().Orphans; got != 0 {
		t.Errorf("%d orphans are left", got)
	}
}

// One peer's flood throws out its own orphans, not another's.
func TestOrphansAreBounded(t *testing.T) {
	r := newRig(t, Config{})
	stranger := func(n uint32) *wire.MsgTx {
		return spend(1000, 1, coin{wire.OutPoint{Index: n, Hash: [32]byte{1}}, 1_000_000})
	}
	r.offer(Offer{Tx: stranger(0), Orphan: true, Source: bob})
	for i := range uint32(300) {
		r.offer(Offer{Tx: stranger(i + 1), Orphan: true, Source: alice})
		check(t, r.pool)
	}
	if got := r.pool.Info().Orphans; got != maxOrphans {
		t.Errorf("%d orphans", got)
	}
	hash := stranger(0).WitnessHash()
	if r.pool.orphans.byWTxID[hash] == nil {
		t.Error("bob's orphan is lost")
	}
	r.now = r.now.Add(orphanExpiry + 1)
	r.offer(Offer{Tx: stranger(1000), Orphan: true, Source: bob})
	if got := r.pool.Info().Orphans; got != 1 {
		t.Errorf("after the expiry there are %d orphans", got)
	}
	if len(r.pool.orphans.spends) != 1 {
		t.Errorf("%d outputs are waited for", len(r.pool.orphans.spends))
	}
	if v := r.offer(Offer{Tx: stranger(2000), Source: bob}); v.Code != chain.TxOrphan || r.pool.Info().Orphans != 1 {
		t.Error("one that should not be kept is kept")
	}
}

// An orphan of two parents is tried again as often as one of them comes.
func TestAnOrphanOfTwoParents(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	a, b := spend(1000, 2, c[0]), spend(1000, 1, c[1])
	child := spend(1000, 1, outputs(a)[0], outputs(a)[1], outputs(b)[0])
	v := r.offer(Offer{Tx: child, Orphan: true, Source: alice})
	if want := []chainhash.Hash{a.TxHash(), b.TxHash()}; !slices.Equal(v.Missing, want) {
		t.Errorf("missing are %v, want each once: %v", v.Missing, want)
	}
	r.accept(a)
	r.want("one parent is missing", []*wire.MsgTx{a}, child)
	r.accept(b)
	r.want("both are there", []*wire.MsgTx{a, b, child})
}

// Whose orphans take the most memory loses its oldest one, however few they are. An orphan
// that is too heavy is not kept.
func TestTheGreediestLosesItsOldest(t *testing.T) {
	o := newOrphanage()
	add := func(n uint32, source actor.ID, usage, weight int64) *orphan {
		tx := spend(1000, 1, coin{wire.OutPoint{Index: n, Hash: [32]byte{1}}, 1_000_000})
		one := &orphan{tx: tx, id: chain.NameOf(tx), source: source, came: start, usage: usage, weight: weight}
		o.add(one)
		return one
	}
	add(1, bob, 1, maxOrphanWeight+1)
	if len(o.list) != 0 {
		t.Error("one that is too heavy is kept")
	}
	first, second := add(2, bob, 50_000, maxOrphanWeight), add(3, bob, 50_000, 1)
	if len(o.list) != 2 {
		t.Error("one that is as heavy as it may be is not kept")
	}
	for n := range uint32(maxOrphans - 1) {
		add(n+4, alice, 10, 1)
	}
	if slices.Contains(o.list, first) || !slices.Contains(o.list, second) || len(o.list) != maxOrphans {
		t.Errorf("%d are kept; bob's first must go", len(o.list))
	}
	add(1000, alice, maxOrphanBytes-50_000-(maxOrphans-1)*10+1, 1)
	if !slices.Contains(o.list, second) || o.usage > maxOrphanBytes {
		t.Errorf("%d bytes are kept; alice's must go", o.usage)
	}
}

// A block spends what an orphan spends too: the orphan can never be good.
func TestABlockDropsTheRivalsOfItsTransactions(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	missing := coin{wire.OutPoint{Hash: [32]byte{1}}, 1_000_000}
	other := spend(1000, 1, c[1], missing)
	for _, tx := range []*wire.MsgTx{spend(1000, 1, c[0], missing), other, spend(2000, 1, c[0], missing), spend(3000, 1, c[0], missing)} {
		r.offer(Offer{Tx: tx, Orphan: true, Source: alice})
	}
	r.block(spend(1000, 1, c[0]))
	if got := r.pool.Info().Orphans; got != 1 || r.pool.orphans.byWTxID[other.WitnessHash()] == nil {
		t.Errorf("%d orphans wait, want the other one alone", got)
	}
	check(t, r.pool)
}

// Orphans that are beyond the budget of one call follow with the next, whatever that
// is about.
func TestOrphansFollowWithinTheirBudget(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1_000_000, 3, r.coins(1, 100_000_000)...)
	for _, c := range outputs(parent) {
		r.offer(Offer{Tx: spend(500_000, 2000, c), Orphan: true, Source: alice})
	}
	r.block(parent)
	if got := r.pool.Info(); got.Txs != 2 || got.Orphans != 1 {
		t.Errorf("with the block %d are in and %d wait: two orphans are over the budget", got.Txs, got.Orphans)
	}
	r.offer(Offer{Tx: parent})
	if got := r.pool.Info(); got.Txs != 3 || got.Orphans != 0 {
		t.Errorf("after the next call %d are in and %d wait", got.Txs, got.Orphans)
	}
	check(t, r.pool)
}

// One that waits for its next try and that a block makes impossible is not tried.
func TestARivalOfWhatWaitsForItsTry(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1_000_000, 3, r.coins(1, 100_000_000)...)
	var orphans []*wire.MsgTx
	for _, c := range outputs(parent) {
		tx := spend(500_000, 2000, c)
		orphans = append(orphans, tx)
		r.offer(Offer{Tx: tx, Orphan: true, Source: alice})
	}
	r.block(parent)
	if len(r.pool.orphans.queue) != 1 {
		t.Fatalf("%d wait for their try", len(r.pool.orphans.queue))
	}
	r.take()
	r.block(spend(1000, 1, outputs(parent)[2]))
	r.want("a block spends its input", orphans[:2], orphans[2])
	if got := r.pool.Info().Orphans; got != 0 {
		t.Errorf("%d orphans are left", got)
	}
}

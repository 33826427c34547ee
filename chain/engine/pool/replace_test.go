package pool

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// One that pays more takes the place of others and of their children, whether they
// signal that or not. One that does not pay enough leaves all as it was.
func TestReplacement(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(3, 1_000_000)
	old := spend(1000, 2, c[0])
	child := spend(5000, 1, outputs(old)[0])
	r.accept(old, child)
	r.take()
	r.refused(spend(900, 2, c[0]), chain.TxPolicy, "insufficient fee", "a lower fee rate")
	r.refused(spend(5900, 1, c[0]), chain.TxPolicy, "insufficient fee", "less than both pay")
	r.refused(spend(6050, 1, c[0]), chain.TxPolicy, "insufficient fee", "more than both pay, but not for its own way")
	bad := spend(50_000, 1, c[0])
	bad.TxIn[0].Witness = wire.TxWitness{{1}}
	r.refused(bad, chain.TxInvalid, "mandatory-script-verify-flag-failed (Witness program hash mismatch)", "it pays enough and is not valid")
	r.refused(spend(50_000, 1, c[0], outputs(child)[0]), chain.TxInvalid, "bad-txns-spends-conflicting-tx", "it spends from what it would replace")
	fresh := spend(1000, 1, c[1])
	r.accept(fresh)
	r.refused(spend(50_000, 1, c[0], outputs(fresh)[0]), chain.TxPolicy, "replacement-adds-unconfirmed", "it spends another of the pool")
	r.want("after the refusals", []*wire.MsgTx{old, child, fresh})
	r.take()
	better := spend(7000, 1, c[0])
	if v := r.offer(Offer{Tx: better, Test: true}); v.Code != chain.TxOK || v.Fee != 7000 {
		t.Errorf("the test says %+v", v)
	}
	r.want("after the test", []*wire.MsgTx{old, child, fresh}, better)
	r.accept(better)
	r.want("after the replacement", []*wire.MsgTx{better, fresh}, old, child)
	events := r.take()
	if want := []string{"replaced " + name(old) + " " + name(child), "accepted " + name(better)}; !slices.Equal(events, want) {
		t.Errorf("the events are %q, want %q", events, want)
	}
}

// What Prioritise has added counts in a replacement.
func TestReplacementByPriority(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(1, 1_000_000)
	old, same := spend(1000, 1, c[0]), spend(1000, 2, c[0])
	r.accept(old)
	r.refused(same, chain.TxPolicy, "insufficient fee", "it pays the same")
	r.pool.Prioritise(same.TxHash(), 5000)
	r.accept(same)
	r.want("its priority", []*wire.MsgTx{same}, old)
}

// A hundred are replaced at most.
func TestTooManyReplacements(t *testing.T) {
	r := newRig(t, Config{})
	coins := r.coins(5, 1_000_000)
	for _, c := range coins {
		fan := spend(5000, 20, c)
		r.accept(fan)
		for _, out := range outputs(fan) {
			r.accept(spend(1000, 1, out))
		}
	}
	r.refused(spend(1_000_000, 1, coins...), chain.TxPolicy, "too many potential replacements", "5 families of 21")
	r.accept(spend(1_000_000, 1, coins[:4]...))
	check(t, r.pool)
}

// A chain in the pool is 25 long at most, and so is a family. One more small child
// of the first is allowed if it has no other parent.
func TestChainsAreBounded(t *testing.T) {
	r := newRig(t, Config{})
	at := spend(1000, 2, r.coins(1, 1_000_000)...)
	first := at
	r.accept(at)
	for range maxRelatives - 1 {
		at = spend(1000, 1, outputs(at)[0])
		r.accept(at)
	}
	r.refused(spend(1000, 1, outputs(at)[0]), chain.TxPolicy, "too-long-mempool-chain", "the 26th")
	r.accept(spend(1000, 1, outputs(first)[1]))
	check(t, r.pool)
	e := r.pool.Entries(chain.GetPoolEntries{TxID: first.TxHash()}).Entries[0]
	if e.DescendantCount != maxRelatives+1 {
		t.Errorf("the first has %d with it, want one more than %d", e.DescendantCount, maxRelatives)
	}
	r.block(first)
	r.accept(spend(1000, 1, outputs(at)[0]))
}

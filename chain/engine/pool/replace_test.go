package pool

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
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
	if v := r.offer(Offer{Tx: same}); v.Code != chain.TxOK || v.Fee != 1000 {
		t.Errorf("%+v: its fee is what it pays", v)
	}
	r.want("its priority", []*wire.MsgTx{same}, old)
}

// One is held against each that it replaces alone, whatever their children pay. All of
// them together it must pay for, with what Prioritise has added.
func TestWhatAReplacementIsHeldAgainst(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(3, 1_000_000)
	old := spend(1000, 1, c[0])
	child := spend(9000, 1, outputs(old)...)
	r.accept(old, child)
	r.accept(spend(20_000, 20, c[0])) // more than old and less than child for a byte
	r.want("it pays for both", nil, old, child)

	old = spend(1000, 1, c[1])
	child = spend(1000, 1, outputs(old)...)
	r.accept(old, child)
	r.pool.Prioritise(child.TxHash(), 5000)
	r.refused(spend(6500, 1, c[1]), chain.TxPolicy, "insufficient fee", "the child counts with its priority")
	r.accept(spend(7500, 1, c[1]))

	vsize := mempool.GetTxVirtualSize(btcutil.NewTx(spend(0, 1, c[2])))
	r.accept(spend(1000, 1, c[2]))
	r.refused(spend(1000+vsize-1, 1, c[2]), chain.TxPolicy, "insufficient fee", "a satoshi is missing for its own way")
	r.accept(spend(1000+vsize, 1, c[2]))
}

// In a family that is full one takes the place of another, even if it is too large to be
// the one more that is allowed.
func TestAReplacementInAFullFamily(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(5000, maxRelatives, r.coins(1, 100_000_000)...)
	r.accept(parent)
	for _, out := range outputs(parent)[:maxRelatives-1] {
		r.accept(spend(1000, 1, out))
	}
	r.refused(bulk(1_000_000, 300, outputs(parent)[maxRelatives-1]), chain.TxPolicy, "too-long-mempool-chain", "one more")
	r.accept(bulk(1_000_000, 300, outputs(parent)[0]))
	check(t, r.pool)
}

// bulk is a transaction with many small outputs.
func bulk(fee int64, n int, c coin) *wire.MsgTx {
	const small = 1000
	tx := spend(fee, 1, c)
	for range n {
		tx.AddTxOut(&wire.TxOut{Value: small, PkScript: anyone})
		tx.TxOut[0].Value -= small
	}
	return tx
}

// What is replaced makes room in its parent's family, with its own children.
func TestAReplacementTakesTheRoomOfAFamily(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1000, 1, r.coins(1, 100_000_000)...)
	old := bulk(60_000, 1100, outputs(parent)[0])
	child := bulk(60_000, 1100, outputs(old)[0])
	r.accept(parent, old, child)
	r.accept(bulk(1_000_000, 1500, outputs(parent)[0]))
	r.want("it is as large as one and a half of them", []*wire.MsgTx{parent}, old, child)
}

// A family that is full by its size takes one more small child, and not two.
func TestOneMoreSmallChild(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1000, 4, r.coins(1, 100_000_000)...)
	r.accept(parent, bulk(60_000, 1150, outputs(parent)[0]), bulk(60_000, 1150, outputs(parent)[1]))
	r.accept(bulk(20_000, 200, outputs(parent)[2]))
	r.refused(bulk(20_000, 200, outputs(parent)[3]), chain.TxPolicy, "too-long-mempool-chain", "a second one")
}

// The limits of a family, to the unit.
func TestLimitsOfAFamily(t *testing.T) {
	sized := func(vsize int64, count int, size int64) *entry {
		e := &entry{down: sums{count: count, size: size}}
		e.VSize = vsize
		return e
	}
	l := limits{up: sums{count: 3, size: 1000}, down: sums{count: 4, size: 800}}
	e := sized(100, 1, 100)
	for _, c := range []struct {
		why       string
		ancestors []*entry
		ok        bool
	}{
		{"as much as there may be", []*entry{sized(450, 3, 700), sized(450, 3, 700)}, true},
		{"three ancestors", []*entry{sized(1, 1, 1), sized(1, 1, 1), sized(1, 1, 1)}, false},
		{"they are too large", []*entry{sized(450, 3, 700), sized(451, 3, 700)}, false},
		{"one has too many descendants", []*entry{sized(450, 3, 700), sized(450, 4, 700)}, false},
		{"they are too large", []*entry{sized(450, 3, 701), sized(450, 3, 700)}, false},
	} {
		if r := l.check(e, c.ancestors); (r == nil) != c.ok {
			t.Errorf("%s: %+v", c.why, r)
		}
	}
}

// A hundred are replaced at most.
func TestTooManyReplacements(t *testing.T) {
	r := newRig(t, Config{})
	coins := r.coins(6, 1_000_000)
	for i, children := range []int{20, 20, 20, 20, 15, 0} {
		fan := spend(5000, 20, coins[i])
		r.accept(fan)
		for _, out := range outputs(fan)[:children] {
			r.accept(spend(1000, 1, out))
		}
	}
	r.refused(spend(1_000_000, 1, coins...), chain.TxPolicy, "too many potential replacements", "4 families of 21, one of 16, and one more")
	r.accept(spend(1_000_000, 1, coins[:5]...))
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
	for i, tx := range r.pool.List().Txs {
		if tx.Ancestors != i {
			t.Errorf("transaction %d of the chain has %d ancestors", i, tx.Ancestors)
		}
	}
	r.refused(spend(1000, 1, outputs(at)[0]), chain.TxPolicy, "too-long-mempool-chain", "the 26th")
	other := spend(1000, 1, r.coins(1, 1_000_000)...)
	r.accept(other)
	r.refused(spend(1000, 1, outputs(first)[1], outputs(other)[0]), chain.TxPolicy, "too-long-mempool-chain", "it has another parent")
	r.accept(spend(1000, 1, outputs(first)[1]))
	check(t, r.pool)
	e := r.pool.Entries(chain.GetPoolEntries{TxID: first.TxHash()}).Entries[0]
	if e.DescendantCount != maxRelatives+1 {
		t.Errorf("the first has %d with it, want one more than %d", e.DescendantCount, maxRelatives)
	}
	r.block(first)
	r.accept(spend(1000, 1, outputs(at)[0]))
}

package pool

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// A block confirms one, drops what conflicts with another of its own, and brings the
// parent of an orphan.
func TestABlockComes(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(3, 1_000_000)
	known, loser := spend(1000, 1, c[0]), spend(1000, 1, c[1])
	child, grandchild := spend(1000, 1, outputs(known)...), spend(1000, 1, outputs(loser)...)
	r.accept(known, loser, child, grandchild)
	winner, parent := spend(2000, 1, c[1]), spend(1000, 1, c[2])
	orphan := spend(1000, 1, outputs(parent)...)
	if v := r.offer(Offer{Tx: orphan, Orphan: true}); v.Code != chain.TxOrphan || len(v.Missing) != 1 || v.Missing[0] != parent.TxHash() {
		t.Fatalf("an orphan: %+v", v)
	}
	r.pool.Prioritise(known.TxHash(), 10)
	r.take()
	hash, before := known.TxHash(), r.pool.Info().Sequence
	if !r.pool.cfg.HashCache.ContainsHashes(&hash) {
		t.Error("its hashes are not kept for the block")
	}
	r.block(known, winner, parent)
	if r.pool.cfg.HashCache.ContainsHashes(&hash) {
		t.Error("hashes are kept of what has left the pool")
	}
	if got := r.pool.Info().Sequence - before; got != 4 {
		t.Errorf("three have left the pool and one has come: it has changed %d times", got)
	}
	for _, e := range r.events {
		if e, is := e.(chain.TxConfirmed); is && !slices.Equal(e.Txs, []chain.TxID{chain.NameOf(known), chain.NameOf(winner), chain.NameOf(parent)}) {
			t.Errorf("confirmed are %v, which are not both names of the three", e.Txs)
		}
	}
	r.want("after the block", []*wire.MsgTx{child, orphan}, known, loser, grandchild)
	want := []string{
		"block " + name(known), "conflict " + name(loser) + " " + name(grandchild),
		"confirmed " + name(known) + " " + name(winner) + " " + name(parent), "accepted " + name(orphan),
	}
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
	if info := r.pool.Info(); info.Orphans != 0 || len(r.pool.deltas) != 0 {
		t.Errorf("%d orphans and %d priorities are left", info.Orphans, len(r.pool.deltas))
	}
}

// Ten blocks are replaced: what they confirmed is in the pool again, before its
// children, but for what the new blocks have.
func TestAReorganisationGivesBack(t *testing.T) {
	r := newRig(t, Config{})
	at := spend(1000, 1, r.coins(1, 1_000_000)...)
	var chained []*wire.MsgTx
	for range 10 {
		chained = append(chained, at)
		r.block(at)
		at = spend(1000, 1, outputs(at)...)
	}
	r.accept(at) // the eleventh
	r.take()
	r.reorg(10, chained[:1], nil, chained[1:2])
	r.want("after the reorganisation", append(chained[2:], at), chained[:2]...)
	var order []string
	for _, tx := range r.pool.List().Txs {
		order = append(order, short(tx.ID.TxID))
	}
	for i, tx := range append(chained[2:], at) {
		if order[i] != name(tx) {
			t.Errorf("transaction %d is %s, want %s", i, order[i], name(tx))
		}
	}
	events := r.take()
	last := events[len(events)-1]
	want := "accepted"
	for _, tx := range chained[2:] {
		want += " " + name(tx)
	}
	if last != want {
		t.Errorf("the last event is %q, want %q: the eleventh never left", last, want)
	}
}

// What comes back is as it was: who sent it, and when it came. What it pays does not
// matter: a miner has taken it for less, or the pool has.
func TestWhatComesBackIsAsItWas(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(0, 1, r.coins(1, 1_000_000)...)
	child := spend(1000, 1, outputs(parent)...)
	r.block(parent)
	r.offer(Offer{Tx: child, Source: alice})
	r.now = r.now.Add(time.Hour)
	r.pool.cfg.MinRelayFee = 100_000
	r.reorg(1, nil)
	r.want("a block without them", []*wire.MsgTx{parent, child})
	if e := r.pool.Tx(chain.GetPoolTx{TxID: child.TxHash()}); e.Source != alice || !e.Added.Equal(start) || e.Fee != 1000 {
		t.Errorf("the child is %+v now", e.PoolTx)
	}
}

// The new blocks have a child of what comes back. It has left the pool once, confirmed.
func TestAReorganisationConfirmsAChild(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1000, 1, r.coins(1, 1_000_000)...)
	child := spend(1000, 1, outputs(parent)...)
	r.block(parent)
	r.accept(child)
	r.take()
	r.reorg(1, []*wire.MsgTx{parent, child})
	r.want("a block has both", nil, parent, child)
	want := []string{"block " + name(child), "confirmed " + name(parent) + " " + name(child)}
	if got := r.take(); !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

// What is not valid in the next block any more leaves with its children.
func TestAReorganisationTakesWhatIsTooEarly(t *testing.T) {
	r := newRig(t, Config{})
	for range 100 {
		r.block()
	}
	coinbase := r.chain.blocks[0].MsgBlock().Transactions[0]
	ripe := spend(1000, 1, outputs(coinbase)...)
	c := r.coins(3, 1_000_000)
	locked := spend(1000, 1, c[0])
	locked.LockTime, locked.TxIn[0].Sequence = uint32(r.chain.height()), wire.MaxTxInSequenceNum-1 // no relative lock
	relative := spend(1000, 1, c[1])
	relative.TxIn[0].Sequence = 1
	free := spend(1000, 1, c[2])
	child := spend(1000, 1, outputs(ripe)...)
	r.accept(ripe, locked, relative, free, child)
	r.take()
	r.reorg(1)
	r.want("one block less", []*wire.MsgTx{free}, ripe, child, locked, relative)
	events := r.take()
	if len(events) != 1 || len(events[0]) != len("reorg")+4*7 {
		t.Errorf("the events are %q, want one with four names", events)
	}
}

// Descendants of a transaction that does not come back leave too.
func TestWhatDescendsFromALostCoinbaseLeaves(t *testing.T) {
	r := newRig(t, Config{})
	for range 101 {
		r.block()
	}
	ripe := spend(1000, 1, outputs(r.chain.blocks[0].MsgBlock().Transactions[0])...)
	r.accept(ripe)
	r.take()
	var none [][]*wire.MsgTx
	for range 102 {
		none = append(none, nil)
	}
	r.reorg(101, none...)
	r.want("another coinbase", nil, ripe)
	if got, want := r.take(), []string{"reorg " + name(ripe)}; !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

// A disconnected block's transactions beyond the bound are given up, the last ones
// first.
func TestReturnedIsBounded(t *testing.T) {
	r := newRig(t, Config{})
	var all []*wire.MsgTx
	for range 3 {
		var txs []*wire.MsgTx
		for _, c := range r.coins(2, 1_000_000) {
			tx := spend(10_000, 1, c)
			tx.TxIn[0].Witness = append(wire.TxWitness{make([]byte, maxReturned/5)}, opener)
			txs = append(txs, tx)
		}
		r.pool.Connected(r.chain.connect(txs...))
		all = append(all, txs...)
	}
	for range 3 {
		r.pool.Disconnected(r.chain.disconnect())
	}
	if r.pool.back.usage > maxReturned {
		t.Errorf("%d bytes are kept", r.pool.back.usage)
	}
	if !r.pool.back.byTxID[all[0].TxHash()] || r.pool.back.byTxID[all[5].TxHash()] {
		t.Error("the first of the chain must stay and the last must go")
	}
	r.settle()
	check(t, r.pool)
}

// Two weeks, and it is gone, with its children.
func TestExpiry(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(3, 1_000_000)
	old := spend(1000, 1, c[0])
	child := spend(1000, 1, outputs(old)...)
	r.accept(old)
	r.now = r.now.Add(DefaultExpiry)
	r.accept(child)
	r.want("just in time", []*wire.MsgTx{old, child})
	r.now = r.now.Add(time.Second)
	next := spend(1000, 1, c[1])
	r.accept(next)
	r.want("too old", []*wire.MsgTx{next}, old, child)
	late := spend(1000, 1, c[2])
	if v := r.offer(Offer{Tx: late, Added: start}); v.Code == chain.TxOK || r.has(late) {
		t.Errorf("one that was old when it came is kept: %+v", v)
	}
}

// A family that came in one moment expires in one, and is told parents first.
func TestAFamilyExpires(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(2, 1_000_000)
	old := spend(1000, 1, c[0])
	child := spend(1000, 1, outputs(old)...)
	r.accept(old, child)
	r.take()
	r.now = r.now.Add(DefaultExpiry + time.Second)
	next := spend(1000, 1, c[1])
	r.accept(next)
	if got, want := r.take(), []string{"accepted " + name(next), "expiry " + name(old) + " " + name(child)}; !slices.Equal(got, want) {
		t.Errorf("the events are %q, want %q", got, want)
	}
}

package engine

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// An invalid block ends its branch: whatever is before or beside it is the best
// header now, and nothing may be built on it. btcd alone keeps it as its best
// header, and would take the grandchild.
func TestAnInvalidBlockEndsItsBranch(t *testing.T) {
	for name, change := range map[string]func(*wire.MsgBlock){
		"found when connecting": tooRich,
		"found before storing":  func(m *wire.MsgBlock) { m.Transactions[0].TxOut[0].Value = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			main := newBranch(t, &chaincfg.RegressionNetParams)
			main.mine(2, time.Minute)
			rival := main.fork(1, 1)
			bad := main.mineWith(time.Minute, change)
			main.mine(4, time.Minute)
			rival.mine(4, time.Minute)

			e := open(t, Config{Params: main.params})
			if v := giveHeaders(t, e, main.blocks[1:7]...); v.Best.Height != 6 {
				t.Fatalf("the headers: %+v", v)
			}
			v := giveHeaders(t, e, rival.blocks[1:]...)
			if v.Code != chain.OK || v.Best.Height != 6 || v.Fork.Height != 1 || v.Last.Height != 5 || v.New != 4 {
				t.Fatalf("the rival's headers: %+v", v)
			}
			give(t, e, main.blocks[1:3]...)
			a := giveOne(t, e, bad)
			if a.Verdict.Code != chain.Invalid || a.Verdict.InBestChain || len(a.Events) != 0 {
				t.Fatalf("the bad block: %+v", a.Verdict)
			}
			if a.Tips.Block.Height != 2 || a.Tips.Header.Hash != rival.tip().BlockHash() {
				t.Errorf("the rival should be best now: %+v", a.Tips)
			}

			again := giveOne(t, e, bad).Verdict
			wantCode(t, again.Code, chain.Invalid, again.Reason, "duplicate-invalid", "the same block again")
			v = giveHeaders(t, e, main.blocks[3:]...)
			wantCode(t, v.Code, chain.Invalid, v.Reason, "duplicate-invalid", "its header again")
			v = giveHeaders(t, e, main.blocks[4])
			wantCode(t, v.Code, chain.BadAncestor, v.Reason, "bad-prevblk", "its child")
			v = giveHeaders(t, e, main.blocks[7])
			wantCode(t, v.Code, chain.BadAncestor, v.Reason, "bad-prevblk", "a new header after known ones")
			if p := ask[chain.Path](t, e, chain.GetPath{To: main.blocks[6].BlockHash(), Max: 9}); p.Known {
				t.Errorf("there is a path to an invalid header: %+v", p)
			}
			give(t, e, rival.blocks[2:]...)
			if tips := e.Tips(); tips.Block != tips.Header || tips.Block.Hash != rival.tip().BlockHash() {
				t.Errorf("the tips are %+v", tips)
			}
		})
	}
}

// When a reorganisation fails, the block that it failed at is the bad one, not
// the one that caused it, and the blocks before it are good.
func TestAFailedReorganisation(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(1, time.Minute)
	side := main.fork(1, 1)
	main.mine(2, time.Minute)
	good := side.mine(1, time.Minute)[0]
	bad := side.mineWith(time.Minute, tooRich)
	last := side.mine(1, time.Minute)[0]

	e := open(t, Config{Params: main.params})
	give(t, e, main.blocks[1:]...)
	give(t, e, good, bad) // stored on a side branch; nobody looks at coinbases yet
	a := giveOne(t, e, last)
	wantCode(t, a.Verdict.Code, chain.BadAncestor, a.Verdict.Reason, "bad-prevblk", "its parent is bad")
	if a.Tips.Block.Hash != main.tip().BlockHash() || a.Tips.Header != a.Tips.Block || len(a.Events) != 0 {
		t.Errorf("the best chain should stay: %+v, %d events", a.Tips, len(a.Events))
	}
	if len(e.valid.bad) != 1 || e.valid.bad[0].Hash != bad.BlockHash() {
		t.Errorf("condemned: %+v", e.valid.bad)
	}
	v := giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "duplicate-invalid", "the bad block")
	other := side.fork(2, 2)
	other.mine(2, time.Minute)
	give(t, e, other.blocks[3:]...)
	if tip := e.Tips().Block; tip.Hash != other.tip().BlockHash() {
		t.Errorf("the good half of the side branch cannot be built on: %+v", tip)
	}
}

// What validity keeps is bounded, and what it drops is what matters least.
func TestValidityIsBounded(t *testing.T) {
	o := newOracle()
	tree := newTree(o, &o.headers[0], anchorSpacing, recentNodes)
	v := newValidity()
	at := 0
	for range maxLeaves + 100 {
		at = o.add(at, 0x207fffff)
		v.grow(tree.must(o.hashes[at]), o.hashes[o.parents[at]])
		twig := o.add(o.parents[at], 0x207fffff) // a branch of one header
		v.grow(tree.must(o.hashes[twig]), o.hashes[o.parents[at]])
	}
	if len(v.leaves) != maxLeaves {
		t.Errorf("%d leaves", len(v.leaves))
	}
	if _, ok := v.leaves[o.hashes[at]]; !ok {
		t.Error("the heaviest leaf was dropped")
	}
	best := tree.must(o.hashes[at])
	for height := int32(1); height <= maxBad+10; height++ {
		v.condemn(tree, tree.must(tree.ancestor(best, height)))
	}
	if len(v.bad) != maxBad {
		t.Errorf("%d bad blocks", len(v.bad))
	}
	for i, b := range v.bad { // the ones found last: a branch that is offered now is more likely theirs
		if want := int32(i + 11); b.Height != want {
			t.Fatalf("bad block %d is that of height %d, want %d", i, b.Height, want)
		}
	}
	if len(v.leaves) != 0 {
		t.Errorf("%d leaves on a condemned branch", len(v.leaves))
	}
}

// A long branch is one leaf, so that it pushes no other branch out.
func TestABranchIsOneLeaf(t *testing.T) {
	o := newOracle()
	tree := newTree(o, &o.headers[0], anchorSpacing, recentNodes)
	v := newValidity()
	add := func(parent int) int {
		i := o.add(parent, 0x207fffff)
		v.grow(tree.must(o.hashes[i]), o.hashes[parent])
		return i
	}
	rival, at := add(0), 0
	for range maxLeaves + 10 {
		at = add(at)
	}
	if len(v.leaves) != 2 || v.leaves[o.hashes[rival]].Height != 1 {
		t.Errorf("two branches have %d leaves", len(v.leaves))
	}
}

// A block that is found invalid again and again is noted once. Otherwise it would
// push out the others, and their branches would count again.
func TestABlockIsCondemnedOnce(t *testing.T) {
	o := newOracle()
	tree := newTree(o, &o.headers[0], anchorSpacing, recentNodes)
	v := newValidity()
	first, second := tree.must(o.hashes[o.add(0, 0x207fffff)]), tree.must(o.hashes[o.add(0, 0x207fffff)])
	v.condemn(tree, first)
	for range maxBad + 1 {
		v.condemn(tree, second)
	}
	if len(v.bad) != 2 || !v.condemned(tree, first) || !v.condemned(tree, second) {
		t.Errorf("condemned: %+v", v.bad)
	}
}

// When the best branch turns out bad, the best of the others counts, and of two with
// the same work the one seen first. Once blocks have overtaken a branch, it is no
// choice any more.
func TestTheFirstOfTwoEqualRivalsIsNext(t *testing.T) {
	for _, later := range []byte{1, 2} {
		main := newBranch(t, &chaincfg.RegressionNetParams)
		main.mine(1, time.Minute)
		rivals := map[byte]*branch{1: main.fork(1, 1), 2: main.fork(1, 2), 3: main.fork(1, 3)}
		bad := main.mineWith(time.Minute, tooRich)
		main.mine(5, time.Minute)
		rivals[1].mine(4, time.Minute)
		rivals[2].mine(4, time.Minute)
		rivals[3].mine(3, time.Minute)
		e := open(t, Config{Params: main.params})
		giveHeaders(t, e, main.blocks[1:]...)
		first := rivals[3-later]
		for _, r := range []*branch{rivals[3], first, rivals[later]} {
			giveHeaders(t, e, r.blocks[2:]...)
		}
		give(t, e, main.blocks[1])
		giveOne(t, e, bad)
		if got := e.Tips().Header; got.Hash != first.tip().BlockHash() {
			t.Errorf("the best header is %+v, want the one seen first", got)
		}
		give(t, e, first.blocks[2:]...)
		if len(e.valid.leaves) != 0 {
			t.Errorf("%d leaves with no more work than the best block", len(e.valid.leaves))
		}
	}
}

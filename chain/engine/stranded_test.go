package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// fullAt is a disk that is full when one block is to be connected: btcd has
// stored the block by then.
type fullAt struct{ block chainhash.Hash }

func (f fullAt) Init(*blockchain.BlockChain, <-chan struct{}) error { return nil }
func (f fullAt) DisconnectBlock(database.Tx, *btcutil.Block, []blockchain.SpentTxOut) error {
	return nil
}

func (f fullAt) ConnectBlock(_ database.Tx, b *btcutil.Block, _ []blockchain.SpentTxOut) error {
	if *b.Hash() == f.block {
		return errors.New("no space left on device")
	}
	return nil
}

// cut gives blocks to a new chain until its disk is full, at the connecting of
// one of them, and returns the chain's directory.
func cut(t *testing.T, at *wire.MsgBlock, blocks ...*wire.MsgBlock) string {
	t.Helper()
	dir := t.TempDir()
	e := open(t, Config{Params: &chaincfg.RegressionNetParams, DataDir: dir, hook: fullAt{at.BlockHash()}})
	last := len(blocks) - 1
	give(t, e, blocks[:last]...)
	if a := giveOne(t, e, blocks[last]); a.Verdict.Code != chain.Fatal {
		t.Fatalf("the disk is full: %+v", a.Verdict)
	}
	shut(t, e)
	return dir
}

// wantMissing checks that blocks are the ones to download on the way to the last.
func wantMissing(t *testing.T, e *Engine, blocks []*wire.MsgBlock, why string) {
	t.Helper()
	p := ask[chain.Path](t, e, chain.GetPath{To: blocks[len(blocks)-1].BlockHash(), Max: 99})
	if !p.Known || len(p.Missing) != len(blocks) {
		t.Fatalf("%s: %d blocks are missing, want %d: %+v", why, len(p.Missing), len(blocks), p)
	}
	for i, b := range blocks {
		if p.Missing[i].Hash != b.BlockHash() {
			t.Fatalf("%s: height %d is missing, want block %d of %d", why, p.Missing[i].Height, i, len(blocks))
		}
	}
}

// wantConnected gives blocks that each become the best one, and are told.
func wantConnected(t *testing.T, e *Engine, blocks []*wire.MsgBlock) {
	t.Helper()
	for i, b := range blocks {
		a := giveOne(t, e, b)
		if a.Verdict.Code != chain.OK || a.Tips.Block.Hash != b.BlockHash() || len(a.Events) != 1 {
			t.Fatalf("block %d of %d: %+v, %d events", i, len(blocks), a.Verdict, len(a.Events))
		}
		if c, ok := a.Events[0].(chain.BlockConnected); !ok || c.Hash != b.BlockHash() || c.Source != 42 {
			t.Fatalf("block %d of %d: the event is %+v", i, len(blocks), a.Events[0])
		}
	}
}

// A block that was stored and not connected is downloaded again. btcd alone
// would call it a duplicate, and stay behind until a child comes.
func TestABlockThatWasStoredAndNotConnected(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(22, time.Minute)
	dir := cut(t, b.blocks[21], b.blocks[1:22]...)

	l := &logs{}
	e := open(t, Config{Params: b.params, DataDir: dir, Log: l.add})
	if tips := e.Tips(); tips.Block.Height != 20 || tips.Header.Height != 21 {
		t.Fatalf("after the restart: %+v", tips)
	}
	if !l.has("stored and not connected are downloaded again: 1") {
		t.Error("nothing was said about it")
	}
	wantMissing(t, e, b.blocks[21:22], "after the restart")
	wantConnected(t, e, b.blocks[21:])
	shut(t, e)

	e = open(t, Config{Params: b.params, DataDir: dir})
	if tips := e.Tips(); tips.Block.Height != 22 || tips.Header.Height != 22 {
		t.Errorf("after another restart: %+v", tips)
	}
	if bl := ask[chain.Block](t, e, chain.GetBlock{Hash: b.blocks[21].BlockHash()}); bl.Payload == nil {
		t.Error("the block cannot be served")
	}
}

// A reorganisation that was cut in the middle leaves both branches with blocks
// that are stored and not connected. Either can be downloaded again.
func TestAReorganisationThatWasCutInTheMiddle(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(10, time.Minute)
	side, twig := main.fork(5, 1), main.fork(2, 2)
	side.mine(8, time.Minute) // heights 6 to 13
	twig.mine(2, time.Minute)
	blocks := append([]*wire.MsgBlock(nil), main.blocks[1:]...)
	blocks = append(blocks, twig.blocks[3:]...)
	blocks = append(blocks, side.blocks[6:12]...) // with height 11 it is the heavier one

	t.Run("and goes on", func(t *testing.T) {
		e := open(t, Config{Params: main.params, DataDir: cut(t, side.blocks[8], blocks...)})
		if tip := e.Tips().Block; tip.Hash != side.blocks[7].BlockHash() {
			t.Fatalf("after the restart the tip is %+v", tip)
		}
		wantMissing(t, e, side.blocks[8:12], "the branch that was to be connected")
		wantConnected(t, e, side.blocks[8:])
	})
	t.Run("and goes back", func(t *testing.T) {
		e := open(t, Config{Params: main.params, DataDir: cut(t, side.blocks[8], blocks...)})
		giveHeaders(t, e, main.blocks[6:]...)
		wantMissing(t, e, main.blocks[8:], "the branch that was disconnected, above the part that is lighter")
		a := giveOne(t, e, main.blocks[8])
		if a.Verdict.Code != chain.OK || a.Tips.Block.Hash != main.blocks[8].BlockHash() || len(a.Events) != 2+3 {
			t.Fatalf("back on the first branch: %+v, %d events", a.Verdict, len(a.Events))
		}
		wantConnected(t, e, main.blocks[9:])
	})
	t.Run("and leaves a side branch alone", func(t *testing.T) {
		e := open(t, Config{Params: main.params, DataDir: cut(t, side.blocks[8], blocks...)})
		v := giveOne(t, e, twig.tip()).Verdict
		wantCode(t, v.Code, chain.Duplicate, v.Reason, "duplicate", "less work than the best chain")
	})
}

// Good blocks below an invalid one are stranded like any others. The branch that a
// cut reorganisation has disconnected may end in a block that was found invalid
// long before.
func TestStrandedBlocksBelowAnInvalidOne(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(10, time.Minute)
	side := main.fork(5, 1)
	side.mine(6, time.Minute) // heights 6 to 11
	bad := main.mineWith(time.Minute, tooRich)
	dir := t.TempDir()
	e := open(t, Config{Params: main.params, DataDir: dir, hook: fullAt{side.blocks[8].BlockHash()}})
	give(t, e, main.blocks[1:11]...)
	v := giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-cb-amount", "too rich")
	give(t, e, side.blocks[6:11]...)
	if v := giveOne(t, e, side.blocks[11]).Verdict; v.Code != chain.Fatal {
		t.Fatalf("the disk is full: %+v", v)
	}
	shut(t, e)

	e = open(t, Config{Params: main.params, DataDir: dir})
	if tip := e.Tips().Block; tip.Hash != side.blocks[7].BlockHash() {
		t.Fatalf("after the restart the tip is %+v", tip)
	}
	giveHeaders(t, e, main.blocks[6:11]...)
	wantMissing(t, e, main.blocks[8:11], "the good blocks of the branch that was disconnected")
	give(t, e, main.blocks[8:11]...)
	if tip := e.Tips().Block; tip.Hash != main.blocks[10].BlockHash() {
		t.Errorf("back on the first branch the tip is %+v", tip)
	}
	v = giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-cb-amount", "it is found out again")
}

// A reorganisation that failed leaves blocks after the invalid one stored, and they
// have more work than the best block. They are invalid too, and not stranded.
func TestBlocksAfterAnInvalidOneAreNotStranded(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(3, time.Minute)
	side := main.fork(1, 1)
	side.mine(1, time.Minute)
	side.mineWith(time.Minute, tooRich)
	last := side.mine(1, time.Minute)[0]
	dir := t.TempDir()
	e := open(t, Config{Params: main.params, DataDir: dir})
	give(t, e, main.blocks[1:]...)
	give(t, e, side.blocks[2:4]...)
	v := giveOne(t, e, last).Verdict
	wantCode(t, v.Code, chain.BadAncestor, v.Reason, "bad-prevblk", "its parent is too rich")
	shut(t, e)

	l := &logs{}
	e = open(t, Config{Params: main.params, DataDir: dir, Log: l.add})
	if tips := e.Tips(); tips.Block.Hash != main.tip().BlockHash() {
		t.Errorf("the tips are %+v", tips)
	}
	if l.has("stored and not connected") {
		t.Errorf("the log is %q", l.lines)
	}
}

// An invalid block is not connected either, and for good: btcd keeps it, so that
// it is not downloaded at every restart.
func TestAnInvalidBlockStaysStored(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(3, time.Minute)
	bad := b.mineWith(time.Minute, tooRich)
	dir := t.TempDir()
	e := open(t, Config{Params: b.params, DataDir: dir})
	give(t, e, b.blocks[1:4]...)
	v := giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-cb-amount", "too rich")
	shut(t, e)

	e = open(t, Config{Params: b.params, DataDir: dir})
	v = giveOne(t, e, bad).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "duplicate-invalid", "known from before the restart")
}

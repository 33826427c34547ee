package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

// A database that fails stops everything, says why, and is not written to any
// more: what btcd has in memory may not fit what is on the disk.
func TestADatabaseErrorIsFatal(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(5, time.Minute)
	l := new(logs)
	dir := t.TempDir()
	e, err := Open(Config{DataDir: dir, Params: b.params, UtxoCacheBytes: 1 << 20, Log: l.add})
	if err != nil {
		t.Fatal(err)
	}
	give(t, e, b.blocks[1:4]...)
	if err := e.db.Close(); err != nil {
		t.Fatal(err)
	}
	a := giveOne(t, e, b.blocks[4])
	wantCode(t, a.Verdict.Code, chain.Fatal, a.Verdict.Reason, "fatal", "the database is gone")
	if !strings.Contains(a.Fatal, dir) || !strings.Contains(a.Fatal, "database is not open") {
		t.Errorf("the user is told %q", a.Fatal)
	}
	h := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: []*wire.BlockHeader{&b.blocks[5].Header}})
	wantCode(t, h.Verdict.Code, chain.Fatal, h.Verdict.Reason, "fatal", "nothing is changed any more")
	if h.Tips.Block.Height != 3 || h.Fatal != a.Fatal {
		t.Errorf("%+v", h.Changes)
	}
	ask[chain.Made](t, e, chain.MakeTemplate{})
	if err := e.Close(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("closing says %v", err)
	}
	e = open(t, Config{DataDir: dir, Params: b.params})
	if got := e.Tips().Block.Height; got != 3 {
		t.Errorf("after a restart the tip is at %d", got)
	}
	give(t, e, b.blocks[4:]...)
}

// A panic of btcd's is a fatal error, not the end of the process.
func TestAPanicIsFatal(t *testing.T) {
	e := open(t, Config{Params: &chaincfg.RegressionNetParams})
	btcd := e.chain
	defer func() { e.chain = btcd }()
	e.chain = nil
	a := ask[chain.BlockApplied](t, e, chain.ApplyBlock{Payload: fixture.Payload(newBranch(t, e.params).blocks[0])})
	if a.Verdict.Code != chain.Fatal || !strings.Contains(a.Fatal, "panic") {
		t.Errorf("%+v", a)
	}
}

func TestAfterCloseNothingIsAnswered(t *testing.T) {
	e, main, _ := twoBranches(t)
	shut(t, e)
	if a := giveOne(t, e, main.blocks[21]); a.Verdict.Code != chain.Fatal || a.Fatal == "" {
		t.Errorf("%+v", a.Verdict)
	}
	if b := ask[chain.Block](t, e, chain.GetBlock{Hash: main.blocks[3].BlockHash()}); b.Payload != nil {
		t.Error("a block is read from a closed database")
	}
	if l := ask[chain.Locator](t, e, chain.GetLocator{}); len(l.Hashes) != 0 {
		t.Error("a locator of a closed chain")
	}
	shut(t, e)
}

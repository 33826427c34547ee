package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

// testnet3 is an engine with the first n testnet3 headers, then closed.
func closedTestnet3(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	e := open(t, Config{DataDir: dir, Params: &chaincfg.TestNet3Params})
	for from := 1; from <= n; from += 2000 {
		batch := fixture.Testnet3Headers()[from:min(from+2000, n+1)]
		if v := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: batch}).Verdict; v.Code != chain.OK {
			t.Fatalf("%+v", v)
		}
	}
	shut(t, e)
	return dir
}

// wantHeaders opens a directory and wants n testnet3 headers there.
func wantHeaders(t *testing.T, dir string, n int32, why string) *logs {
	t.Helper()
	l := new(logs)
	e := open(t, Config{DataDir: dir, Params: &chaincfg.TestNet3Params, Log: l.add})
	if tip := e.Tips().Header; tip.Height != n || tip.Hash != fixture.Testnet3Headers()[n].BlockHash() {
		t.Errorf("%s: the best header is %+v, want height %d", why, tip, n)
	}
	shut(t, e)
	return l
}

func TestHeadersSurviveARestart(t *testing.T) {
	dir := closedTestnet3(t, 5000)
	if l := wantHeaders(t, dir, 5000, "after a restart"); !l.has("5000 headers ahead of the blocks") {
		t.Errorf("the log is %q", l.lines)
	}
	wantHeaders(t, dir, 5000, "after two")
}

// What a message has brought is in the file when its answer is there, so a crash loses one
// message at most.
func TestHeadersAreWrittenWithTheirMessage(t *testing.T) {
	p, dir := testParams(), t.TempDir()
	blocks := newBranch(t, p).mine(3, time.Minute)
	e := open(t, Config{DataDir: dir, Params: p})
	want := func(n int64, why string) {
		t.Helper()
		if info, err := os.Stat(filepath.Join(dir, "headers.dat")); err != nil || info.Size() != n*headerSize {
			t.Fatalf("%s: the file is %+v, %v; want %d headers", why, info, err, n)
		}
	}
	giveHeaders(t, e, blocks[:2]...)
	want(2, "two headers")
	give(t, e, blocks...)
	want(3, "a block whose header is new")
}

func TestATornHeadersFileLosesItsTail(t *testing.T) {
	dir := closedTestnet3(t, 3000)
	path := filepath.Join(dir, "headers.dat")
	if err := os.Truncate(path, 3000*headerSize-13); err != nil {
		t.Fatal(err)
	}
	if l := wantHeaders(t, dir, 2999, "a crash in the middle of a header"); l.has("damaged") {
		t.Error("a torn tail is no damage")
	}
	e := open(t, Config{DataDir: dir, Params: &chaincfg.TestNet3Params})
	ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: fixture.Testnet3Headers()[3000:3101]})
	shut(t, e)
	wantHeaders(t, dir, 3100, "appending goes on where the tail was")
}

func TestADamagedHeadersFileIsPutAside(t *testing.T) {
	dir := closedTestnet3(t, 3000)
	path := filepath.Join(dir, "headers.dat")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[1234*headerSize+40]++
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if l := wantHeaders(t, dir, 1234, "what is before the damage is good"); !l.has("damaged at header 1234 of 3000") {
		t.Errorf("the log is %q", l.lines)
	}
	if _, err := os.Stat(path + ".bad"); err != nil {
		t.Error("the damaged file was not kept:", err)
	}
	if l := wantHeaders(t, dir, 1234, "the rest of the file is good"); l.has("damaged") {
		t.Errorf("the log is %q", l.lines)
	}
}

func TestAHeadersFileOfAnotherNetworkIsPutAside(t *testing.T) {
	dir, other := closedTestnet3(t, 10), t.TempDir()
	raw, err := os.ReadFile(filepath.Join(dir, "headers.dat"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, "headers.dat"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	l := new(logs)
	e := open(t, Config{DataDir: other, Params: &chaincfg.RegressionNetParams, Log: l.add})
	if !l.has("another network") || e.Tips().Header.Height != 0 {
		t.Errorf("the tips are %+v, the log is %q", e.Tips(), l.lines)
	}
}

// Tip, work and events' numbers come back; headers whose blocks have arrived
// leave the file.
func TestARestartKeepsTheChain(t *testing.T) {
	p := testParams()
	b := newBranch(t, p)
	b.mine(40, 30*time.Second)
	dir := t.TempDir()
	e := open(t, Config{DataDir: dir, Params: p})
	giveHeaders(t, e, b.blocks[1:]...)
	give(t, e, b.blocks[1:31]...)
	before := e.Tips()
	shut(t, e)

	e = open(t, Config{DataDir: dir, Params: p})
	if after := e.Tips(); after != before || after.Header.Height != 40 || after.Block.Height != 30 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if info, err := os.Stat(filepath.Join(dir, "headers.dat")); err != nil || info.Size() != 10*headerSize {
		t.Errorf("the file should hold ten headers: %v, %v", info.Size(), err)
	}
	give(t, e, b.blocks[31:]...)
	shut(t, e)
	e = open(t, Config{DataDir: dir, Params: p})
	if tips := e.Tips(); tips.Block.Height != 40 || tips.Header != tips.Block {
		t.Errorf("the tips are %+v", tips)
	}
}

// The file is rewritten only when half of it is no longer needed, so that a node
// that is often restarted does not copy millions of headers each time.
func TestTheHeadersFileIsTidiedAtHalf(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(40, time.Minute)
	dir := t.TempDir()
	e := open(t, Config{DataDir: dir, Params: b.params})
	giveHeaders(t, e, b.blocks[1:]...)
	for _, c := range []struct{ from, to, want int }{{1, 20, 40}, {20, 21, 20}, {21, 30, 20}} {
		give(t, e, b.blocks[c.from:c.to]...)
		shut(t, e)
		e = open(t, Config{DataDir: dir, Params: b.params})
		info, err := os.Stat(filepath.Join(dir, "headers.dat"))
		if err != nil {
			t.Fatal(err)
		}
		if n := int(info.Size() / headerSize); n != c.want {
			t.Errorf("with %d blocks the file has %d headers, want %d", c.to-1, n, c.want)
		}
	}
}

// A block that was found invalid, and its descendants, do not come back from
// the file as the best header, nor count as damage.
func TestAnInvalidBranchStaysInvalidAfterARestart(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(2, time.Minute)
	b.mineWith(time.Minute, tooRich)
	b.mine(3, time.Minute)
	dir := t.TempDir()
	e := open(t, Config{DataDir: dir, Params: b.params})
	giveHeaders(t, e, b.blocks[1:]...)
	give(t, e, b.blocks[1:3]...)
	giveOne(t, e, b.blocks[3])
	shut(t, e)
	l := new(logs)
	e = open(t, Config{DataDir: dir, Params: b.params, Log: l.add})
	if tips := e.Tips(); tips.Header.Height != 2 || l.has("damaged") {
		t.Errorf("the tips are %+v, the log is %q", tips, l.lines)
	}
}

func TestADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	open(t, Config{DataDir: dir, Params: &chaincfg.RegressionNetParams})
	_, err := Open(Config{DataDir: dir, Params: &chaincfg.RegressionNetParams})
	want := "--datadir: " + dir + " is in use by another process; stop that one or choose another directory"
	if err == nil || err.Error() != want {
		t.Errorf("the error is %q, want %q", err, want)
	}
}

func TestADirectoryOfAnotherNetwork(t *testing.T) {
	dir := closedTestnet3(t, 1)
	_, err := Open(Config{DataDir: dir, Params: &chaincfg.RegressionNetParams})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "another network than regtest") {
		t.Errorf("the error is %q", err)
	}
}

func TestOpenCanBeInterrupted(t *testing.T) {
	dir := closedTestnet3(t, 3000)
	stop := make(chan struct{})
	close(stop)
	_, err := Open(Config{DataDir: dir, Params: &chaincfg.TestNet3Params, Interrupt: stop})
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("the error is %v", err)
	}
	wantHeaders(t, dir, 3000, "nothing was lost")
}

package engine

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

func hashes(blocks ...*wire.MsgBlock) []chainhash.Hash {
	var all []chainhash.Hash
	for _, b := range blocks {
		all = append(all, b.BlockHash())
	}
	return all
}

// twoBranches is an engine with the blocks of a chain up to height 20, its
// headers up to 40, and the headers of a branch of less work that leaves it at
// height 10 and ends at 30.
func twoBranches(t testing.TB) (e *Engine, main, side *branch) {
	main = newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(40, time.Minute)
	side = main.fork(10, 1)
	side.mine(20, time.Minute)
	e = open(t, Config{Params: main.params})
	giveHeaders(t, e, main.blocks[1:]...)
	give(t, e, main.blocks[1:21]...)
	giveHeaders(t, e, side.blocks[11:]...)
	return e, main, side
}

func TestLocator(t *testing.T) {
	e, main, side := twoBranches(t)
	for _, c := range []struct {
		why  string
		q    chain.GetLocator
		b    *branch
		from int
		want []int
	}{
		{"the best header", chain.GetLocator{}, main, 40, []int{40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 28, 24, 16, 0}},
		{"its parent", chain.GetLocator{Parent: true}, main, 39, []int{39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 27, 23, 15, 0}},
		{"a side branch", chain.GetLocator{From: side.tip().BlockHash()}, side, 30, []int{30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 18, 14, 6, 0}},
		{"the genesis block", chain.GetLocator{From: *main.params.GenesisHash, Parent: true}, main, 0, []int{0}},
	} {
		l := ask[chain.Locator](t, e, c.q)
		if l.Tip.Height != int32(c.from) || len(l.Hashes) != len(c.want) {
			t.Errorf("%s: from %d with %d hashes, want %d and %d", c.why, l.Tip.Height, len(l.Hashes), c.from, len(c.want))
			continue
		}
		for i, height := range c.want {
			if *l.Hashes[i] != c.b.blocks[height].BlockHash() {
				t.Errorf("%s: hash %d is not that of height %d", c.why, i, height)
			}
		}
	}
	if l := ask[chain.Locator](t, e, chain.GetLocator{From: chainhash.Hash{1}}); len(l.Hashes) != 0 {
		t.Error("there is a locator of an unknown header")
	}
}

func TestPath(t *testing.T) {
	e, main, side := twoBranches(t)
	check := func(why string, q chain.GetPath, b *branch, low, high, have int) {
		t.Helper()
		p := ask[chain.Path](t, e, q)
		if !p.Known || p.Have != have || len(p.Missing) != high-low+1 {
			t.Errorf("%s: %d missing, %d had, want %d and %d", why, len(p.Missing), p.Have, high-low+1, have)
			return
		}
		for i, m := range p.Missing {
			if m.Height != int32(low+i) || m.Hash != b.blocks[low+i].BlockHash() || m.Work != e.tree.must(m.Hash).Work {
				t.Errorf("%s: %+v is not height %d", why, m, low+i)
			}
		}
	}
	check("from the best block on", chain.GetPath{Max: 100}, main, 21, 40, 0)
	check("not more than asked for", chain.GetPath{Max: 3}, main, 21, 23, 0)
	check("after a block", chain.GetPath{After: main.blocks[25].BlockHash(), Max: 5}, main, 26, 30, 0)
	check("after a block that is there anyway", chain.GetPath{After: main.blocks[5].BlockHash(), Max: 5}, main, 21, 25, 0)
	check("to a side branch", chain.GetPath{To: side.tip().BlockHash(), Max: 100}, side, 11, 30, 0)
	check("to the best block", chain.GetPath{To: main.blocks[20].BlockHash(), Max: 9}, main, 1, 0, 0)
	give(t, e, side.blocks[11:14]...)
	check("what is stored is left out", chain.GetPath{To: side.tip().BlockHash(), Max: 4}, side, 14, 17, 3)
	if p := ask[chain.Path](t, e, chain.GetPath{To: chainhash.Hash{1}, Max: 5}); p.Known {
		t.Error("there is a path to an unknown header")
	}
}

// A path can be longer than what is looked up at once.
func TestLongPath(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(2*pathChunk+50, time.Minute)
	e := open(t, Config{Params: b.params})
	giveHeaders(t, e, b.blocks[1:]...)
	p := ask[chain.Path](t, e, chain.GetPath{Max: 2*pathChunk + 10})
	if len(p.Missing) != 2*pathChunk+10 {
		t.Fatalf("%d missing", len(p.Missing))
	}
	for i, m := range p.Missing {
		if m.Hash != b.blocks[i+1].BlockHash() || m.Height != int32(i+1) {
			t.Fatalf("%+v is not height %d", m, i+1)
		}
	}
}

func TestForks(t *testing.T) {
	e, main, side := twoBranches(t)
	q := chain.GetForks{Hashes: append(hashes(main.blocks[40], main.blocks[7], side.blocks[30], side.blocks[11]), chainhash.Hash{1})}
	f := ask[chain.Forks](t, e, q)
	for i, want := range []struct{ height, shared int32 }{{40, 40}, {7, 7}, {30, 10}, {11, 10}, {0, 0}} {
		if f.Points[i].Height != want.height || f.Shared[i].Height != want.shared {
			t.Errorf("hash %d: height %d, shared %d, want %+v", i, f.Points[i].Height, f.Shared[i].Height, want)
		}
	}
	if f.Points[4] != (chain.Point{}) || f.Shared[4] != (chain.Point{}) {
		t.Error("an unknown header has a point")
	}
	q.To = side.blocks[12].BlockHash()
	f = ask[chain.Forks](t, e, q)
	for i, want := range []int32{10, 7, 12, 11, 0} {
		if f.Shared[i].Height != want {
			t.Errorf("from the side branch, hash %d: shared %d, want %d", i, f.Shared[i].Height, want)
		}
	}
}

func TestHeadersAndHashesAfterALocator(t *testing.T) {
	e, main, side := twoBranches(t)
	check := func(why string, locator []*chainhash.Hash, stop chainhash.Hash, low, high int) {
		t.Helper()
		h := ask[chain.Headers](t, e, chain.GetHeaders{Locator: locator, Stop: stop}).Headers
		s := ask[chain.Hashes](t, e, chain.GetHashes{Locator: locator, Stop: stop}).Hashes
		if len(h) != high-low+1 || len(s) != len(h) {
			t.Errorf("%s: %d headers and %d hashes, want %d", why, len(h), len(s), high-low+1)
			return
		}
		for i := range h {
			if want := main.blocks[low+i].BlockHash(); h[i].BlockHash() != want || s[i] != want {
				t.Errorf("%s: number %d is not height %d", why, i, low+i)
			}
		}
	}
	at := func(b *branch, height int) *chainhash.Hash { return &hashes(b.blocks[height])[0] }
	check("up to the best block, not beyond", []*chainhash.Hash{at(main, 15)}, chainhash.Hash{}, 16, 20)
	check("the first that is in the chain counts", []*chainhash.Hash{at(main, 30), at(side, 12), at(main, 18)}, chainhash.Hash{}, 19, 20)
	check("nothing in common but the genesis block", []*chainhash.Hash{{1}}, chainhash.Hash{}, 1, 20)
	check("up to a stop", []*chainhash.Hash{at(main, 3)}, *at(main, 6), 4, 6)
	check("a stop behind", []*chainhash.Hash{at(main, 3)}, *at(main, 2), 4, 20)
	check("at the tip", []*chainhash.Hash{at(main, 20)}, chainhash.Hash{}, 21, 20)

	one := ask[chain.Headers](t, e, chain.GetHeaders{Stop: *at(side, 12)}).Headers
	if len(one) != 1 || one[0].BlockHash() != *at(side, 12) {
		t.Errorf("without a locator: %d headers", len(one))
	}
	if none := ask[chain.Headers](t, e, chain.GetHeaders{Stop: chainhash.Hash{1}}).Headers; len(none) != 0 {
		t.Errorf("an unknown header: %d headers", len(none))
	}
}

func TestBlocksHashesAndHeaders(t *testing.T) {
	e, main, side := twoBranches(t)
	var want bytes.Buffer
	if err := main.blocks[7].Serialize(&want); err != nil {
		t.Fatal(err)
	}
	for _, witness := range []bool{true, false} {
		b := ask[chain.Block](t, e, chain.GetBlock{Hash: main.blocks[7].BlockHash(), Witness: witness})
		if b.Height != 7 || !bytes.Equal(b.Payload, want.Bytes()) {
			t.Errorf("witness %v: height %d, %d bytes", witness, b.Height, len(b.Payload))
		}
	}
	// The bytes of a block are its reader's: nobody else has them.
	a := ask[chain.Block](t, e, chain.GetBlock{Hash: main.blocks[7].BlockHash(), Witness: true})
	b := ask[chain.Block](t, e, chain.GetBlock{Hash: main.blocks[7].BlockHash(), Witness: true})
	clear(a.Payload)
	if !bytes.Equal(b.Payload, want.Bytes()) {
		t.Error("two readers of a block share its bytes")
	}

	for _, hash := range hashes(main.blocks[21], side.blocks[11]) {
		if b := ask[chain.Block](t, e, chain.GetBlock{Hash: hash}); b.Payload != nil || b.Hash != hash {
			t.Errorf("a block that is not there: %+v", b)
		}
	}

	if h := ask[chain.HashAt](t, e, chain.GetHash{Height: 20}); !h.Known || h.Hash != main.blocks[20].BlockHash() {
		t.Errorf("height 20: %+v", h)
	}
	for _, height := range []int32{-1, 21} {
		if h := ask[chain.HashAt](t, e, chain.GetHash{Height: height}); h.Known {
			t.Errorf("height %d: %+v", height, h)
		}
	}

	h := ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: main.blocks[19].BlockHash()})
	if !h.Known || !h.InBestChain || h.Header != main.blocks[19].Header || h.Next != main.blocks[20].BlockHash() ||
		h.Point.Height != 19 || !h.MedianTime.Equal(main.blocks[14].Header.Timestamp) {
		t.Errorf("height 19: %+v", h)
	}
	h = ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: side.blocks[11].BlockHash()})
	if !h.Known || h.InBestChain || h.Next != (chainhash.Hash{}) {
		t.Errorf("a side branch: %+v", h)
	}
	if h := ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: chainhash.Hash{1}}); h.Known {
		t.Errorf("an unknown header: %+v", h)
	}
}

// A template is what the next block has to look like: one that is mined by it
// is accepted.
func TestTemplate(t *testing.T) {
	p := testParams()
	b := newBranch(t, p)
	b.mine(19, 20*time.Second)
	e := open(t, Config{Params: p})
	give(t, e, b.blocks[1:]...)
	tpl := ask[chain.Made](t, e, chain.MakeTemplate{Time: b.tip().Header.Timestamp.Add(-time.Hour)})
	if tpl.Prev != e.Tips().Block || tpl.Bits != b.nextBits() || tpl.Bits == p.PowLimitBits || tpl.Subsidy != 50e8 {
		t.Errorf("the template is %+v", tpl)
	}
	if !tpl.MinTime.Equal(b.blocks[14].Header.Timestamp.Add(time.Second)) {
		t.Errorf("the earliest time is %v", tpl.MinTime)
	}
	next := b.mineWith(time.Minute, func(m *wire.MsgBlock) {
		m.Header.Version, m.Header.Bits, m.Header.Timestamp = tpl.Version, tpl.Bits, tpl.MinTime
	})
	give(t, e, next)
}

// stuck is a block that takes its time, under btcd's chain lock.
type stuck struct{ begun, end chan struct{} }

func (s *stuck) Init(*blockchain.BlockChain, <-chan struct{}) error { return nil }
func (s *stuck) DisconnectBlock(database.Tx, *btcutil.Block, []blockchain.SpentTxOut) error {
	return nil
}

func (s *stuck) ConnectBlock(_ database.Tx, b *btcutil.Block, _ []blockchain.SpentTxOut) error {
	if b.Height() == 21 {
		close(s.begun)
		<-s.end
	}
	return nil
}

// TestL1NoReaderWaitsForABlock: every read is answered while a block is being
// processed that does not come to an end before they are.
func TestL1NoReaderWaitsForABlock(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(30, time.Minute)
	s := &stuck{begun: make(chan struct{}), end: make(chan struct{})}
	e := open(t, Config{Params: b.params, hook: s})
	giveHeaders(t, e, b.blocks[1:]...)
	give(t, e, b.blocks[1:21]...)

	processed := make(chan chain.BlockApplied, 1)
	go func() {
		q := chain.ApplyBlock{Block: b.blocks[21]}
		processed <- e.Worker().Handle(context.Background(), actor.Input{Body: q}).(chain.BlockApplied)
	}()
	<-s.begun
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		e.Tips()
		ask[chain.Locator](t, e, chain.GetLocator{})
		ask[chain.Path](t, e, chain.GetPath{Max: 5})
		ask[chain.Forks](t, e, chain.GetForks{Hashes: hashes(b.blocks[5])})
		if h := ask[chain.Headers](t, e, chain.GetHeaders{Locator: []*chainhash.Hash{{1}}}); len(h.Headers) != 20 {
			t.Errorf("%d headers", len(h.Headers))
		}
		ask[chain.Hashes](t, e, chain.GetHashes{Locator: []*chainhash.Hash{{1}}})
		if bl := ask[chain.Block](t, e, chain.GetBlock{Hash: b.blocks[3].BlockHash()}); bl.Payload == nil {
			t.Error("no block")
		}
		ask[chain.HashAt](t, e, chain.GetHash{Height: 3})
		ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: b.blocks[3].BlockHash()})
	}()
	select {
	case <-answered:
	case <-time.After(time.Minute):
		t.Error("a reader waits for the block")
	}
	close(s.end)
	<-answered
	if a := <-processed; a.Verdict.Code != chain.OK || a.Tips.Block.Height != 21 {
		t.Errorf("the block: %+v", a.Verdict)
	}
}

// Readers see a chain that is a chain, however often it is reorganised.
func TestReadersDuringReorganisations(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(20, time.Minute)
	e := open(t, Config{Params: main.params})
	give(t, e, main.blocks[1:]...)
	over := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				h := ask[chain.Headers](t, e, chain.GetHeaders{Locator: []*chainhash.Hash{main.params.GenesisHash}}).Headers
				last := *main.params.GenesisHash
				for _, x := range h {
					if x.PrevBlock != last {
						t.Error("the headers are no chain")
					}
					last = x.BlockHash()
				}
				l := ask[chain.Locator](t, e, chain.GetLocator{})
				if *l.Hashes[len(l.Hashes)-1] != *main.params.GenesisHash || *l.Hashes[0] != l.Tip.Hash {
					t.Error("the locator is none")
				}
				ask[chain.Path](t, e, chain.GetPath{To: main.tip().BlockHash(), Max: 20})
				ask[chain.Forks](t, e, chain.GetForks{Hashes: hashes(main.blocks[7], main.tip())})
			}
		})
	}
	tip := main
	for tag := byte(1); tag < 12; tag++ {
		rival := tip.fork(tip.height()-8, tag)
		rival.mine(10, time.Minute)
		give(t, e, rival.blocks[tip.height()-7:]...)
		tip = rival
	}
	close(over)
	readers.Wait()
	if got := e.Tips().Block; got.Hash != tip.tip().BlockHash() {
		t.Errorf("the tip is %+v", got)
	}
}

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
	a := ask[chain.BlockApplied](t, e, chain.ApplyBlock{}) // a nil block
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

func TestWitnessDataIsStripped(t *testing.T) {
	e, main, _ := twoBranches(t)
	plain := main.blocks[1]
	with := &wire.MsgBlock{Header: plain.Header, Transactions: []*wire.MsgTx{plain.Transactions[0].Copy()}}
	with.Transactions[0].TxIn[0].Witness = wire.TxWitness{{1, 2, 3}}
	var stored, want bytes.Buffer
	if err := with.Serialize(&stored); err != nil {
		t.Fatal(err)
	}
	if err := plain.Serialize(&want); err != nil {
		t.Fatal(err)
	}
	if got := e.withoutWitness(stored.Bytes()); !bytes.Equal(got, want.Bytes()) || stored.Len() == want.Len() {
		t.Errorf("%d bytes, want %d", len(got), want.Len())
	}
}

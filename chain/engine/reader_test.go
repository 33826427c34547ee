package engine

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
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
		{"the parent of height 1", chain.GetLocator{From: main.blocks[1].BlockHash(), Parent: true}, main, 0, []int{0}},
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

// A branch that is known to be invalid has no forks: nobody may follow it.
func TestForksOfAnInvalidBranch(t *testing.T) {
	main := newBranch(t, &chaincfg.RegressionNetParams)
	main.mine(2, time.Minute)
	bad := main.mineWith(time.Minute, tooRich)
	main.mine(2, time.Minute)
	e := open(t, Config{Params: main.params})
	giveHeaders(t, e, main.blocks[1:]...)
	give(t, e, main.blocks[1:3]...)
	giveOne(t, e, bad)
	f := ask[chain.Forks](t, e, chain.GetForks{Hashes: hashes(main.blocks[2], bad, main.tip())})
	if f.Points[0].Height != 2 || f.Shared[0].Height != 2 {
		t.Errorf("the block before: %+v", f)
	}
	for i := 1; i < 3; i++ {
		if f.Points[i] != (chain.Point{}) || f.Shared[i] != (chain.Point{}) {
			t.Errorf("hash %d is on the invalid branch: %+v, shared %+v", i, f.Points[i], f.Shared[i])
		}
	}
	if f := ask[chain.Forks](t, e, chain.GetForks{To: main.tip().BlockHash(), Hashes: hashes(main.blocks[2])}); f.Points[0] != (chain.Point{}) {
		t.Errorf("to the invalid branch: %+v", f)
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

	if one := ask[chain.Headers](t, e, chain.GetHeaders{Stop: *at(main, 12)}).Headers; len(one) != 1 || one[0].BlockHash() != *at(main, 12) {
		t.Errorf("without a locator: %d headers", len(one))
	}
	for why, hash := range map[string]chainhash.Hash{"unknown": {1}, "of a header alone": *at(side, 12), "ahead of the blocks": *at(main, 30)} {
		if none := ask[chain.Headers](t, e, chain.GetHeaders{Stop: hash}).Headers; len(none) != 0 {
			t.Errorf("%s: %d headers", why, len(none))
		}
	}
}

// A block that a reorganisation has just put aside is served for a month: peers have heard of
// it. One that was never part of the best chain is not.
func TestABlockThatHasLeftTheChainIsServed(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(5, time.Minute)
	longer, never := b.fork(3, 1), b.fork(3, 2)
	longer.mine(4, time.Minute)
	never.mine(1, time.Minute)
	e := open(t, Config{Params: b.params})
	give(t, e, b.blocks[1:]...)
	give(t, e, never.blocks[4])
	give(t, e, longer.blocks[4:]...)
	served := func(block *wire.MsgBlock) bool {
		hash := block.BlockHash()
		a := ask[chain.Block](t, e, chain.GetBlock{Hash: hash, Witness: true})
		n := len(ask[chain.Headers](t, e, chain.GetHeaders{Stop: hash}).Headers)
		if (a.Payload != nil) != (n == 1) || n == 1 && !bytes.Equal(a.Payload, fixture.Payload(block)) {
			t.Errorf("%d headers and %d bytes", n, len(a.Payload))
		}
		return n == 1
	}
	if !served(b.blocks[5]) || !served(b.blocks[4]) || served(never.blocks[4]) || !served(longer.blocks[7]) {
		t.Error("what was part of the best chain is served, and nothing else")
	}
	if a := ask[chain.Block](t, e, chain.GetBlock{Hash: b.blocks[5].BlockHash()}); a.Height != 5 {
		t.Errorf("its height is %d", a.Height)
	}
	e.mu.Lock()
	e.tips.Header.Time = b.blocks[5].Header.Timestamp.Add(staleAge)
	e.mu.Unlock()
	if served(b.blocks[5]) {
		t.Error("after a month it is not")
	}
	if !served(longer.blocks[4]) {
		t.Error("the age of what is in the best chain does not matter")
	}
}

// The oldest is forgotten. A block that leaves a second time is not remembered twice.
func TestBlocksThatHaveLeftAreBounded(t *testing.T) {
	var l left
	at := func(i int) chain.Point { return chain.Point{Hash: chainhash.Hash{byte(i), byte(i >> 8), 1}} }
	for i := range maxLeft {
		l.add(at(i))
		l.add(at(0))
	}
	_, first := l.at[at(0).Hash]
	l.add(at(maxLeft))
	_, still := l.at[at(0).Hash]
	if !first || still || len(l.at) != maxLeft || len(l.order) != maxLeft {
		t.Errorf("%d are remembered, %d in order; the first one: %v, then %v", len(l.at), len(l.order), first, still)
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

// The subsidy is that of the block to come, not of the best one. A miner who took
// the best block's would be paid twice as much in the first block after a halving,
// and nobody would take that block.
func TestATemplateAcrossAHalving(t *testing.T) {
	p := &chaincfg.RegressionNetParams
	halving := int(p.SubsidyReductionInterval)
	b := newBranch(t, p)
	b.mine(halving-2, time.Minute)
	e := open(t, Config{Params: p})
	give(t, e, b.blocks[1:]...)
	for _, want := range []int64{50e8, 25e8, 25e8} {
		tpl := ask[chain.Made](t, e, chain.MakeTemplate{})
		if tpl.Subsidy != want {
			t.Errorf("the subsidy of height %d is %d, want %d", tpl.Prev.Height+1, tpl.Subsidy, want)
		}
		give(t, e, b.mineWith(time.Minute, func(m *wire.MsgBlock) { m.Transactions[0].TxOut[0].Value = tpl.Subsidy }))
	}
	v := giveOne(t, e, b.mineWith(time.Minute, tooRich)).Verdict
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-cb-amount", "the subsidy is all there is")
}

// A template is for the best block. Headers ahead of it change nothing, although they lie
// beyond a halving and a change of the difficulty.
func TestATemplateIsNotForTheHeadersAhead(t *testing.T) {
	p := testParams()
	p.SubsidyReductionInterval = 12
	b := newBranch(t, p)
	b.mine(8, 20*time.Second)
	e := open(t, Config{Params: p})
	give(t, e, b.blocks[1:]...)
	before := ask[chain.Made](t, e, chain.MakeTemplate{Time: b.tip().Header.Timestamp}).Template
	if before.Subsidy != 50e8 || before.Bits != p.PowLimitBits {
		t.Fatalf("the template is %+v", before)
	}
	b.mine(7, 20*time.Second)
	giveHeaders(t, e, b.blocks[9:]...)
	if e.Tips().Header.Height != 15 || b.nextBits() == p.PowLimitBits {
		t.Fatalf("the tips are %+v, the difficulty %x", e.Tips(), b.nextBits())
	}
	if got := ask[chain.Made](t, e, chain.MakeTemplate{Time: b.blocks[8].Header.Timestamp}).Template; !reflect.DeepEqual(got, before) {
		t.Errorf("with headers ahead the template is %+v, without them %+v", got, before)
	}
}

// On testnet3 the difficulty of a block depends on its time: who waits for more
// than twenty minutes may take the least. So a template is for the time asked for.
func TestATemplateIsForItsTime(t *testing.T) {
	p := testParams()
	p.ReduceMinDifficulty = true
	b := newBranch(t, p)
	b.mine(15, 20*time.Second)
	e := open(t, Config{Params: p})
	give(t, e, b.blocks[1:]...)
	for wait, want := range map[time.Duration]uint32{
		-time.Hour:                             b.nextBits(),
		p.MinDiffReductionTime:                 b.nextBits(),
		p.MinDiffReductionTime + time.Second/2: b.nextBits(), // headers have whole seconds
		p.MinDiffReductionTime + 2*time.Second: p.PowLimitBits,
	} {
		at := b.tip().Header.Timestamp.Add(wait)
		if tpl := ask[chain.Made](t, e, chain.MakeTemplate{Time: at}).Template; tpl.Bits != want {
			t.Errorf("%v after the best block: the difficulty is %x, want %x", wait, tpl.Bits, want)
		}
	}
	if b.nextBits() == p.PowLimitBits {
		t.Error("the difficulty is the least anyway")
	}
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

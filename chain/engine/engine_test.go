package engine

import (
	"flag"
	"math/big"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

var allBlocks = flag.Bool("allblocks", false, "connect all 14,131 blocks of mainnet that btcd's module has, not 2,500")

// Real blocks of mainnet's first weeks, every script run: the checkpoints, below
// which btcd skips scripts, are switched off.
func TestMainnetBlocksConnect(t *testing.T) {
	n := 2_501 // with the first retarget
	if *allBlocks {
		n = fixture.MainnetBlockCount
	}
	blocks := fixture.MainnetBlocks(n)
	e := open(t, Config{Params: &chaincfg.MainNetParams, NoCheckpoints: true})
	for height := 1; height < n; height++ {
		a := giveOne(t, e, blocks[height])
		if a.Verdict.Code != chain.OK || !a.Verdict.InBestChain || a.Verdict.Tip.Height != int32(height) {
			t.Fatalf("height %d: %+v", height, a.Verdict)
		}
		want := 1
		if len(blocks[height].Transactions) > 1 {
			want = 2 // the block, and the transactions that it confirms
		}
		if len(a.Events) != want {
			t.Fatalf("height %d: %d events, want %d", height, len(a.Events), want)
		}
		c, ok := a.Events[0].(chain.BlockConnected)
		if !ok || c.Point != a.Tips.Block || c.Source != 42 || c.Header != blocks[height].Header {
			t.Fatalf("height %d: the event is %+v", height, a.Events[0])
		}
	}
	tips := e.Tips()
	if tips.Block != tips.Header || tips.Block.Hash != blocks[n-1].BlockHash() {
		t.Errorf("the tips are %+v", tips)
	}
	// The protocol's bounds on one answer.
	genesis := []*chainhash.Hash{chaincfg.MainNetParams.GenesisHash}
	headers := ask[chain.Headers](t, e, chain.GetHeaders{Locator: genesis}).Headers
	hashes := ask[chain.Hashes](t, e, chain.GetHashes{Locator: genesis}).Hashes
	if len(headers) != 2000 || len(hashes) != 500 {
		t.Errorf("one answer has %d headers and %d hashes, want 2000 and 500", len(headers), len(hashes))
	}
	// Every block so far has difficulty 1.
	if got, want := tips.Block.Work.Big(), new(big.Int).Mul(blockchain.CalcWork(0x1d00ffff), big.NewInt(int64(n))); got.Cmp(want) != 0 {
		t.Errorf("the work is %v, want %v", got, want)
	}
}

// Real testnet3 headers with its storms, time warps and 20-minute rule.
func TestTestnet3HeadersAreAccepted(t *testing.T) {
	headers := fixture.Testnet3Headers()
	e := open(t, Config{Params: &chaincfg.TestNet3Params})
	work := blockchain.CalcWork(headers[0].Bits)
	for from := 1; from < len(headers); from += wire.MaxBlockHeadersPerMsg {
		batch := headers[from:min(from+wire.MaxBlockHeadersPerMsg, len(headers))]
		a := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: batch})
		v := a.Verdict
		if v.Code != chain.OK || v.New != len(batch) || v.Accepted != len(batch) {
			t.Fatalf("headers from %d: %+v", from, v)
		}
		for _, h := range batch {
			work.Add(work, blockchain.CalcWork(h.Bits))
		}
		last := batch[len(batch)-1]
		if v.Last.Hash != last.BlockHash() || v.Last.Height != int32(from+len(batch)-1) ||
			v.Last.Work.Big().Cmp(work) != 0 || !v.Last.Time.Equal(last.Timestamp) {
			t.Fatalf("headers from %d: the last is %+v, want work %v", from, v.Last, work)
		}
		if v.Best != v.Last || v.Fork != v.Last || a.Tips.Header != v.Last || a.Tips.Block.Height != 0 {
			t.Fatalf("headers from %d: %+v", from, a)
		}
	}
	// The work that bitcoinj's checkpoints of testnet3 state.
	for height, want := range map[int]uint64{2016: 8663081224161, 8064: 188178273512229, 20160: 410481118825264, 40320: 4476620873395240} {
		h := ask[chain.HeaderInfo](t, e, chain.GetHeader{Hash: headers[height].BlockHash()})
		if h.Point.Work != chain.WorkFrom64(want) || h.Point.Height != int32(height) {
			t.Errorf("height %d: %+v, want work %d", height, h.Point, want)
		}
	}
	again := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers[100:2100]}).Verdict
	if again.Accepted != 2000 || again.New != 0 || again.Fork.Height != 2099 {
		t.Errorf("headers given twice: %+v", again)
	}
}

// What comes before the first bad header counts.
func TestHeadersUpToTheFirstBadOne(t *testing.T) {
	headers := fixture.Testnet3Headers()
	e := open(t, Config{Params: &chaincfg.TestNet3Params})
	with := func(at int, change func(*wire.BlockHeader)) chain.HeadersVerdict {
		batch := append([]*wire.BlockHeader(nil), headers[1:20]...)
		bad := *batch[at]
		change(&bad)
		batch[at] = &bad
		return ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: batch}).Verdict
	}
	v := with(7, func(h *wire.BlockHeader) { h.Nonce++ })
	wantCode(t, v.Code, chain.Invalid, v.Reason, "high-hash", "no work")
	if v.Accepted != 7 || v.New != 7 || v.Last.Height != 7 || v.Best.Height != 7 {
		t.Errorf("the verdict is %+v", v)
	}
	v = with(7, func(h *wire.BlockHeader) { h.Bits = 0x1e00ffff })
	wantCode(t, v.Code, chain.Invalid, v.Reason, "bad-diffbits", "easier than allowed")
	if v.Accepted != 7 || v.New != 0 {
		t.Errorf("the verdict is %+v", v)
	}
	v = with(9, func(h *wire.BlockHeader) { h.PrevBlock[3]++ })
	wantCode(t, v.Code, chain.Orphan, v.Reason, "prev-blk-not-found", "a gap")

	v = ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers[30:40]}).Verdict
	wantCode(t, v.Code, chain.Orphan, v.Reason, "prev-blk-not-found", "an unknown parent")
	if v.Last != (chain.Point{}) {
		t.Errorf("nothing was accepted, and the last is %+v", v.Last)
	}
	v = ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{}).Verdict
	wantCode(t, v.Code, chain.OK, v.Reason, "", "no headers at all")
	v = ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers[:5]}).Verdict
	if v.Accepted != 5 {
		t.Errorf("headers with the genesis block: %+v", v)
	}
}

func TestACheckpointIsObeyed(t *testing.T) {
	headers := fixture.Testnet3Headers()
	wrong := chaincfg.Checkpoint{Height: 15, Hash: chaincfg.TestNet3Params.GenesisHash}
	e := open(t, Config{Params: &chaincfg.TestNet3Params, AddCheckpoints: []chaincfg.Checkpoint{wrong}})
	v := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers[1:100]}).Verdict
	wantCode(t, v.Code, chain.Checkpoint, v.Reason, "checkpoint mismatch", "the user said otherwise")
	if v.Accepted != 14 {
		t.Errorf("the verdict is %+v", v)
	}
	e = open(t, Config{Params: &chaincfg.TestNet3Params, AddCheckpoints: []chaincfg.Checkpoint{wrong}, NoCheckpoints: true})
	if v := ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers[1:100]}).Verdict; v.Accepted != 99 {
		t.Errorf("without checkpoints: %+v", v)
	}
}

// A header two hours and more ahead of our clock is not bad: it is too new.
func TestTooNewIsNotBad(t *testing.T) {
	p := testParams()
	b := newBranch(t, p)
	b.mine(3, time.Minute)
	later := b.mineWith(time.Minute, func(m *wire.MsgBlock) {
		m.Header.Timestamp = second(time.Now().Add(2*time.Hour + 5*time.Minute))
	})
	e := open(t, Config{Params: p})
	v := giveHeaders(t, e, b.blocks[1:]...)
	wantCode(t, v.Code, chain.TooNew, v.Reason, "time-too-new", "ahead of our clock")
	if v.Accepted != 3 {
		t.Errorf("the verdict is %+v", v)
	}
	give(t, e, b.blocks[1:4]...)
	a := giveOne(t, e, later)
	wantCode(t, a.Verdict.Code, chain.TooNew, a.Verdict.Reason, "time-too-new", "the block too")
	if len(e.valid.bad) != 0 {
		t.Error("it was condemned")
	}
}

// The chain with the most work wins, though it is the lower one: btcd's own
// notifications come out in order, and readers follow.
func TestReorganisationToALowerHeight(t *testing.T) {
	p := testParams()
	long := newBranch(t, p)
	long.mine(9, time.Minute)
	short := long.fork(5, 1)
	long.mine(36, 2*time.Minute) // slow: stays at the lowest difficulty
	short.mine(30, time.Second)  // fast: four times the work each period

	e := open(t, Config{Params: p})
	give(t, e, long.blocks[1:]...)
	var events []chain.Event
	switched := 0
	for height := 6; height <= short.height() && switched == 0; height++ {
		a := giveOne(t, e, short.blocks[height])
		if a.Verdict.Code != chain.OK {
			t.Fatalf("height %d: %+v", height, a.Verdict)
		}
		if a.Verdict.InBestChain {
			switched, events = height, a.Events
		} else if len(a.Events) != 0 || a.Tips.Block.Hash != long.tip().BlockHash() {
			t.Fatalf("height %d does not have the most work yet: %+v", height, a)
		}
	}
	if switched == 0 || switched >= long.height() {
		t.Fatalf("the reorganisation came at height %d, want one below %d", switched, long.height())
	}

	want := long.height() - 5 + switched - 5
	if len(events) != want {
		t.Fatalf("%d events, want %d", len(events), want)
	}
	for i, ev := range events {
		switch c := ev.(type) {
		case chain.BlockDisconnected:
			if h := long.height() - i; h <= 5 || c.Height != int32(h) || c.Hash != long.blocks[h].BlockHash() {
				t.Fatalf("event %d disconnects %+v", i, c)
			}
		case chain.BlockConnected:
			h := 6 + i - (long.height() - 5)
			if h < 6 || c.Height != int32(h) || c.Hash != short.blocks[h].BlockHash() {
				t.Fatalf("event %d connects %+v", i, c)
			}
			if fromPeer := c.Source == 42; fromPeer != (h == switched) {
				t.Errorf("event %d comes from %v", i, c.Source)
			}
		}
	}
	if tips := e.Tips(); tips.Block.Hash != short.blocks[switched].BlockHash() || tips.Header != tips.Block {
		t.Errorf("the tips are %+v", tips)
	}
	if h := ask[chain.HashAt](t, e, chain.GetHash{Height: 7}); h.Hash != short.blocks[7].BlockHash() {
		t.Error("readers do not follow")
	}
}

// Events are repeated until chain has confirmed them, and then forgotten.
func TestEventsAreKeptUntilTheyAreSeen(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(4, time.Minute)
	e := open(t, Config{Params: b.params})
	apply := func(height int, seen uint64) chain.Changes {
		return ask[chain.BlockApplied](t, e, chain.ApplyBlock{Payload: fixture.Payload(b.blocks[height]), Seen: seen}).Changes
	}
	if c := apply(1, 0); c.Last != 1 || len(c.Events) != 1 {
		t.Errorf("the first block: %d events up to %d", len(c.Events), c.Last)
	}
	if c := apply(2, 0); c.Last != 2 || len(c.Events) != 2 {
		t.Errorf("nothing was confirmed: %d events up to %d", len(c.Events), c.Last)
	}
	if c := apply(3, 1); c.Last != 3 || len(c.Events) != 2 {
		t.Errorf("one was confirmed: %d events up to %d", len(c.Events), c.Last)
	}
	// A chain that has been rebuilt knows nothing.
	c := ask[chain.CaughtUp](t, e, chain.CatchUp{}).Changes
	if c.Last != 3 || len(c.Events) != 2 || c.Tips.Block.Height != 3 {
		t.Errorf("after a crash: %d events up to %d", len(c.Events), c.Last)
	}
	if c := ask[chain.CaughtUp](t, e, chain.CatchUp{Seen: 3}).Changes; len(c.Events) != 0 {
		t.Errorf("all were confirmed: %d events", len(c.Events))
	}
	if c := apply(4, 3); c.Last != 4 || len(c.Events) != 1 {
		t.Errorf("the next block: %d events up to %d", len(c.Events), c.Last)
	}
}

// An event says how big its block is: all transactions, and their witness data.
func TestAnEventHasTheSizeOfItsBlock(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	block := b.mineWith(time.Minute, commit)
	e := open(t, Config{Params: b.params})
	a := giveOne(t, e, block)
	if len(a.Events) != 1 {
		t.Fatalf("%+v", a)
	}
	c, ok := a.Events[0].(chain.BlockConnected)
	if !ok || c.Txs != 1 || c.Size != block.SerializeSize() || c.Size == block.SerializeSizeStripped() {
		t.Errorf("a block of one transaction and %d bytes: %+v", block.SerializeSize(), a.Events[0])
	}
}

// btcd plants its clock in the parameters it is given: with shared ones the
// second chain's clock would be asked about the first one's blocks, know none of
// them, and no deployment would ever start.
func TestTwoChainsInOneProcess(t *testing.T) {
	p := chaincfg.MainNetParams
	dummy := &p.Deployments[chaincfg.DeploymentTestDummy]
	dummy.BitNumber = 28
	dummy.DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(time.Unix(1199145601, 0)) // 2008
	dummy.DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(time.Time{})                  // never
	first := open(t, Config{Params: &p})
	open(t, Config{Params: &p})
	give(t, first, fixture.MainnetBlocks(2_050)[1:]...)
	if tpl := ask[chain.Made](t, first, chain.MakeTemplate{}); tpl.Prev.Height != 2_049 || tpl.Version&(1<<28) == 0 {
		t.Errorf("the deployment of bit 28 has not started: %+v", tpl)
	}
}

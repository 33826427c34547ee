package engine

import (
	"context"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/fixture"
)

// logs collects what an engine logs.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) add(level actor.Level, msg string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if level <= actor.Info {
		l.lines = append(l.lines, msg)
	}
}

func (l *logs) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, part) {
			return true
		}
	}
	return false
}

// open opens an engine that is closed at the end of the test.
func open(t testing.TB, cfg Config) *Engine {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	cfg.UtxoCacheBytes = 50 << 20
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, e) })
	return e
}

func shut(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// ask asks the worker or the reader, as the driver does.
func ask[A any](t testing.TB, e *Engine, q any) A {
	t.Helper()
	h := e.Reader()
	switch q.(type) {
	case chain.ApplyHeaders, chain.ApplyBlock, chain.CatchUp, chain.MakeTemplate,
		chain.ApplyTx, chain.FindTxOut, chain.ApplyPriority, chain.WritePool:
		h = e.Worker()
	}
	answer := h.Handle(context.Background(), actor.Input{Body: q})
	if !actor.Fits(q, answer) {
		t.Fatalf("%T is answered with a %T", q, answer)
	}
	return answer.(A)
}

// give gives blocks to the engine, each of which must be accepted.
func give(t testing.TB, e *Engine, blocks ...*wire.MsgBlock) {
	t.Helper()
	for i, b := range blocks {
		if a := giveOne(t, e, b); a.Verdict.Code != chain.OK {
			t.Fatalf("block %d of %d: %+v", i, len(blocks), a.Verdict)
		}
	}
}

func giveOne(t testing.TB, e *Engine, b *wire.MsgBlock) chain.BlockApplied {
	t.Helper()
	return ask[chain.BlockApplied](t, e, chain.ApplyBlock{Payload: fixture.Payload(b), Hash: b.BlockHash(), Source: 42, Seen: e.last})
}

// giveHeaders gives the headers of blocks.
func giveHeaders(t testing.TB, e *Engine, blocks ...*wire.MsgBlock) chain.HeadersVerdict {
	t.Helper()
	var headers []*wire.BlockHeader
	for _, b := range blocks {
		headers = append(headers, &b.Header)
	}
	return ask[chain.HeadersApplied](t, e, chain.ApplyHeaders{Headers: headers}).Verdict
}

func wantCode(t testing.TB, code, want chain.Code, reason, wantReason, why string) {
	t.Helper()
	if code != want || reason != wantReason {
		t.Fatalf("%s: %v %q, want %v %q", why, code, reason, want, wantReason)
	}
}

// testParams is regtest with real retargeting every ten blocks, so that branches
// can differ in work per block.
func testParams() *chaincfg.Params {
	p := chaincfg.RegressionNetParams
	p.Name = "private"
	p.TargetTimePerBlock = time.Minute
	p.TargetTimespan = 10 * time.Minute
	p.ReduceMinDifficulty = false
	p.PoWNoRetargeting = false
	return &p
}

// branch is a chain of blocks that a test mines.
type branch struct {
	t      testing.TB
	params *chaincfg.Params
	blocks []*wire.MsgBlock // from the genesis block
	tag    byte             // makes blocks of different branches differ
}

func newBranch(t testing.TB, p *chaincfg.Params) *branch {
	return &branch{t: t, params: p, blocks: []*wire.MsgBlock{p.GenesisBlock}}
}

// fork is a branch that shares the blocks up to a height.
func (b *branch) fork(height int, tag byte) *branch {
	return &branch{t: b.t, params: b.params, blocks: append([]*wire.MsgBlock(nil), b.blocks[:height+1]...), tag: tag}
}

func (b *branch) tip() *wire.MsgBlock { return b.blocks[len(b.blocks)-1] }
func (b *branch) height() int         { return len(b.blocks) - 1 }

// mine appends n blocks, gap apart, and returns them.
func (b *branch) mine(n int, gap time.Duration) []*wire.MsgBlock {
	for range n {
		b.mineWith(gap, nil)
	}
	return b.blocks[len(b.blocks)-n:]
}

// mineWith appends a block that change has changed before it was solved.
func (b *branch) mineWith(gap time.Duration, change func(*wire.MsgBlock)) *wire.MsgBlock {
	height := len(b.blocks)
	msg := &wire.MsgBlock{Header: wire.BlockHeader{
		Version:   4,
		PrevBlock: b.tip().BlockHash(),
		Timestamp: b.tip().Header.Timestamp.Add(gap),
		Bits:      b.nextBits(),
	}}
	script, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddData([]byte{'m', 'i', 'n', 'e', b.tag}).Script()
	if err != nil {
		b.t.Fatal(err)
	}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex},
		SignatureScript:  script, Sequence: wire.MaxTxInSequenceNum,
	})
	coinbase.AddTxOut(&wire.TxOut{Value: blockchain.CalcBlockSubsidy(int32(height), b.params), PkScript: []byte{0x51}})
	msg.Transactions = []*wire.MsgTx{coinbase}
	if change != nil {
		change(msg)
	}
	msg.Header.MerkleRoot = merkleRoot(msg)
	solve(&msg.Header)
	b.blocks = append(b.blocks, msg)
	return msg
}

func merkleRoot(msg *wire.MsgBlock) chainhash.Hash {
	return blockchain.CalcMerkleRoot(btcutil.NewBlock(msg).Transactions(), false)
}

func solve(h *wire.BlockHeader) {
	target := blockchain.CompactToBig(h.Bits)
	for {
		hash := h.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return
		}
		h.Nonce++
	}
}

// nextBits is the retarget rule, as the BIPs' readers know it.
func (b *branch) nextBits() uint32 {
	last := b.tip().Header
	if b.params.PoWNoRetargeting || len(b.blocks)%10 != 0 {
		return last.Bits
	}
	span := last.Timestamp.Sub(b.blocks[len(b.blocks)-10].Header.Timestamp)
	whole := b.params.TargetTimespan
	span = min(max(span, whole/4), whole*4)
	target := blockchain.CompactToBig(last.Bits)
	target.Mul(target, big.NewInt(int64(span/time.Second))).Div(target, big.NewInt(int64(whole/time.Second)))
	if target.Cmp(b.params.PowLimit) > 0 {
		target = b.params.PowLimit
	}
	return blockchain.BigToCompact(target)
}

// tooRich makes a block's coinbase pay one satoshi too much.
func tooRich(msg *wire.MsgBlock) { msg.Transactions[0].TxOut[0].Value++ }

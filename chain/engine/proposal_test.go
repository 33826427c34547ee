package engine

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

// unsolve changes a block's nonce so that it has too little work.
func unsolve(msg *wire.MsgBlock) {
	for target := blockchain.CompactToBig(msg.Header.Bits); ; msg.Header.Nonce++ {
		hash := msg.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) > 0 {
			return
		}
	}
}

// A block that is proposed is held against all rules but its work, in Bitcoin Core's words.
// Nothing changes: it is no duplicate when it comes with its work.
func TestProposals(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(4, time.Minute)
	e := open(t, Config{Params: b.params})
	give(t, e, b.blocks[1:4]...)
	giveHeaders(t, e, b.blocks[4])
	rich := b.fork(3, 2).mineWith(time.Minute, tooRich)
	giveOne(t, e, rich)
	tag := byte(2)
	next := func(on int, change func(*wire.MsgBlock)) *wire.MsgBlock {
		tag++
		return b.fork(on, tag).mineWith(time.Minute, change)
	}
	good := next(3, nil)
	solved := good.Header.Nonce
	unsolve(good)
	mutated, early, wrongBits := next(3, nil), next(3, nil), next(3, nil)
	mutated.Header.MerkleRoot = chainhash.Hash{1}
	early.Header.Timestamp = b.blocks[1].Header.Timestamp
	wrongBits.Header.Bits--
	noCoinbase := next(3, func(msg *wire.MsgBlock) { msg.Transactions[0].TxIn[0].PreviousOutPoint.Index = 5 })
	before, last := e.Tips(), e.last
	for _, c := range []struct {
		why   string
		block *wire.MsgBlock
		code  chain.Code
		want  string
	}{
		{"a good one without work", good, chain.OK, ""},
		{"it pays too much", next(3, tooRich), chain.Invalid, "bad-cb-amount"},
		{"other transactions than its header says", mutated, chain.Mutated, "bad-txnmrklroot"},
		{"none", &wire.MsgBlock{Header: good.Header}, chain.Mutated, "bad-txnmrklroot"},
		{"no coinbase", noCoinbase, chain.Invalid, "bad-cb-missing"},
		{"it is too early", early, chain.Invalid, "time-too-old"},
		{"it says that it has too little work", wrongBits, chain.Invalid, "bad-diffbits"},
		{"witness data that it does not commit to", next(3, func(msg *wire.MsgBlock) {
			msg.Transactions[0].TxIn[0].Witness = wire.TxWitness{make([]byte, 32)}
		}), chain.Mutated, "unexpected-witness"},
		{"not on the best block", next(2, nil), chain.Orphan, "inconclusive-not-best-prevblk"},
		{"the best block itself", b.blocks[3], chain.Duplicate, "duplicate"},
		{"one of which the header is known", b.blocks[4], chain.Duplicate, "duplicate-inconclusive"},
		{"one that was bad", rich, chain.Invalid, "duplicate-invalid"},
	} {
		a := ask[chain.BlockApplied](t, e, chain.ApplyBlock{Payload: fixture.Payload(c.block), Hash: c.block.BlockHash(), Test: true, Seen: e.last})
		v := a.Verdict
		if v.Code != c.code || v.Reason != c.want || v.InBestChain || v.Hash != c.block.BlockHash() {
			t.Errorf("%s: %+v, want %v %q", c.why, v, c.code, c.want)
		}
	}
	if e.Tips() != before || e.last != last {
		t.Error("a proposal has changed the chain")
	}
	good.Header.Nonce = solved
	give(t, e, good)
}

package rpc

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/chain"
)

var regtest = &chaincfg.RegressionNetParams

func template(height int32) chain.Template {
	return chain.Template{
		Prev:    chain.Point{Hash: *regtest.GenesisHash, Height: height - 1},
		Version: 0x20000000, Bits: regtest.PowLimitBits,
		MinTime: time.Unix(2_000_000_000, 0), Subsidy: 50e8,
	}
}

// btcd is the judge: the block is sane, and the height is where BIP34 wants it.
func TestBuildAndSolve(t *testing.T) {
	for _, height := range []int32{1, 2, 16, 17, 127, 128, 255, 256, 32767, 32768, 100_000} {
		b := buildBlock(template(height), []byte{0x51}, time.Unix(2_000_000_001, 999), 7)
		tries := uint64(1000)
		if err := solve(context.Background(), &b.Header, &tries); err != nil {
			t.Fatalf("height %d: %v", height, err)
		}
		block := btcutil.NewBlock(b)
		if err := blockchain.CheckBlockSanity(block, regtest.PowLimit, blockchain.NewMedianTime()); err != nil {
			var rule blockchain.RuleError
			// The clock of the test is ahead of the machine's.
			if !errors.As(err, &rule) || rule.ErrorCode != blockchain.ErrTimeTooNew {
				t.Errorf("height %d: %v", height, err)
			}
		}
		got, err := blockchain.ExtractCoinbaseHeight(block.Transactions()[0])
		if err != nil || got != height {
			t.Errorf("the coinbase says height %d, %v; want %d", got, err, height)
		}
	}
}

func TestSane(t *testing.T) {
	tm := template(1)
	tm.MinTime = time.Unix(1_600_000_000, 0)
	b := buildBlock(tm, []byte{0x51}, time.Unix(1_600_000_009, 0), 0)
	tries := uint64(1000)
	if err := solve(context.Background(), &b.Header, &tries); err != nil {
		t.Fatal(err)
	}
	if err := blockchain.CheckBlockSanity(btcutil.NewBlock(b), regtest.PowLimit, blockchain.NewMedianTime()); err != nil {
		t.Error(err)
	}
}

func TestTimestamp(t *testing.T) {
	early := buildBlock(template(1), nil, time.Unix(5, 0), 0)
	if early.Header.Timestamp.Unix() != 2_000_000_000 {
		t.Error("a clock that is behind must not break the median-time rule:", early.Header.Timestamp)
	}
	if a, b := buildBlock(template(1), nil, time.Unix(5, 0), 1), buildBlock(template(1), nil, time.Unix(5, 0), 2); a.BlockHash() == b.BlockHash() {
		t.Error("two miners made the same block")
	}
}

func TestSolveGivesUp(t *testing.T) {
	hard := buildBlock(template(1), nil, time.Unix(5, 0), 0)
	hard.Header.Bits = 0x1d00ffff
	tries := uint64(10)
	if err := solve(context.Background(), &hard.Header, &tries); err != errTries || tries != 0 {
		t.Errorf("%v, %d tries left", err, tries)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	hard.Header.Nonce, tries = 0, 1<<40
	if err := solve(ctx, &hard.Header, &tries); err != context.Canceled {
		t.Errorf("%v", err)
	}
	hard.Header.Nonce, tries = 1<<32-1, 1
	before := hard.Header.Timestamp
	if err := solve(context.Background(), &hard.Header, &tries); err != errTries || !hard.Header.Timestamp.After(before) || hard.Header.Nonce != 0 {
		t.Errorf("%v: after the last nonce the timestamp moves on, it is %v", err, hard.Header.Timestamp)
	}
}

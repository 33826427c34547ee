package rpc

import (
	"bytes"
	"context"
	"errors"
	"math"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// errTries says that solve has used up its tries.
var errTries = errors.New("no solution within the tries allowed")

// buildBlock makes the block that t describes, still to be solved. It pays the subsidy
// and the fees to script. extra makes it differ from another miner's block of the same
// second.
//
// A block without witness data needs no witness commitment (BIP141). It is valid with
// segwit and without.
func buildBlock(t chain.Template, script []byte, now time.Time, extra uint32) *wire.MsgBlock {
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(&wire.TxIn{
		PreviousOutPoint: *wire.NewOutPoint(&chainhash.Hash{}, math.MaxUint32),
		SignatureScript:  coinbaseScript(t.Prev.Height+1, extra),
		Sequence:         wire.MaxTxInSequenceNum,
	})
	coinbase.AddTxOut(wire.NewTxOut(reward(t), script))
	block := wire.NewMsgBlock(&wire.BlockHeader{
		Version: t.Version, PrevBlock: t.Prev.Hash,
		Timestamp: time.Unix(earliest(t, now).Unix(), 0), Bits: t.Bits,
	})
	block.Transactions = []*wire.MsgTx{coinbase}
	for _, tx := range t.Txs {
		block.Transactions = append(block.Transactions, tx.Tx)
	}
	commit(block)
	return block
}

// earliest is now, or the least time that a template's block may have.
func earliest(t chain.Template, now time.Time) time.Time {
	if now.Before(t.MinTime) {
		return t.MinTime
	}
	return now
}

// reward is what the coinbase of a template's block may pay.
func reward(t chain.Template) int64 {
	sum := t.Subsidy
	for _, tx := range t.Txs {
		sum += tx.Fee
	}
	return sum
}

// commit puts into the header, and into the coinbase if BIP141 demands it, what binds
// them to the transactions.
func commit(block *wire.MsgBlock) {
	txs, witness := make([]*btcutil.Tx, len(block.Transactions)), false
	for i, tx := range block.Transactions {
		witness = witness || tx.HasWitness()
		txs[i] = btcutil.NewTx(tx)
	}
	if witness {
		coinbase := block.Transactions[0]
		coinbase.TxIn[0].Witness = wire.TxWitness{make([]byte, blockchain.CoinbaseWitnessDataLen)}
		coinbase.AddTxOut(wire.NewTxOut(0, witnessCommitment(block.Transactions[1:])))
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(txs, false)
}

// witnessCommitment is BIP141's output script for a block with these transactions after
// its coinbase, whose witness data is 32 zeros.
func witnessCommitment(txs []*wire.MsgTx) []byte {
	all := []*btcutil.Tx{btcutil.NewTx(wire.NewMsgTx(1))} // a coinbase counts as zero, whatever it is
	for _, tx := range txs {
		all = append(all, btcutil.NewTx(tx))
	}
	root := blockchain.CalcMerkleRoot(all, true)
	reserved := make([]byte, blockchain.CoinbaseWitnessDataLen)
	hash := chainhash.DoubleHashB(append(root[:], reserved...))
	return append(bytes.Clone(blockchain.WitnessMagicBytes), hash...)
}

// coinbaseScript is BIP34's: the height first. It is between 2 and 100 bytes.
func coinbaseScript(height int32, extra uint32) []byte {
	script, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddInt64(int64(extra)).Script()
	if err != nil {
		panic(err) // two small numbers fit every bound of a script
	}
	return script
}

// resolution is that of a header's timestamp.
const resolution = time.Second

// solve looks for a nonce whose hash meets the header's target. It counts tries down
// and returns errTries when none is left, or ctx's error when ctx ends. When all
// nonces are used up it moves the timestamp on by a second.
func solve(ctx context.Context, h *wire.BlockHeader, tries *uint64) error {
	target := blockchain.CompactToBig(h.Bits)
	for ; *tries > 0; h.Nonce++ {
		if h.Nonce%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		*tries--
		hash := h.BlockHash()
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return nil
		}
		if h.Nonce == math.MaxUint32 {
			h.Timestamp = h.Timestamp.Add(resolution)
		}
	}
	return errTries
}

package engine

import (
	"bytes"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What a block of 3,000 transactions takes, whose signatures the pool has verified, and
// one that nobody has seen.
func BenchmarkBlockOf3000(b *testing.B) {
	for name, known := range map[string]bool{"known": true, "unknown": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				p := newPurse(b, Config{})
				txs := p.signed(3000)
				if known {
					for _, tx := range txs {
						if v := p.submit(tx).Verdict; v.Code != chain.TxOK {
							b.Fatalf("%+v", v)
						}
					}
				}
				block := p.block(txs...)
				b.StartTimer()
				give(b, p.e, block)
				b.StopTimer()
				shut(b, p.e)
				b.StartTimer()
			}
		})
	}
}

// signed makes transactions that spend an output of P2WPKH each, out of a block of
// their own.
func (p *purse) signed(n int) (txs []*wire.MsgTx) {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	script := append([]byte{txscript.OP_0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
	const value = 100_000
	fan := p.pay(1, 0)
	fan.TxOut = nil
	for range n {
		fan.AddTxOut(&wire.TxOut{Value: value, PkScript: script})
	}
	give(p.t, p.e, p.block(fan))
	for i := range n {
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: fan.TxHash(), Index: uint32(i)}, Sequence: wire.MaxTxInSequenceNum})
		tx.AddTxOut(&wire.TxOut{Value: value - 1000, PkScript: script})
		hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(script, value))
		witness, err := txscript.WitnessSignature(tx, hashes, 0, value, script, txscript.SigHashAll, key, true)
		if err != nil {
			p.t.Fatal(err)
		}
		tx.TxIn[0].Witness = witness
		txs = append(txs, tx)
	}
	return txs
}

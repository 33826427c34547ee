package engine

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The journals of blocks 170 and 100,025 of the main network, from btcd's description of the
// format. The second one is part of a block's.
func TestReadJournal(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want []chain.SpentOut
	}{
		{"", []chain.SpentOut{}},
		{"1300320511db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c", []chain.SpentOut{{
			Value: 50e8, Height: 9, CoinBase: true,
			Script: bytesOf(t, "410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac"),
		}}},
		{"8b99700091f20f006edbc6c4d31bae9f1ccc38538a114bf42de65e868b99700086c64700b2fb57eadf61e106a100a7445a8c3f67898841ec", []chain.SpentOut{
			{Value: 13761000000, Height: 100024, Script: bytesOf(t, "76a914b2fb57eadf61e106a100a7445a8c3f67898841ec88ac")},
			{Value: 34405000000, Height: 100024, Script: bytesOf(t, "76a9146edbc6c4d31bae9f1ccc38538a114bf42de65e8688ac")},
		}},
	} {
		raw := bytesOf(t, c.raw)
		if got, err := readJournal(raw); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v %v, want %+v", c.raw, got, err, c.want)
		}
		for n := 1; n < min(len(raw), 36); n++ { // the first output of each has as many bytes, or less
			if got, err := readJournal(raw[:n]); err == nil && n != 28 {
				t.Errorf("the first %d bytes of %s: %+v", n, c.raw, got)
			}
		}
	}
	if got, err := readJournal(append([]byte{1, 0, 5}, make([]byte, 32)...)); err == nil {
		t.Errorf("a key that is none: %+v", got)
	}
}

// What a reader says a block has spent is what btcd says, whatever the scripts and amounts.
func TestSpent(t *testing.T) {
	b := newBranch(t, &chaincfg.RegressionNetParams)
	b.mine(1, 2*365*24*time.Hour) // P2SH came in 2012
	b.mine(100, time.Minute)
	var keys []*btcec.PrivateKey
	for i := range 6 { // some are even, some odd
		key, _ := btcec.PrivKeyFromBytes([]byte{byte(i + 1)})
		keys = append(keys, key)
	}
	fund, outs := fundAll(b, keys)
	spend := wire.NewMsgTx(1)
	for i := range outs {
		spend.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: fund.TxHash(), Index: uint32(i)}, Sequence: wire.MaxTxInSequenceNum})
	}
	spend.AddTxOut(&wire.TxOut{Value: 1, PkScript: []byte{txscript.OP_TRUE}})
	for i, out := range outs {
		spend.TxIn[i].SignatureScript = out.open(t, spend, i)
	}
	last := wire.NewMsgTx(1)
	last.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: spend.TxHash()}, Sequence: wire.MaxTxInSequenceNum})
	last.AddTxOut(&wire.TxOut{Value: 0, PkScript: nil})
	b.mineWith(time.Minute, func(msg *wire.MsgBlock) { msg.Transactions = append(msg.Transactions, fund) })
	b.mineWith(time.Minute, func(msg *wire.MsgBlock) { msg.Transactions = append(msg.Transactions, spend, last) })
	e := open(t, Config{Params: b.params})
	give(t, e, b.blocks[1:]...)
	for height, want := range map[int]int{101: 0, 102: 1, 103: len(outs) + 1} {
		hash := b.blocks[height].BlockHash()
		if a := ask[chain.Block](t, e, chain.GetBlock{Hash: hash}); a.Spent != nil {
			t.Errorf("block %d: nobody asked what it spends", height)
		}
		a := ask[chain.Block](t, e, chain.GetBlock{Hash: hash, Spent: true})
		if a.Spent == nil || len(a.Spent) != want {
			t.Fatalf("block %d spends %d outputs, want %d", height, len(a.Spent), want)
		}
		journal, err := e.chain.FetchSpendJournal(btcutil.NewBlock(b.blocks[height]))
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range journal {
			if want := (chain.SpentOut{Value: j.Amount, Script: j.PkScript, Height: j.Height, CoinBase: j.IsCoinBase}); !reflect.DeepEqual(a.Spent[i], want) {
				t.Errorf("block %d, output %d: %+v, want %+v", height, i, a.Spent[i], want)
			}
		}
	}
}

// opened is an output and what opens it.
type opened struct {
	script []byte
	open   func(t *testing.T, tx *wire.MsgTx, i int) []byte
}

// fundAll spends the first coinbase, and pays to scripts of all kinds.
func fundAll(b *branch, keys []*btcec.PrivateKey) (*wire.MsgTx, []opened) {
	redeem := []byte{txscript.OP_TRUE}
	outs := []opened{
		{redeem, func(*testing.T, *wire.MsgTx, int) []byte { return nil }},
		{append(append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, address.Hash160(redeem)...), txscript.OP_EQUAL),
			func(*testing.T, *wire.MsgTx, int) []byte { return []byte{1, txscript.OP_TRUE} }},
	}
	for n, key := range keys {
		pub := key.PubKey().SerializeCompressed()
		if n%2 == 0 {
			pub = key.PubKey().SerializeUncompressed()
		}
		outs = append(outs, signed(key, append(append([]byte{byte(len(pub))}, pub...), txscript.OP_CHECKSIG), nil))
		hash := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, address.Hash160(pub)...)
		outs = append(outs, signed(key, append(hash, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG), pub))
	}
	fund := wire.NewMsgTx(1)
	fund.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Hash: b.blocks[1].Transactions[0].TxHash()}, Sequence: wire.MaxTxInSequenceNum})
	for i, value := 0, int64(1); i < len(outs); i, value = i+1, value*7/2+int64(i%3) {
		fund.AddTxOut(&wire.TxOut{Value: value / 10 * 10, PkScript: outs[i].script})
	}
	return fund, outs
}

// signed is an output that a signature opens, with the key if its hash alone is in the script.
func signed(key *btcec.PrivateKey, script, pub []byte) opened {
	return opened{script, func(t *testing.T, tx *wire.MsgTx, i int) []byte {
		sig, err := txscript.RawTxInSignature(tx, i, script, txscript.SigHashAll, key)
		if err != nil {
			t.Fatal(err)
		}
		build := txscript.NewScriptBuilder().AddData(sig)
		if pub != nil {
			build.AddData(pub)
		}
		out, err := build.Script()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}}
}

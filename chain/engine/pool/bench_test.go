package pool

import (
	"bytes"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// signed makes transactions with one input and two outputs of P2WPKH, as they come off
// the wire.
func signed(r *rig, n int) []*wire.MsgTx {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	script := append([]byte{txscript.OP_0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
	txs := make([]*wire.MsgTx, n)
	for i := range txs {
		c := r.coinOf(1_000_000, script)
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: c.out, Sequence: wire.MaxTxInSequenceNum})
		tx.AddTxOut(&wire.TxOut{Value: 500_000, PkScript: script})
		tx.AddTxOut(&wire.TxOut{Value: 490_000, PkScript: script})
		sign(r.t, tx, 0, c.value, script, key)
		txs[i] = offTheWire(r.t, tx)
	}
	return txs
}

func offTheWire(t testing.TB, tx *wire.MsgTx) *wire.MsgTx {
	var buf bytes.Buffer
	if err := tx.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	var got wire.MsgTx
	if err := got.Deserialize(&buf); err != nil {
		t.Fatal(err)
	}
	return &got
}

// Transactions a second, each with a signature to verify.
func BenchmarkAccept(b *testing.B) {
	r := newRig(b, Config{})
	txs := signed(r, min(b.N, 20_000))
	b.ResetTimer()
	for i := range b.N {
		if i%len(txs) == 0 && i > 0 {
			b.StopTimer()
			chain := r.chain
			r = newRig(b, Config{})
			r.chain, r.pool.cfg.Chain = chain, chain
			b.StartTimer()
		}
		r.accept(txs[i%len(txs)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "txs/s")
}

// What the pool does when a block of 3,000 known transactions comes, of 10,000.
func BenchmarkConnect(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := newRig(b, Config{})
		txs := plainTxs(r, 10_000)
		r.accept(txs...)
		block := r.chain.connect(txs[:3000]...)
		b.StartTimer()
		r.pool.Connected(block)
		r.settle()
	}
}

// plainTxs makes transactions without signatures.
func plainTxs(r *rig, n int) []*wire.MsgTx {
	var txs []*wire.MsgTx
	for _, c := range r.coins(n, 1_000_000) {
		txs = append(txs, offTheWire(r.t, spend(10_000, 2, c)))
	}
	return txs
}

// A new block's transactions out of 20,000.
func BenchmarkTemplate(b *testing.B) {
	r := newRig(b, Config{})
	r.accept(plainTxs(r, 20_000)...)
	for b.Loop() {
		r.pool.Template(r.chain.height()+1, r.now)
	}
}

// mempool.dat of 100,000 transactions.
func BenchmarkSave(b *testing.B) {
	r := newRig(b, Config{})
	r.accept(plainTxs(r, 100_000)...)
	path := filepath.Join(b.TempDir(), "mempool.dat")
	for b.Loop() {
		if err := r.pool.Save(path); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(r.pool.Info().Usage)/float64(r.pool.cfg.MaxBytes), "full")
}

// What a transaction takes of memory, and what is counted.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		taken, counted := measure(b, 100_000)
		b.ReportMetric(float64(taken)/100_000, "B/tx")
		b.ReportMetric(float64(counted)/float64(taken), "counted/taken")
	}
}

// measure fills a pool and says what it takes of memory and what it counts.
func measure(t testing.TB, n int) (taken, counted int64) {
	r := newRig(t, Config{MaxBytes: 1 << 40})
	raw := make([][]byte, n)
	for i, tx := range plainTxs(r, n) {
		var buf bytes.Buffer
		if err := tx.Serialize(&buf); err != nil {
			t.Fatal(err)
		}
		raw[i] = buf.Bytes()
	}
	before := inUse()
	for _, b := range raw {
		var tx wire.MsgTx
		if err := tx.Deserialize(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		r.accept(&tx)
		r.events = nil
	}
	after := inUse()
	runtime.KeepAlive(r)
	runtime.KeepAlive(raw)
	return after - before, r.pool.Info().Usage
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What is counted is what is taken, within a quarter.
func TestMemoryIsCounted(t *testing.T) {
	taken, counted := measure(t, 5_000)
	if ratio := float64(counted) / float64(taken); ratio < 0.75 || ratio > 1.5 {
		t.Errorf("%d bytes are counted and %d taken: %.2f", counted, taken, ratio)
	}
}

// Each input has its place in the map of what is spent.
func TestEachInputIsCounted(t *testing.T) {
	r := newRig(t, Config{})
	c := r.coins(4, 1_000_000)
	one, three := spend(1000, 1, c[0]), spend(1000, 1, c[1:]...)
	r.accept(one, three)
	usage := func(tx *wire.MsgTx) int64 { return r.pool.index.byTxID[tx.TxHash()].usage - txUsage(tx) }
	if got := usage(three) - usage(one); got != 2*spendUsage {
		t.Errorf("two more inputs count %d bytes, want %d", got, 2*spendUsage)
	}
}

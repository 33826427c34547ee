package transport

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// A hostile transaction: it has a million empty witness items, a byte
// each on the wire. What it holds once decoded is measured, and must be within
// what its footprint says, give or take a fifth for the allocator.
func TestL5FootprintCoversJunkWitnesses(t *testing.T) {
	const items = 1_000_000
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{Witness: make(wire.TxWitness, items)})
	tx.AddTxOut(&wire.TxOut{})
	var raw bytes.Buffer
	if err := tx.BtcEncode(&raw, wire.ProtocolVersion, wire.WitnessEncoding); err != nil {
		t.Fatal(err)
	}
	tx = nil

	before := heap()
	got := new(wire.MsgTx)
	if err := got.BtcDecode(bytes.NewReader(raw.Bytes()), wire.ProtocolVersion, wire.WitnessEncoding); err != nil {
		t.Fatal(err)
	}
	held := heap() - before
	if f := footprint(got, raw.Len()); f < held*4/5 || f < 20*items {
		t.Errorf("%d bytes on the wire hold %d in memory, the footprint says %d", raw.Len(), held, f)
	}
	if f := footprint(&wire.MsgPing{}, 8); f != 8 {
		t.Errorf("the footprint of a ping is %d, want its size", f)
	}
}

// heap is what is reachable, in bytes.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

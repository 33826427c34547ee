package pool

import (
	"unsafe"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Memory is counted as Go's allocator and maps take it on the average: a map is
// between half and seven eighths full.
const (
	pointer  = int64(unsafe.Sizeof(uintptr(0)))
	slice    = int64(unsafe.Sizeof([]byte(nil)))
	hashSize = int64(chainhash.HashSize)
	// mapSlack is what an element of a map takes more than its key and value.
	mapSlack = 3.0 / 2
	// allocSlack is what a small object takes more than its size.
	allocSlack = 16

	// entryUsage is an entry with its places in a map, two heaps and the order,
	// its links to a parent and a child, and its hashes in btcd's cache.
	entryUsage = int64(unsafe.Sizeof(entry{})) + allocSlack +
		int64(mapSlack*float64(hashSize+pointer)) + 3*2*pointer + 2*pointer +
		int64(unsafe.Sizeof(txscript.TxSigHashes{})) + int64(mapSlack*float64(hashSize+pointer))
	// spendUsage is an input's place in the map of spent outputs.
	spendUsage = int64(mapSlack * float64(int64(unsafe.Sizeof(wire.OutPoint{}))+pointer))

	txInUsage  = int64(unsafe.Sizeof(wire.TxIn{})) + pointer
	txOutUsage = int64(unsafe.Sizeof(wire.TxOut{})) + pointer
)

// txUsage is the memory of a transaction with its scripts, in bytes.
func txUsage(tx *wire.MsgTx) int64 {
	n := int64(unsafe.Sizeof(*tx)) + 2*allocSlack
	for _, in := range tx.TxIn {
		n += txInUsage + int64(len(in.SignatureScript)) + int64(len(in.Witness))*slice
		for _, item := range in.Witness {
			n += int64(len(item))
		}
	}
	for _, out := range tx.TxOut {
		n += txOutUsage + int64(len(out.PkScript))
	}
	return n
}

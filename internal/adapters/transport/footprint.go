package transport

import "github.com/btcsuite/btcd/wire/v2"

// What the parts of a decoded transaction take in memory beside their bytes, on
// a 64-bit machine: the structures of btcd's wire, their slice headers and the
// pointers to them.
const (
	perTx      = 128
	perInput   = 136
	perOutput  = 48
	perWitness = 24
)

// Footprint is what a decoded message holds in memory, in bytes, about: never
// less than its size on the wire. Blocks and transactions are counted, for their
// structure can weigh many times their bytes; all other messages stay within
// twice of them.
func Footprint(msg wire.Message, onWire int) int {
	n := onWire
	switch m := msg.(type) {
	case *wire.MsgBlock:
		for _, tx := range m.Transactions {
			n += txFootprint(tx)
		}
	case *wire.MsgTx:
		n += txFootprint(m)
	}
	return n
}

func txFootprint(tx *wire.MsgTx) int {
	n := perTx + len(tx.TxIn)*perInput + len(tx.TxOut)*perOutput
	for _, in := range tx.TxIn {
		n += len(in.Witness) * perWitness
	}
	return n
}

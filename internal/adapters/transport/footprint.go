package transport

import "github.com/btcsuite/btcd/wire/v2"

// The memory that the parts of a decoded transaction take besides their bytes, on a
// 64-bit machine: the structures of btcd's wire, their slice headers and the
// pointers to them.
const (
	perTx      = 128
	perInput   = 136
	perOutput  = 48
	perWitness = 24
)

// footprint is about what a decoded message holds in memory, in bytes, and never
// less than its payload. A transaction is counted: its structure can weigh many
// times its payload. Other messages weigh at most twice theirs.
func footprint(msg wire.Message, payload int) int {
	tx, is := msg.(*wire.MsgTx)
	if !is {
		return payload
	}
	n := payload + perTx + len(tx.TxIn)*perInput + len(tx.TxOut)*perOutput
	for _, in := range tx.TxIn {
		n += len(in.Witness) * perWitness
	}
	return n
}

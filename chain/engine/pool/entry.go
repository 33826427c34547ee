package pool

import (
	"sync/atomic"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// entry is a transaction in the pool.
type entry struct {
	// These never change.
	chain.PoolTx
	tx     *wire.MsgTx
	seq    uint64 // in the order they came: a parent before its children
	weight int64
	usage  int64 // bytes of memory
	sigOps int32 // their cost
	height int32 // of the best block when it came
	// fragile says that a block less may make it invalid: it spends a coinbase, or
	// has a lock on its time.
	fragile bool
	signals bool // BIP125

	// gone says that it has left the pool. Readers may hold it longer: see
	// index.order. ours is PoolTx.Ours, which may become true later.
	gone, ours atomic.Bool

	// These are guarded by Pool.mu.
	delta             int64 // what Prioritise has added to the fee
	parents, children []*entry
	up, down          sums // with ancestors, with descendants
	score             float64
	byScore, byAge    int // positions in the heaps

	walked uint64 // the last walk of the worker that came by
}

// sums are over a transaction and its relatives in the pool.
type sums struct {
	count      int
	size, fees int64 // virtual bytes; satoshi, with what Prioritise has added
}

func (s *sums) add(o sums) { s.count += o.count; s.size += o.size; s.fees += o.fees }
func (s *sums) sub(o sums) { s.count -= o.count; s.size -= o.size; s.fees -= o.fees }

// name is the entry by name, as it is now.
func (e *entry) name() chain.PoolTx {
	t := e.PoolTx
	t.Ours = e.ours.Load()
	return t
}

// alone are the sums of a transaction without its relatives.
func (e *entry) alone() sums { return sums{1, e.VSize, e.modified()} }

// modified is the fee that a transaction counts with.
func (e *entry) modified() int64 { return e.Fee + e.delta }

// rate is a fee rate in satoshi per virtual byte.
func (s sums) rate() float64 { return float64(s.fees) / float64(max(s.size, 1)) }

// newEntry describes a transaction. view has its inputs.
func newEntry(t *btcutil.Tx, view *blockchain.UtxoViewpoint, fee int64) *entry {
	msg := t.MsgTx()
	e := &entry{tx: msg}
	e.ID = chain.TxID{TxID: *t.Hash(), WTxID: *t.WitnessHash()}
	e.Fee = fee
	e.weight = blockchain.GetTransactionWeight(t)
	// The inputs are there, so no error is possible.
	ops, _ := blockchain.GetSigOpCost(t, false, view, true, true)
	e.sigOps = int32(ops)
	e.VSize = max(mempool.GetTxVirtualSize(t), (int64(ops)*bytesPerSigOp+blockchain.WitnessScaleFactor-1)/blockchain.WitnessScaleFactor)
	e.fragile = msg.LockTime != 0
	for _, in := range msg.TxIn {
		if msg.Version >= 2 && in.Sequence&wire.SequenceLockTimeDisabled == 0 {
			e.fragile = true
		}
		if in.Sequence <= mempool.MaxRBFSequence {
			e.signals = true
		}
		if out := view.LookupEntry(in.PreviousOutPoint); out != nil && out.IsCoinBase() {
			e.fragile = true
		}
	}
	e.usage = entryUsage + txUsage(msg) + int64(len(msg.TxIn))*spendUsage
	return e
}

package chain

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// What chain answers and publishes about the pool of transactions. The pool belongs
// to the engine's worker.

// TxID names a transaction in both ways: by the hash without witness data and by that
// with it (BIP141).
type TxID struct{ TxID, WTxID chainhash.Hash }

// NameOf names a transaction.
func NameOf(tx *wire.MsgTx) TxID { return TxID{TxID: tx.TxHash(), WTxID: tx.WitnessHash()} }

// Questions about the pool that Chain answers. Blocks and headers go before them, and
// a block waits for one of each kind at most.
type (
	// SubmitTx offers a transaction. It must not be changed afterwards.
	SubmitTx struct {
		actor.Asks[TxVerdict, Chain]
		Tx     *wire.MsgTx
		ID     TxID
		Source actor.ID // the peer that sent it; zero: RPC
		// Orphan says that it is kept for a while if a parent is missing.
		Orphan bool
		// Test asks for the verdict alone: the pool stays as it is.
		Test bool
		// Ours says that relay is to announce it until a peer asks for it, also if the
		// pool has it already.
		Ours bool
		// Added is when it came to the pool. Zero: now.
		Added time.Time
	}

	// TxVerdict is the answer.
	TxVerdict struct {
		ID   TxID
		Code TxCode
		// Reason is Bitcoin Core's reject string ("min relay fee not met", ...).
		// Detail tells people what exactly is wrong. Both are "" when Code is TxOK.
		Reason, Detail string
		// Missing are the transactions whose outputs are not known, each once.
		// It is empty unless Code is TxOrphan.
		Missing []chainhash.Hash
		// Fee is in satoshi, VSize in virtual bytes. Both are zero unless Code
		// is TxOK.
		Fee, VSize int64
	}

	// GetTxOut asks for an unspent output (gettxout).
	GetTxOut struct {
		actor.Asks[TxOut, Chain]
		Out  wire.OutPoint
		Pool bool // what the pool spends is spent, and what it makes is there
	}

	// TxOut is the answer.
	TxOut struct {
		Known    bool // there is such an output, unspent
		Value    int64
		Script   []byte
		Height   int32 // of its block; -1: it is in the pool
		CoinBase bool
		Best     Point
	}

	// Prioritise adds to the fee that a transaction counts with, in satoshi
	// (prioritisetransaction). It may name one that is not in the pool yet.
	Prioritise struct {
		actor.Asks[Prioritised, Chain]
		TxID  chainhash.Hash
		Delta int64
	}

	// Prioritised is the answer.
	Prioritised struct{}

	// SavePool asks for the pool to be written to mempool.dat (savemempool).
	SavePool struct{ actor.Asks[PoolSaved, Chain] }

	// PoolSaved is the answer. Error is "" when it was written.
	PoolSaved struct{ Path, Error string }
)

// Questions about the pool that Readers answer. They wait for no acceptance.
type (
	// GetPool asks for the names of all transactions in the pool, parents first.
	GetPool struct{ actor.Asks[Pool, Readers] }

	// Pool is the answer.
	Pool struct {
		Txs      []PoolTx
		Sequence uint64 // how often the pool has changed
	}

	// GetPoolTx asks for one transaction of the pool.
	GetPoolTx struct {
		actor.Asks[PooledTx, Readers]
		TxID chainhash.Hash
	}

	// PooledTx is the answer. Tx is nil when the pool does not have it. It must not
	// be changed.
	PooledTx struct {
		PoolTx
		Tx *wire.MsgTx
	}

	// GetPoolTxs asks for several transactions of the pool.
	GetPoolTxs struct {
		actor.Asks[PooledTxs, Readers]
		TxIDs []chainhash.Hash
	}

	// PooledTxs is the answer: for each txid the transaction, or nil when the pool
	// does not have it. They must not be changed.
	PooledTxs struct{ Txs []*wire.MsgTx }

	// GetPoolInfo asks for the pool's figures (getmempoolinfo).
	GetPoolInfo struct{ actor.Asks[PoolInfo, Readers] }

	// PoolInfo is the answer.
	PoolInfo struct {
		Loaded      bool  // mempool.dat was read
		Txs         int   // transactions
		VBytes      int64 // the sum of their virtual sizes
		Usage       int64 // bytes of memory
		MaxUsage    int64 // bytes of memory at most (--maxmempool)
		Fees        int64 // the sum, in satoshi
		MinFee      int64 // the lowest fee rate that is taken now, in satoshi per 1,000 virtual bytes
		MinRelayFee int64 // --minrelaytxfee, likewise
		Orphans     int
		Sequence    uint64
	}

	// GetPoolEntries asks for what is known of transactions in the pool: of one, of
	// its ancestors or descendants in the pool, or of all.
	GetPoolEntries struct {
		actor.Asks[PoolEntries, Readers]
		TxID  chainhash.Hash // not for AllEntries
		Which Which
	}

	// PoolEntries is the answer, parents first. Known is false when the pool does not
	// have TxID.
	PoolEntries struct {
		Known    bool
		Entries  []PoolEntry
		Sequence uint64
	}

	// GetSpenders asks which transactions of the pool spend outputs.
	GetSpenders struct {
		actor.Asks[Spenders, Readers]
		Outs []wire.OutPoint
	}

	// Spenders is the answer: for each output the spender's txid, or the zero hash.
	Spenders struct{ TxIDs []chainhash.Hash }
)

// Which says which entries GetPoolEntries is about.
type Which uint8

// The sets of entries.
const (
	OneEntry Which = iota
	AncestorEntries
	DescendantEntries
	AllEntries
)

// PoolTx is a transaction of the pool by name.
type PoolTx struct {
	ID    TxID
	Fee   int64 // in satoshi, as it is
	VSize int64
	Added time.Time
	// Source is the peer that sent it. Zero: RPC, mempool.dat, or a block that was
	// disconnected.
	Source actor.ID
	// Ours says that RPC sent it: now, lately, or once more. Relay announces it until a
	// peer asks for it. The pool is not told when one has.
	Ours bool
	// Ancestors is how many transactions of the pool it depended on when it came.
	Ancestors int
}

// NewsAge is how long a transaction in the pool is news to peers. What is older, others
// have told them.
const NewsAge = time.Hour

// FeeRate is the fee of 1,000 virtual bytes, in satoshi.
func (t PoolTx) FeeRate() int64 {
	if t.VSize <= 0 {
		return 0
	}
	return t.Fee * 1000 / t.VSize
}

// PoolEntry is all that is known of a transaction in the pool. Sums are over the
// transaction itself and its relatives in the pool.
type PoolEntry struct {
	PoolTx
	Tx     *wire.MsgTx // must not be changed
	Weight int64
	Height int32 // of the best block when it came

	Modified                       int64 // Fee with what Prioritise added
	AncestorFees, DescendantFees   int64 // modified
	AncestorCount, DescendantCount int
	AncestorSize, DescendantSize   int64 // virtual
	Depends, SpentBy               []chainhash.Hash
	Replaceable                    bool // it, or an ancestor, signals BIP125
}

// TxEvent is published on the Txs stream. It is plain data: a list for each change.
type TxEvent interface {
	Event
	txEvent()
}

type (
	// TxAccepted says that transactions are in the pool now, parents first.
	TxAccepted struct{ Txs []PoolTx }

	// TxResent says that RPC has sent a transaction that the pool has already.
	TxResent struct{ Tx PoolTx }

	// TxRemoved says that transactions are no longer in the pool.
	TxRemoved struct {
		Reason Removal
		Txs    []TxID
	}

	// TxConfirmed names the transactions of a block that was connected, those that
	// the pool did not have too.
	TxConfirmed struct{ Txs []TxID }
)

func (TxAccepted) chainEvent()  {}
func (TxResent) chainEvent()    {}
func (TxRemoved) chainEvent()   {}
func (TxConfirmed) chainEvent() {}
func (TxAccepted) txEvent()     {}
func (TxResent) txEvent()       {}
func (TxRemoved) txEvent()      {}
func (TxConfirmed) txEvent()    {}

// Removal says why a transaction has left the pool.
type Removal uint8

// The reasons.
const (
	RemovedConfirmed Removal = iota // a block has it
	RemovedConflict                 // a block has another spender of its inputs
	RemovedReplaced                 // another pays more (BIP125)
	RemovedEvicted                  // the pool is full
	RemovedExpired                  // it is two weeks old
	RemovedReorg                    // after a reorganisation it is not valid in the next block
)

func (r Removal) String() string {
	return [...]string{"block", "conflict", "replaced", "sizelimit", "expiry", "reorg"}[r]
}

// TxCode says why a transaction was not accepted.
type TxCode uint8

// The codes.
const (
	TxOK      TxCode = iota
	TxKnown          // the pool has it
	TxOrphan         // a parent is missing
	TxPolicy         // it breaks a rule of ours (fee, standardness, conflict); no fault
	TxEarly          // not final yet: it may be good in a later block; no fault
	TxWitness        // its witness data breaks a rule: another copy may be good
	TxInvalid        // breaks a rule of consensus: the sender is at fault
	TxFatal          // the database failed; the node is stopping
)

func (c TxCode) String() string {
	return [...]string{"ok", "known", "orphan", "policy", "early", "witness", "invalid", "fatal"}[c]
}

// Faulty says whether the peer broke a rule by sending it.
func (c TxCode) Faulty() bool { return c == TxInvalid }

package chain

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// Worker is the goroutine of the engine that alone changes the chain.
// internal/proof/sim has a simulated one.
type Worker struct{}

// What chain asks the worker. The worker carries out its questions one after the
// other, in the order asked. Each question but ApplyPriority is idempotent: asking it
// again does no harm.
//
// Every answer brings Changes. Seen, in the questions, is the number of
// the last event that chain has published. The worker keeps the events after it,
// and brings them with each answer until chain has seen them. So an answer that
// comes too late loses none.
type (
	// ApplyHeaders carries out SubmitHeaders.
	ApplyHeaders struct {
		actor.Asks[HeadersApplied, Worker]
		Headers []*wire.BlockHeader
		Seen    uint64
	}

	// HeadersApplied is the answer.
	HeadersApplied struct {
		Verdict HeadersVerdict
		Changes
	}

	// ApplyBlock carries out SubmitBlock.
	ApplyBlock struct {
		actor.Asks[BlockApplied, Worker]
		Payload []byte
		Hash    chainhash.Hash
		Source  actor.ID
		Test    bool
		Seen    uint64
	}

	// BlockApplied is the answer.
	BlockApplied struct {
		Verdict Verdict
		Changes
	}

	// CatchUp asks what has changed. It changes nothing.
	CatchUp struct {
		actor.Asks[CaughtUp, Worker]
		Seen uint64
	}

	// CaughtUp is the answer.
	CaughtUp struct{ Changes }

	// MakeTemplate carries out GetTemplate.
	MakeTemplate struct {
		actor.Asks[Made, Worker]
		Time time.Time
		Txs  bool
		Seen uint64
	}

	// Made is the answer.
	Made struct {
		Template
		Changes
	}

	// ApplyTx carries out SubmitTx.
	ApplyTx struct {
		actor.Asks[TxApplied, Worker]
		Tx                 *wire.MsgTx
		ID                 TxID
		Source             actor.ID
		Orphan, Test, Ours bool
		Added              time.Time
		Seen               uint64
	}

	// TxApplied is the answer.
	TxApplied struct {
		Verdict TxVerdict
		Changes
	}

	// FindTxOut carries out GetTxOut.
	FindTxOut struct {
		actor.Asks[TxOutFound, Worker]
		Out  wire.OutPoint
		Pool bool
		Seen uint64
	}

	// TxOutFound is the answer.
	TxOutFound struct {
		TxOut
		Changes
	}

	// ApplyPriority carries out Prioritise.
	ApplyPriority struct {
		actor.Asks[PriorityApplied, Worker]
		TxID  chainhash.Hash
		Delta int64
		Seen  uint64
	}

	// PriorityApplied is the answer.
	PriorityApplied struct{ Changes }

	// WritePool carries out SavePool.
	WritePool struct {
		actor.Asks[PoolWritten, Worker]
		Seen uint64
	}

	// PoolWritten is the answer.
	PoolWritten struct {
		PoolSaved
		Changes
	}

	// Changes are what every answer brings.
	Changes struct {
		// Tips are those after the call.
		Tips Tips
		// Events are those that chain had not seen when it asked, the oldest
		// first. Their numbers are Last-len(Events)+1 to Last.
		Events []Event
		Last   uint64
		// Fatal says why the node must stop: the database failed. The worker
		// does nothing any more, and the code of its verdicts is Fatal.
		Fatal string
	}
)

// Ports are what chain may ask the worker.
type Ports struct {
	Headers  actor.Port[ApplyHeaders, HeadersApplied]
	Blocks   actor.Port[ApplyBlock, BlockApplied]
	CatchUp  actor.Port[CatchUp, CaughtUp]
	Template actor.Port[MakeTemplate, Made]
	Txs      actor.Port[ApplyTx, TxApplied] // one slot: a block waits for the transaction in hand at most
	TxOut    actor.Port[FindTxOut, TxOutFound]
	Priority actor.Port[ApplyPriority, PriorityApplied]
	SavePool actor.Port[WritePool, PoolWritten]
}

// ConnectPorts connects chain to the worker.
func ConnectPorts(p *actor.Ports, worker actor.Ref[Worker], b Bounds) Ports {
	return Ports{
		Headers:  actor.Connect[ApplyHeaders](p, "chain.apply-headers", worker, b.Worker, b.WorkerTimeout),
		Blocks:   actor.Connect[ApplyBlock](p, "chain.apply-block", worker, b.Worker, b.WorkerTimeout),
		CatchUp:  actor.Connect[CatchUp](p, "chain.catch-up", worker, 1, b.WorkerTimeout),
		Template: actor.Connect[MakeTemplate](p, "chain.template", worker, b.Templates, b.WorkerTimeout),
		Txs:      actor.Connect[ApplyTx](p, "chain.apply-tx", worker, 1, b.WorkerTimeout),
		TxOut:    actor.Connect[FindTxOut](p, "chain.find-txout", worker, 1, b.WorkerTimeout),
		Priority: actor.Connect[ApplyPriority](p, "chain.apply-priority", worker, 1, b.WorkerTimeout),
		SavePool: actor.Connect[WritePool](p, "chain.write-pool", worker, 1, b.WorkerTimeout),
	}
}

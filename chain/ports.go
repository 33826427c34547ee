package chain

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// What chain asks the engine worker, the adapter that alone changes the chain
// (chain/engine; a simulated one under internal/proof/sim). The worker handles its
// questions one after the other, in the order asked. Each is idempotent: to ask
// it again does no harm.
//
// Every answer brings Changes. Seen, in every question, is the number of the
// last event that chain has published: the worker keeps the events after it and
// brings them with each answer until they have been seen, so that an answer
// that comes too late to be delivered loses none.
type (
	// ApplyHeaders carries out SubmitHeaders.
	ApplyHeaders struct {
		actor.Asks[HeadersApplied]
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
		actor.Asks[BlockApplied]
		Block  *wire.MsgBlock
		Hash   chainhash.Hash
		Source actor.ID
		Seen   uint64
	}

	// BlockApplied is the answer.
	BlockApplied struct {
		Verdict Verdict
		Changes
	}

	// CatchUp asks what has changed, and for nothing to be done.
	CatchUp struct {
		actor.Asks[CaughtUp]
		Seen uint64
	}

	// CaughtUp is the answer.
	CaughtUp struct{ Changes }

	// Changes are what every answer of the worker brings.
	Changes struct {
		// Tips are those after the call.
		Tips Tips
		// Events are those that chain had not seen when it asked, oldest
		// first: numbers Last-len(Events)+1 to Last.
		Events []Event
		Last   uint64
		// Fatal says why the node must stop: the database failed. The
		// verdict's code is then Fatal, and nothing is done any more.
		Fatal string
	}
)

// Ports are whom chain asks. The questions of Headers, Blocks, CatchUp and
// Template go to the worker, all others to the readers: an adapter with a bounded
// number of goroutines that look things up beside the worker.
type Ports struct {
	Headers  actor.Port[ApplyHeaders, HeadersApplied]
	Blocks   actor.Port[ApplyBlock, BlockApplied]
	CatchUp  actor.Port[CatchUp, CaughtUp]
	Template actor.Port[GetTemplate, Template]

	Locator    actor.Port[GetLocator, Locator]
	Path       actor.Port[GetPath, Path]
	Forks      actor.Port[GetForks, Forks]
	GetHeaders actor.Port[GetHeaders, Headers]
	GetHashes  actor.Port[GetHashes, Hashes]
	GetBlock   actor.Port[GetBlock, Block]
	GetHash    actor.Port[GetHash, HashAt]
	GetHeader  actor.Port[GetHeader, HeaderInfo]
}

// Windows bound what chain may have outstanding at the engine.
type Windows struct {
	// Worker is how many submissions of each kind (headers, blocks) may wait
	// at the worker: enough that it never idles between two.
	Worker int
	// Reads is how many questions of each kind may wait at the readers, and
	// GetTemplate at the worker: what chain's callers may have outstanding.
	Reads int
	// WorkerTimeout is how long chain waits for the worker before it asks
	// again; longer than any honest block or flush takes.
	WorkerTimeout time.Duration
	// ReadTimeout is how long chain waits for a reader before it refuses.
	ReadTimeout time.Duration
}

// ConnectPorts connects chain to the worker and the readers.
func ConnectPorts(p *actor.Ports, worker, readers actor.ID, w Windows) Ports {
	return Ports{
		Headers:  actor.Connect[ApplyHeaders](p, "chain.apply-headers", worker, w.Worker, w.WorkerTimeout),
		Blocks:   actor.Connect[ApplyBlock](p, "chain.apply-block", worker, w.Worker, w.WorkerTimeout),
		CatchUp:  actor.Connect[CatchUp](p, "chain.catch-up", worker, 1, w.WorkerTimeout),
		Template: actor.Connect[GetTemplate](p, "chain.template", worker, w.Reads, w.WorkerTimeout),

		Locator:    actor.Connect[GetLocator](p, "chain.locator", readers, w.Reads, w.ReadTimeout),
		Path:       actor.Connect[GetPath](p, "chain.path", readers, w.Reads, w.ReadTimeout),
		Forks:      actor.Connect[GetForks](p, "chain.forks", readers, w.Reads, w.ReadTimeout),
		GetHeaders: actor.Connect[GetHeaders](p, "chain.headers", readers, w.Reads, w.ReadTimeout),
		GetHashes:  actor.Connect[GetHashes](p, "chain.hashes", readers, w.Reads, w.ReadTimeout),
		GetBlock:   actor.Connect[GetBlock](p, "chain.block", readers, w.Reads, w.ReadTimeout),
		GetHash:    actor.Connect[GetHash](p, "chain.hash", readers, w.Reads, w.ReadTimeout),
		GetHeader:  actor.Connect[GetHeader](p, "chain.header", readers, w.Reads, w.ReadTimeout),
	}
}

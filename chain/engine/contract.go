package engine

import (
	"acyclic/chain"
	"acyclic/internal/actor"
)

// The engine is an edge: one worker that changes the chain, and readers. The
// worker is asked Headers and Block, the readers everything that chain's
// contract lists under reading. Only the chain component asks them.
type (
	// Headers is chain.SubmitHeaders as the worker sees it.
	Headers struct {
		actor.Asks[HeadersDone]
		chain.SubmitHeaders
	}

	// HeadersDone is the answer. Tips is set when a tip changed.
	HeadersDone struct {
		Verdict chain.HeadersVerdict
		Tips    *chain.Tips
		Fatal   error // the database failed; the node must stop
	}

	// Block is chain.SubmitBlock as the worker sees it.
	Block struct {
		actor.Asks[BlockDone]
		chain.SubmitBlock
	}

	// BlockDone is the answer: the verdict, and what btcd's blockchain
	// notified while it worked, in order.
	BlockDone struct {
		Verdict chain.Verdict
		Events  []chain.Event
		Tips    *chain.Tips
		Fatal   error
	}
)

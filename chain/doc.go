// Package chain is the chain processor: the one component through which the
// chain of blocks is changed, read and announced. The work is done by the
// engine (chain/engine), an adapter that may wait; chain only keeps the order and
// waits for nothing.
//
//	SubmitHeaders ──► queue ─┐           ApplyHeaders   ┌────────┐
//	SubmitBlock   ──► queue ─┼── pump ── ApplyBlock    ─►│ engine │
//	GetTemplate   ──► queue ─┘           MakeTemplate   │ worker │
//	answers, Blocks and Tips (topics) ◄── Changes ──────└────────┘
//
//	kind       order           at the worker at most   when the engine is slow
//	headers    as they came    Bounds.Worker           they are asked again
//	blocks     as they came    Bounds.Worker           they are asked again
//	templates  as they came    Bounds.Templates        refused: a miner asks again
//
// The callers' windows bound the queues. Headers and blocks are asked before
// anything else. Reads are no matter of chain's: the engine's Readers are asked
// directly.
//
// A submission is in one of three states:
//
//	queued ──asked──► asked ──answered──► done
//	   ▲                │
//	   └───ErrTimeout───┘
//
// It goes back to its place in the queue when the worker does not answer in
// time, and is asked again: the worker's questions are idempotent, so the caller
// gets a true verdict (Duplicate, if the first try had succeeded after all), and
// exactly one (law L2). What the worker changed meanwhile is not lost, because
// Changes are repeated until they have been seen.
//
// The machine as a whole is new (the tips are not known yet: GetTips has to
// wait), running, or failed: the worker is gone or has reported a fatal error.
// Then the node is halted, and submissions are answered with Code Fatal.
//
//	input                           handler
//	Start                           ask the worker for the tips
//	SubmitHeaders, SubmitBlock      onSubmitHeaders, onSubmitBlock: queue, pump
//	GetTemplate                     onGetTemplate: queue, pump
//	HeadersApplied, BlockApplied    onHeadersApplied, onBlockApplied: publish, answer, pump
//	CaughtUp                        onCaughtUp: publish, pump
//	Made                            onMade: answer, pump
//	GetTips                         onGetTips: answered from the state
//	Freed                           pump
//	Stop                            finish
//
// Legal order of events: on Blocks, BlockDisconnected names the tip, and
// BlockConnected a child of the tip, of the chain that the events before it
// make. Tips follows the events that led to it. An answer follows the events of
// the change that it reports. When chain has been rebuilt after a crash, the
// events that had not been confirmed to the worker are published once more.
package chain

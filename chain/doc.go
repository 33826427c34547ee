// Package chain is the chain processor. Every change of the chain of blocks goes
// through it, and it publishes what has changed. The engine (chain/engine), an
// adapter that may wait, does the work. Chain keeps the order and waits for
// nothing. TestStory in story_test.go shows a block's way through it.
//
//	SubmitHeaders ──► queue ─┐           ApplyHeaders   ┌────────┐
//	SubmitBlock   ──► queue ─┼── pump ── ApplyBlock    ─►│ engine │
//	GetTemplate   ──► queue ─┘           MakeTemplate   │ worker │
//	answers, Blocks and Tips (topics) ◄── Changes ──────└────────┘
//
//	kind       order           at the worker at most   when the engine is slow
//	headers    as they came    Bounds.Worker           they are asked again
//	blocks     as they came    Bounds.Worker           they are asked again
//	templates  as they came    Bounds.Templates        refused: the miner asks again
//
// The callers' windows bound the queues. Headers and blocks are asked before
// anything else, and no kind takes the slots of another. Reads do not pass through
// chain: the engine's Readers are asked directly.
//
// # The life of a submission
//
//	queued ──asked──► asked ──answered──► done
//	   ▲                │
//	   └───ErrTimeout───┘
//
// If the worker does not answer in time, a submission returns to its old position
// in the queue and is asked again. The worker's questions are idempotent, so the
// caller gets a true verdict (Duplicate, if the first try had succeeded after all),
// and exactly one (law L2). What the worker changed meanwhile is not lost: it
// repeats Changes until chain has seen them.
//
// Chain itself is new (it does not know the tips yet, and GetTips waits), running,
// or failed: the worker is gone or has reported a fatal error. A failed chain halts
// the node, and answers submissions with Code Fatal.
//
// # Inputs
//
//	actor.Start     ask CatchUp       machine.go
//	actor.Stop      finish
//	actor.Tick      never due
//	actor.Freed     pump              submit.go
//	SubmitHeaders   onSubmitHeaders   submit.go: queue
//	SubmitBlock     onSubmitBlock     submit.go: queue
//	GetTips         onGetTips         machine.go: answered from the state
//	GetTemplate     onGetTemplate     submit.go: queue
//	HeadersApplied  onHeadersApplied  submit.go: publish, answer
//	BlockApplied    onBlockApplied    submit.go: publish, answer
//	CaughtUp        onCaughtUp        submit.go: publish
//	Made            onMade            submit.go: publish, answer
//
// Every input is followed by pump, which asks the worker whatever has a slot.
//
// # The legal order of events
//
// On Blocks, BlockDisconnected names the tip, and BlockConnected a child of the
// tip, of the chain that the events before it make. Tips follows the events that
// led to it. An answer follows the events of the change that it reports. A rebuilt
// chain publishes once more the events that it had not confirmed to the worker.
package chain

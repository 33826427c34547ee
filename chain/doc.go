// Package chain is the chain processor. Every change of the chain of blocks goes
// through it, and it publishes what has changed. The engine (chain/engine), an
// adapter that may wait, does the work. Chain keeps the order and waits for
// nothing. TestStory in story_test.go shows a block's way through it.
//
//	SubmitHeaders ──► queue ─┐           ApplyHeaders   ┌────────┐
//	SubmitBlock   ──► queue ─┤           ApplyBlock     │ engine │
//	SubmitTx      ──► queue ─┼── pump ── ApplyTx       ─►│ worker │
//	GetTemplate   ──► queue ─┤           MakeTemplate   │  and   │
//	...           ──► queue ─┘           ...            │  pool  │
//	answers, Blocks, Txs and Tips (topics) ◄── Changes ─└────────┘
//
//	kind           order           at the worker at most   when the engine is slow
//	headers        as they came    Bounds.Worker           they are asked again
//	blocks         as they came    Bounds.Worker           they are asked again
//	transactions   as they came    one                     they are asked again
//	outputs        as they came    one                     refused: who asked may ask again
//	priorities     as they came    one                     refused: a second try would add twice
//	templates      as they came    Bounds.Templates        refused: the miner asks again
//	writing        as they came    one                     refused: the file may still be written
//
// The callers' windows bound the queues. Headers and blocks are asked before
// anything else, and no kind takes the slots of another: a flood of blocks does not
// keep transactions out, since one of them stands behind the blocks that the worker
// has. A flood of transactions delays a block by the one that the worker has in
// hand. Reads do not pass through chain: the engine's Readers are asked directly.
// GetTxOut does, since btcd looks an output up under the lock that a block holds.
//
// # The life of a submission
//
//	queued ──asked──► asked ──answered──► done
//	   ▲                │
//	   └───ErrTimeout───┘
//
// If the worker does not answer in time, a submission returns to its old position
// in the queue and is asked again. The worker's questions are idempotent, so the
// caller gets a true verdict (Duplicate or TxKnown, if the first try had succeeded
// after all), and exactly one (law L2). What the worker changed meanwhile is not
// lost: it repeats Changes until chain has seen them.
//
// Prioritise is the one question that is not idempotent. If the worker does not answer
// in time, chain refuses it, and cannot say whether the priority was added: the caller
// looks at the transaction's entry before it tries again. The same is true of a caller
// that gets ErrGone because chain has died.
//
// Chain itself is new (it does not know the tips yet, and GetTips waits), running,
// or failed: the worker is gone or has reported a fatal error. A failed chain halts
// the node. It answers submissions with Code Fatal or TxFatal, and refuses the rest.
//
// # Inputs
//
//	actor.Start      ask CatchUp        machine.go
//	actor.Stop       finish
//	actor.Tick       never due
//	actor.Freed      pump               submit.go
//	SubmitHeaders    onSubmitHeaders    submit.go: queue
//	SubmitBlock      onSubmitBlock      submit.go: queue
//	GetTips          onGetTips          machine.go: answered from the state
//	GetTemplate      onGetTemplate      submit.go: queue
//	SubmitTx         onSubmitTx         pool.go: queue
//	GetTxOut         onGetTxOut         pool.go: queue
//	Prioritise       onPrioritise       pool.go: queue
//	SavePool         onSavePool         pool.go: queue
//	HeadersApplied   onHeadersApplied   submit.go: publish, answer
//	BlockApplied     onBlockApplied     submit.go: publish, answer
//	CaughtUp         onCaughtUp         submit.go: publish
//	Made             onMade             submit.go: publish, answer
//	TxApplied        onTxApplied        pool.go: publish, answer
//	TxOutFound       onTxOutFound       pool.go: publish, answer
//	PriorityApplied  onPriorityApplied  pool.go: publish, answer
//	PoolWritten      onPoolWritten      pool.go: publish, answer
//
// Every input is followed by pump, which asks the worker whatever has a slot.
//
// # The legal order of events
//
// On Blocks, BlockDisconnected names the tip, and BlockConnected a child of the
// tip, of the chain that the events before it make. On Txs, TxAccepted names what the
// pool that the events before it make has not, TxRemoved and TxResent what it has. A
// block's events on both are published in one step. Tips follows the events that led to
// it. An answer follows the events of the change that it reports. A rebuilt chain
// publishes once more the events that it had not confirmed to the worker.
package chain

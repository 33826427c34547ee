package chain

import (
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestL9WhatTheWorkerIsAskedEndsOrIsAskedAgain: a worker that is slow is asked again
// when its slot is free, which is after the port's time, so that is no hot loop. One
// that is gone or refuses has stopped, and nothing is asked of it any more. Who asked for
// a template, an output or a file may ask again. A priority would be added twice.
func TestL9WhatTheWorkerIsAskedEndsOrIsAskedAgain(t *testing.T) {
	for name, retry := range map[string]func(t *testing.T, err error, again bool){
		"headers":       retryOf[ApplyHeaders](SubmitHeaders{}),
		"a block":       retryOf[ApplyBlock](blockAt(1)),
		"catch up":      retryOf[CatchUp](nil),
		"a transaction": retryOf[ApplyTx](txAt(1)),
	} {
		t.Run(name, func(t *testing.T) {
			retry(t, actor.ErrTimeout, true)
			retry(t, actor.ErrGone, false)
			retry(t, actor.ErrBusy, false)
		})
	}
	for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		retryOf[MakeTemplate](GetTemplate{})(t, err, false)
		retryOf[FindTxOut](GetTxOut{})(t, err, false)
		retryOf[ApplyPriority](Prioritise{})(t, err, false)
		retryOf[WritePool](SavePool{})(t, err, false)
	}
}

// retryOf gives a test of whether a worker's question of type Q is asked again. It
// follows from a question to chain, or from the start.
func retryOf[Q any](asked any) func(t *testing.T, err error, again bool) {
	return func(t *testing.T, err error, again bool) {
		t.Helper()
		r, _ := startUnknown(t)
		if asked != nil {
			_, ask := steptest.WantAsk[CatchUp](r, "a new chain asks where the engine stands")
			r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(0)}})
			r.Ask(asked)
		}
		if !again {
			steptest.WantRetry[Q](r, err, 0, 0, "the worker has stopped, or who asked may ask again")
			return
		}
		steptest.WantRetry[Q](r, err, 0, 1, "the worker is slow")
	}
}

// A slow engine is named, with all that waits for it: what it has and what it will get.
func TestASlowEngineIsSaid(t *testing.T) {
	r, _ := start(t)
	const waiting = 3 // more than it has, without the one in hand
	for h := range int32(testBounds.Worker + waiting) {
		r.Ask(blockAt(h + 1))
	}
	_, ask := steptest.WantAsk[ApplyBlock](r, "the first of three that it has")
	r.Fail(ask, actor.ErrTimeout)
	if len(r.Records) != 1 || r.Records[0].Level != actor.Warn {
		t.Fatalf("records: %+v", r.Records)
	}
	fields := r.Records[0].Fields
	if want := testBounds.Worker - 1 + waiting; fields[3] != want {
		t.Errorf("%v of blocks, want %d beside the one in hand", fields, want)
	}
}

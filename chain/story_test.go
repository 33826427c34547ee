package chain

import (
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestStory is what chain does, in one story. Read it first.
func TestStory(t *testing.T) {
	r, _ := startUnknown(t)
	_, ask := steptest.WantAsk[CatchUp](r, "a new chain asks where the engine stands")
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(7)}})
	steptest.Want[Tips](r, "and publishes the tips")

	// Somebody submits a block. The engine's worker is asked to apply it.
	call := r.Ask(SubmitBlock{Payload: []byte{1}, Hash: pointAt(8).Hash, Source: 77})
	q, ask := steptest.WantAsk[ApplyBlock](r, "the worker has a free slot")
	if q.Hash != pointAt(8).Hash || q.Seen != 0 {
		t.Errorf("asked %+v", q)
	}

	// While the worker is busy with it, chain waits for nothing.
	tips := steptest.WantAnswer[Tips](r, r.Ask(GetTips{}), "known without the worker")
	if tips != tipsAt(7) {
		t.Errorf("the tips are %+v", tips)
	}

	// The block takes too long. Its question ends, and a late answer is dropped.
	r.Fail(ask, actor.ErrTimeout)
	_, catchUp := steptest.WantAsk[CatchUp](r, "the lost answer may have brought changes")
	_, again := steptest.WantAsk[ApplyBlock](r, "the block once more, in another slot")
	r.Late(ask)
	r.Reply(catchUp, CaughtUp{Changes{Tips: tipsAt(8), Events: []Event{connected(8)}, Last: 1}})
	steptest.Want[BlockConnected](r, "the first try had connected the block")
	steptest.Want[Tips](r, "the new tips")
	r.WantNothing("the caller waits for the verdict")
	r.Reply(again, BlockApplied{Verdict: Verdict{Code: Duplicate}, Changes: Changes{Tips: tipsAt(8), Events: []Event{connected(8)}, Last: 1}})
	if v := steptest.WantAnswer[Verdict](r, call, "which comes, once"); v.Code != Duplicate {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantNothing("the event has been published already")
}

package chain

import (
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestTipsWaitUntilTheyAreKnown(t *testing.T) {
	r, _ := startUnknown(t)
	early := r.Ask(GetTips{})
	_, ask := steptest.WantAsk[CatchUp](r, "where does the engine stand?")
	r.WantNothing("the tips are not known")
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(5)}})
	if tips := steptest.WantAnswer[Tips](r, early, "now they are"); tips != tipsAt(5) {
		t.Errorf("the tips are %+v", tips)
	}
	steptest.Want[Tips](r, "published too")
	steptest.WantAnswer[Tips](r, r.Ask(GetTips{}), "from now on at once")
	r.WantNothing("the engine need not be asked")
}

// TestL9NoLatchOnTheFirstAnswer: the very first question times out.
func TestL9NoLatchOnTheFirstAnswer(t *testing.T) {
	r, _ := startUnknown(t)
	early := r.Ask(GetTips{})
	_, ask := steptest.WantAsk[CatchUp](r, "where does the engine stand?")
	r.Fail(ask, actor.ErrTimeout)
	r.WantNothing("the only slot is taken by the late question")
	r.Late(ask)
	_, again := steptest.WantAsk[CatchUp](r, "asked again when the slot is free")
	r.Reply(again, CaughtUp{Changes{Tips: tipsAt(5)}})
	steptest.WantAnswer[Tips](r, early, "late, but answered")
}

func TestAFatalErrorHaltsTheNodeAndAnswersEverybody(t *testing.T) {
	r, _ := start(t)
	var calls []actor.RawCall
	for h := int32(1); h <= 5; h++ {
		calls = append(calls, r.Ask(blockAt(h)))
	}
	var headers []actor.RawCall
	for range testBounds.Worker {
		headers = append(headers, r.Ask(SubmitHeaders{}))
		steptest.WantAsk[ApplyHeaders](r, "headers")
	}
	headers = append(headers, r.Ask(SubmitHeaders{}))
	templates := []actor.RawCall{r.Ask(GetTemplate{}), r.Ask(GetTemplate{})}
	_, made := steptest.WantAsk[MakeTemplate](r, "the first template")
	_, one := steptest.WantAsk[ApplyBlock](r, "block 1")
	_, two := steptest.WantAsk[ApplyBlock](r, "block 2")
	_, three := steptest.WantAsk[ApplyBlock](r, "block 3")

	const why = "the disk is full"
	dead := BlockApplied{Verdict: Verdict{Code: Fatal, Reason: "fatal"}, Changes: Changes{Tips: tipsAt(0), Fatal: why}}
	r.Reply(one, dead)
	if err := r.WantHalt("the node cannot go on"); err.Error() != why {
		t.Errorf("the user is told %q", err)
	}
	for _, i := range []int{0, 3, 4} {
		if v := steptest.WantAnswer[Verdict](r, calls[i], "answered at once"); v.Code != Fatal {
			t.Errorf("the verdict is %+v", v)
		}
	}
	if v := steptest.WantAnswer[HeadersVerdict](r, headers[testBounds.Worker], "headers too"); v.Code != Fatal {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantRefused(templates[1], "and the template that waits")
	r.Reply(two, dead)
	r.Fail(three, actor.ErrTimeout)
	steptest.WantAnswer[Verdict](r, calls[1], "what was at the worker")
	steptest.WantAnswer[Verdict](r, calls[2], "what was at the worker")
	r.Fail(made, actor.ErrTimeout)
	r.WantRefused(templates[0], "what was at the worker")
	r.WantRefused(r.Ask(GetTemplate{}), "and what comes later")
	if v := steptest.WantAnswer[Verdict](r, r.Ask(blockAt(6)), "and what comes later"); v.Detail != why {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantNothing("halted once, and the worker is left alone")
}

func TestWithoutAWorkerTheNodeHalts(t *testing.T) {
	r, _ := startUnknown(t)
	tips := r.Ask(GetTips{})
	call := r.Ask(blockAt(1))
	_, ask := steptest.WantAsk[CatchUp](r, "the tips")
	_, block := steptest.WantAsk[ApplyBlock](r, "the block")
	r.Fail(ask, actor.ErrGone)
	r.WantHalt("an adapter does not come back")
	r.WantRefused(tips, "the tips will never be known")
	r.Fail(block, actor.ErrGone)
	if v := steptest.WantAnswer[Verdict](r, call, "answered all the same"); v.Code != Fatal {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantRefused(r.Ask(GetTips{}), "nor later")
}

// Two of its questions find out that the worker is gone: the node is halted once.
func TestTheNodeIsHaltedOnce(t *testing.T) {
	r, _ := startUnknown(t)
	call := r.Ask(blockAt(1))
	_, ask := steptest.WantAsk[CatchUp](r, "the tips")
	_, block := steptest.WantAsk[ApplyBlock](r, "the block")
	r.Fail(block, actor.ErrGone)
	r.WantHalt("an adapter does not come back")
	steptest.WantAnswer[Verdict](r, call, "answered all the same")
	r.Fail(ask, actor.ErrGone)
	r.WantNothing("it is known already")
}

func TestStop(t *testing.T) {
	r, _ := start(t)
	r.Ask(blockAt(1))
	steptest.WantAsk[ApplyBlock](r, "the block")
	r.Give(actor.Stop{})
	r.WantFinish("the engine finishes what it is at; the kernel settles what is owed")
	r.WantNothing("nothing else")
}

// When the engine has failed, whoever asks is told so at once, and whoever waits for the
// engine is told when its answer comes, even if that answer is a good one.
func TestAfterTheEngineFailedNobodyWaits(t *testing.T) {
	r, _ := start(t)
	asked := r.Ask(SubmitHeaders{})
	_, headers := steptest.WantAsk[ApplyHeaders](r, "headers")
	r.Ask(blockAt(1))
	_, block := steptest.WantAsk[ApplyBlock](r, "a block")
	r.Fail(block, actor.ErrTimeout)
	_, catchUp := steptest.WantAsk[CatchUp](r, "its answer may have brought changes")
	r.Fail(catchUp, actor.ErrTimeout)
	r.Ask(blockAt(2))
	for range 2 {
		_, again := steptest.WantAsk[ApplyBlock](r, "the other slots")
		block = again
	}
	r.Reply(block, BlockApplied{Changes: Changes{Tips: tipsAt(0), Fatal: "the disk is full"}})
	r.WantHalt("the node cannot go on")
	r.Drop()
	r.Reply(headers, HeadersApplied{Changes: Changes{Tips: tipsAt(0)}})
	if v := steptest.WantAnswer[HeadersVerdict](r, asked, "its answer means nothing now"); v.Code != Fatal {
		t.Errorf("%+v", v)
	}
	if v := steptest.WantAnswer[HeadersVerdict](r, r.Ask(SubmitHeaders{}), "at once"); v.Code != Fatal {
		t.Errorf("%+v", v)
	}
	r.Late(catchUp)
	r.WantNothing("a failed engine is asked nothing more, and nobody is told twice")
}

// A stop comes in a batch with the answer that frees the worker's slot. The next block is
// not handed over any more: the engine is to stop too.
func TestNothingIsAskedAfterStop(t *testing.T) {
	r, _ := start(t)
	for h := range int32(testBounds.Worker + 1) {
		r.Ask(blockAt(h + 1))
	}
	_, first := steptest.WantAsk[ApplyBlock](r, "the first of as many as the worker takes")
	for range testBounds.Worker - 1 {
		steptest.WantAsk[ApplyBlock](r, "the others")
	}
	r.StopBeside(first, applied(1, 1, connected(1)))
	r.WantFinish("it stops")
	r.WantNothing("a slot is free, and it asks nothing")
}

// The verdict of an engine that has failed still says where the chain is: of headers the
// best header, of a block the best block. RPC shows them, and they are not the same.
func TestAFailedEngineSaysWhereItStands(t *testing.T) {
	tips := Tips{Block: pointAt(5), Header: pointAt(9)}
	r, _ := startUnknown(t)
	_, ask := steptest.WantAsk[CatchUp](r, "where does the engine stand?")
	r.Reply(ask, CaughtUp{Changes{Tips: tips}})
	headers, block := r.Ask(SubmitHeaders{}), r.Ask(blockAt(6))
	_, one := steptest.WantAsk[ApplyHeaders](r, "the headers")
	_, two := steptest.WantAsk[ApplyBlock](r, "the block")
	r.Reply(one, HeadersApplied{Changes: Changes{Tips: tips, Fatal: "the disk is full"}})
	r.WantHalt("the node cannot go on")
	r.Reply(two, BlockApplied{Changes: Changes{Tips: tips}})
	for when, calls := range map[string][2]actor.RawCall{
		"under way when it failed": {headers, block}, "asked later": {r.Ask(SubmitHeaders{}), r.Ask(blockAt(6))},
	} {
		if v := steptest.WantAnswer[HeadersVerdict](r, calls[0], when); v.Best != tips.Header || v.Code != Fatal {
			t.Errorf("headers %s: the verdict is %+v, want the best header %+v", when, v, tips.Header)
		}
		if v := steptest.WantAnswer[Verdict](r, calls[1], when); v.Tip != tips.Block || v.Hash != pointAt(6).Hash || v.Code != Fatal {
			t.Errorf("a block %s: the verdict is %+v, want the best block %+v", when, v, tips.Block)
		}
	}
}

package chain

import (
	"strings"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// A peer is at fault for what breaks a rule, and for nothing else.
func TestFaultyCodes(t *testing.T) {
	for code, faulty := range map[Code]bool{
		OK: false, Duplicate: false, Orphan: false, TooNew: false, Fatal: false,
		Invalid: true, BadAncestor: true, Checkpoint: true, Mutated: true,
	} {
		if code.Faulty() != faulty {
			t.Errorf("%v: faulty %v", code, code.Faulty())
		}
	}
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

// An operator reads of each reorganisation, how deep it went, and nothing of blocks that
// come one after another.
func TestAReorganisationIsSaid(t *testing.T) {
	r, _ := start(t)
	r.Ask(blockAt(1))
	_, ask := steptest.WantAsk[ApplyBlock](r, "a block")
	r.Reply(ask, applied(1, 1, connected(1)))
	if len(r.Records) != 0 {
		t.Errorf("a block on top is no reorganisation: %+v", r.Records)
	}
	r.Ask(blockAt(3))
	_, ask = steptest.WantAsk[ApplyBlock](r, "a block")
	r.Reply(ask, applied(3, 4, BlockDisconnected{Point: pointAt(1)}, connected(2), connected(3)))
	if len(r.Records) != 1 || !strings.Contains(r.Records[0].Msg, "reorganised") {
		t.Fatalf("records: %+v", r.Records)
	}
	for i, want := range []any{"disconnected", 1, "connected", 2} {
		if got := r.Records[0].Fields[i]; got != want {
			t.Errorf("field %d is %v, want %v", i, got, want)
		}
	}
}

// A slow engine is named, with all that waits for it: what it has and what it will get.
func TestASlowEngineIsSaid(t *testing.T) {
	r, _ := start(t)
	for h := range int32(testBounds.Worker + 2) {
		r.Ask(blockAt(h + 1))
	}
	_, ask := steptest.WantAsk[ApplyBlock](r, "the first of three that it has")
	r.Fail(ask, actor.ErrTimeout)
	if len(r.Records) != 1 || r.Records[0].Level != actor.Warn {
		t.Fatalf("records: %+v", r.Records)
	}
	fields := r.Records[0].Fields
	if want := testBounds.Worker + 2 - 1; fields[3] != want {
		t.Errorf("%v of blocks, want %d beside the one in hand", fields, want)
	}
}

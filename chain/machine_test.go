package chain

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

const (
	workerID  actor.ID = 1
	readersID actor.ID = 2
)

var (
	testBounds  = Bounds{Window: 3, Retry: time.Second}
	testWindows = Windows{Worker: 3, Reads: 2, WorkerTimeout: 10 * time.Minute, ReadTimeout: 30 * time.Second}
)

// start puts a chain on the bench that knows the tips.
func start(t *testing.T) (*steptest.Rig, *Machine) {
	t.Helper()
	r, m := startUnknown(t)
	_, ask := steptest.WantAsk[CatchUp](r, "a new chain asks where the engine stands")
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(0)}})
	steptest.Want[Tips](r, "the first tips are published")
	r.WantNothing("nothing else to do")
	return r, m
}

func startUnknown(t *testing.T) (*steptest.Rig, *Machine) {
	t.Helper()
	var ports actor.Ports
	m := New(testBounds, ConnectPorts(&ports, workerID, readersID, testWindows), Topics{
		Tips: actor.State[Tips]{ID: 1}, Blocks: actor.Stream[Event]{ID: 2},
	})
	return steptest.New(t, m, ports.Specs), m
}

func pointAt(height int32) Point {
	return Point{Hash: chainhash.Hash{byte(height), byte(height >> 8), 1}, Height: height, Work: WorkFrom64(uint64(height))}
}

func tipsAt(height int32) Tips { return Tips{Block: pointAt(height), Header: pointAt(height)} }

func blockAt(height int32) SubmitBlock {
	return SubmitBlock{Block: &wire.MsgBlock{}, Hash: pointAt(height).Hash, Source: 77}
}

func connected(height int32) Event { return BlockConnected{Point: pointAt(height), Source: 77} }

// applied is the worker's answer to the block at a height.
func applied(height int32, last uint64, events ...Event) BlockApplied {
	return BlockApplied{
		Verdict: Verdict{Hash: pointAt(height).Hash, InBestChain: true, Tip: pointAt(height)},
		Changes: Changes{Tips: tipsAt(height), Events: events, Last: last},
	}
}

func TestSubmissionsReachTheWorkerInOrder(t *testing.T) {
	r, _ := start(t)
	headers := r.Ask(SubmitHeaders{Headers: make([]*wire.BlockHeader, 5)})
	var blocks []actor.RawCall
	for h := int32(1); h <= 4; h++ {
		blocks = append(blocks, r.Ask(blockAt(h)))
	}

	q, first := steptest.WantAsk[ApplyHeaders](r, "what was submitted first is asked first")
	if len(q.Headers) != 5 || first.To != workerID {
		t.Fatalf("asked %v for %d headers", first.To, len(q.Headers))
	}
	one, ask1 := steptest.WantAsk[ApplyBlock](r, "the worker should not idle between two")
	two, ask2 := steptest.WantAsk[ApplyBlock](r, "the worker should not idle between two")
	r.WantNothing("the window is three, the others wait here")
	if one.Hash != pointAt(1).Hash || two.Hash != pointAt(2).Hash || one.Source != 77 {
		t.Fatal("blocks are out of order, or lost their source")
	}

	r.Reply(first, HeadersApplied{Verdict: HeadersVerdict{Accepted: 5}, Changes: Changes{Tips: tipsAt(0)}})
	if v := steptest.WantAnswer[HeadersVerdict](r, headers, "the caller gets its verdict"); v.Accepted != 5 {
		t.Errorf("the verdict is %+v", v)
	}
	three, _ := steptest.WantAsk[ApplyBlock](r, "a free place is used at once")
	if three.Hash != pointAt(3).Hash {
		t.Error("block 3 should be next")
	}
	r.Reply(ask1, applied(1, 1, connected(1)))
	steptest.Want[BlockConnected](r, "the event")
	steptest.Want[Tips](r, "and the tips")
	steptest.WantAnswer[Verdict](r, blocks[0], "and the verdict")
	steptest.WantAsk[ApplyBlock](r, "block 4")
	r.Reply(ask2, applied(2, 2, connected(2)))
	steptest.WantAnswer[Verdict](r, blocks[1], "the second caller")
}

// Whoever has the verdict may rely on the event being under way, and whoever has
// the tips on the events that led there.
func TestEventsGoBeforeTipsGoBeforeTheVerdict(t *testing.T) {
	r, _ := start(t)
	call := r.Ask(blockAt(2))
	_, ask := steptest.WantAsk[ApplyBlock](r, "the block")
	r.Reply(ask, applied(2, 3, BlockDisconnected{pointAt(1)}, connected(1), connected(2)))

	var got []string
	for _, e := range r.Pending() {
		switch e.Body.(type) {
		case BlockDisconnected:
			got = append(got, "disconnected")
		case BlockConnected:
			got = append(got, "connected")
		case Tips:
			got = append(got, "tips")
		case Verdict:
			got = append(got, "verdict")
		}
	}
	if s := strings.Join(got, " "); s != "disconnected connected connected tips verdict" {
		t.Errorf("the order is %q", s)
	}
	steptest.WantAnswer[Verdict](r, call, "the verdict")
	if len(r.Records) != 1 || !strings.Contains(r.Records[0].Msg, "reorganised") {
		t.Errorf("a reorganisation is logged once, have %v", r.Records)
	}
}

func TestTipsArePublishedOnlyWhenTheyChange(t *testing.T) {
	r, _ := start(t)
	call := r.Ask(blockAt(1))
	_, ask := steptest.WantAsk[ApplyBlock](r, "the block")
	r.Reply(ask, BlockApplied{Verdict: Verdict{Code: Invalid, Reason: "bad-cb-amount"}, Changes: Changes{Tips: tipsAt(0)}})
	if v := steptest.WantAnswer[Verdict](r, call, "a refusal is a verdict"); v.Code != Invalid {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantNothing("nothing has changed")
}

// TestL2EverySubmissionEndsOnce: the worker is so slow that the questions time
// out; each is asked again, in order, and its caller gets one verdict.
func TestL2EverySubmissionEndsOnce(t *testing.T) {
	r, m := start(t)
	var calls []actor.RawCall
	var asks []steptest.Asked
	for h := int32(1); h <= 4; h++ {
		calls = append(calls, r.Ask(blockAt(h)))
	}
	for range testBounds.Window {
		_, a := steptest.WantAsk[ApplyBlock](r, "the window is filled")
		asks = append(asks, a)
	}
	for _, a := range asks {
		r.Fail(a, actor.ErrTimeout)
	}
	_, catchUp := steptest.WantAsk[CatchUp](r, "an answer was lost: what has changed?")
	r.WantNothing("all places are taken as long as the worker has not answered")

	// The worker was at it all the time: it has done block 1 and 2, and their
	// events come with the next answer.
	r.Reply(catchUp, CaughtUp{Changes{Tips: tipsAt(2), Events: []Event{connected(1), connected(2)}, Last: 2}})
	steptest.Want[BlockConnected](r, "block 1's event is not lost")
	steptest.Want[BlockConnected](r, "block 2's event is not lost")
	steptest.Want[Tips](r, "nor are the tips")

	for _, a := range asks {
		r.Late(a) // places become free, and no input says so
	}
	r.Advance(2 * testBounds.Retry)
	for h := int32(1); h <= 3; h++ {
		q, a := steptest.WantAsk[ApplyBlock](r, "asked again, in the old order")
		if q.Hash != pointAt(h).Hash || q.Seen != 2 {
			t.Fatalf("asked for %v having seen %d, want block %d and 2", q.Hash, q.Seen, h)
		}
		v := Verdict{Hash: q.Hash, Code: Duplicate, InBestChain: true}
		r.Reply(a, BlockApplied{Verdict: v, Changes: Changes{Tips: tipsAt(3), Last: 2}})
		if got := steptest.WantAnswer[Verdict](r, calls[h-1], "one verdict"); got.Code != Duplicate {
			t.Errorf("the verdict is %+v", got)
		}
	}
	_, last := steptest.WantAsk[ApplyBlock](r, "block 4 had to wait")
	r.Reply(last, applied(4, 3, connected(4)))
	steptest.WantAnswer[Verdict](r, calls[3], "block 4")
	if m.wants() || len(m.asked) != 0 || !m.Deadline().IsZero() {
		t.Error("something is left over")
	}
}

// Two questions are outstanding with the same Seen: the second answer repeats
// the events of the first.
func TestRepeatedEventsArePublishedOnce(t *testing.T) {
	r, _ := start(t)
	r.Ask(blockAt(1))
	r.Ask(blockAt(2))
	_, one := steptest.WantAsk[ApplyBlock](r, "block 1")
	_, two := steptest.WantAsk[ApplyBlock](r, "block 2")
	r.Reply(one, applied(1, 1, connected(1)))
	r.Reply(two, applied(2, 2, connected(1), connected(2)))
	for h := int32(1); h <= 2; h++ {
		if e := steptest.Want[BlockConnected](r, "each once"); e.Height != h {
			t.Errorf("the event is of block %d, want %d", e.Height, h)
		}
	}
	for _, e := range r.Pending() {
		if _, is := e.Body.(BlockConnected); is {
			t.Error("an event was published twice")
		}
	}
}

// A rebuilt chain has seen nothing; the worker brings what nobody has confirmed.
func TestARebuiltChainCatchesUp(t *testing.T) {
	r, _ := startUnknown(t)
	q, ask := steptest.WantAsk[CatchUp](r, "where does the engine stand?")
	if q.Seen != 0 {
		t.Errorf("a rebuilt chain says it has seen %d events", q.Seen)
	}
	r.Reply(ask, CaughtUp{Changes{Tips: tipsAt(9), Events: []Event{connected(8), connected(9)}, Last: 900}})
	steptest.Want[BlockConnected](r, "what was under way when it crashed")
	steptest.Want[BlockConnected](r, "what was under way when it crashed")
	steptest.Want[Tips](r, "the tips")
	r.Ask(blockAt(10))
	if q, _ := steptest.WantAsk[ApplyBlock](r, "on with it"); q.Seen != 900 {
		t.Errorf("it says it has seen %d events, want 900", q.Seen)
	}
}

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
	r.WantNothing("the only place is taken by the late question")
	r.Late(ask)
	r.Advance(2 * testBounds.Retry)
	_, again := steptest.WantAsk[CatchUp](r, "asked again when the clock says so")
	r.Reply(again, CaughtUp{Changes{Tips: tipsAt(5)}})
	steptest.WantAnswer[Tips](r, early, "late, but answered")
}

func TestAFatalErrorHaltsTheNodeAndAnswersEverybody(t *testing.T) {
	r, _ := start(t)
	var calls []actor.RawCall
	for h := int32(1); h <= 5; h++ {
		calls = append(calls, r.Ask(blockAt(h)))
	}
	headers := r.Ask(SubmitHeaders{})
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
	if v := steptest.WantAnswer[HeadersVerdict](r, headers, "headers too"); v.Code != Fatal {
		t.Errorf("the verdict is %+v", v)
	}
	r.Reply(two, dead)
	r.Fail(three, actor.ErrTimeout)
	steptest.WantAnswer[Verdict](r, calls[1], "what was at the worker")
	steptest.WantAnswer[Verdict](r, calls[2], "what was at the worker")
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

func TestReadsPassASlowWorker(t *testing.T) {
	r, _ := start(t)
	r.Ask(blockAt(1))
	_, slow := steptest.WantAsk[ApplyBlock](r, "a block that takes minutes")

	locator := r.Ask(GetLocator{Parent: true})
	header := r.Ask(GetHeader{Hash: pointAt(3).Hash})
	q, first := steptest.WantAsk[GetLocator](r, "forwarded to the readers")
	_, second := steptest.WantAsk[GetHeader](r, "forwarded to the readers")
	if first.To != readersID || !q.Parent {
		t.Fatalf("asked %v: %+v", first.To, q)
	}
	r.Reply(second, HeaderInfo{Known: true})
	if h := steptest.WantAnswer[HeaderInfo](r, header, "answers come in any order"); !h.Known {
		t.Error("the answer was changed on the way")
	}
	r.Reply(first, Locator{Tip: pointAt(4)})
	if l := steptest.WantAnswer[Locator](r, locator, "each to its asker"); l.Tip != pointAt(4) {
		t.Error("the answer was changed on the way")
	}
	r.WantNothing("and the block is still being worked on")
	r.Reply(slow, applied(1, 1, connected(1)))
}

// Every question of the contract finds its way to the engine and back.
func TestEveryReadIsForwarded(t *testing.T) {
	r, m := start(t)
	roundTrip(r, GetLocator{}, Locator{})
	roundTrip(r, GetPath{Max: 7}, Path{Have: 7})
	roundTrip(r, GetForks{}, Forks{})
	roundTrip(r, GetHeaders{}, Headers{})
	roundTrip(r, GetHashes{}, Hashes{})
	roundTrip(r, GetBlock{}, Block{Height: 7})
	roundTrip(r, GetHash{Height: 7}, HashAt{Known: true})
	roundTrip(r, GetHeader{}, HeaderInfo{Known: true})
	roundTrip(r, GetTemplate{}, Template{Bits: 7})
	if len(m.reads) != 0 {
		t.Errorf("%d reads are left over", len(m.reads))
	}
}

func roundTrip[Q, A any](r *steptest.Rig, q Q, a A) {
	call := r.Ask(q)
	_, ask := steptest.WantAsk[Q](r, "forwarded")
	r.Reply(ask, a)
	steptest.WantAnswer[A](r, call, "answered")
}

func TestReadsAreRefusedWhenTheReadersHang(t *testing.T) {
	r, _ := start(t)
	one, two, three := r.Ask(GetBlock{}), r.Ask(GetBlock{}), r.Ask(GetBlock{})
	_, first := steptest.WantAsk[GetBlock](r, "the first")
	_, second := steptest.WantAsk[GetBlock](r, "the second")
	r.WantRefused(three, "there are two places: better a refusal than a queue")
	r.Fail(first, actor.ErrTimeout)
	r.WantRefused(one, "the reader hangs")
	r.Fail(second, actor.ErrGone)
	r.WantRefused(two, "the reader is gone")
	r.Ask(GetBlock{})
	steptest.WantAsk[GetBlock](r, "the place of a reader that is gone is free")
	four := r.Ask(GetBlock{})
	r.WantRefused(four, "the place of one that hangs is not")
	roundTrip(r, GetHash{}, HashAt{})
}

func TestStop(t *testing.T) {
	r, _ := start(t)
	r.Ask(blockAt(1))
	steptest.WantAsk[ApplyBlock](r, "the block")
	r.Give(actor.Stop{})
	r.WantFinish("the engine finishes what it is at; the kernel settles what is owed")
	r.WantNothing("nothing else")
}

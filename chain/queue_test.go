package chain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestSubmissionsReachTheWorkerInOrder(t *testing.T) {
	r, _ := start(t)
	headers := r.Ask(SubmitHeaders{Headers: make([]*wire.BlockHeader, 5)})
	var blocks []actor.RawCall
	for h := int32(1); h <= 5; h++ {
		blocks = append(blocks, r.Ask(blockAt(h)))
	}

	q, first := steptest.WantAsk[ApplyHeaders](r, "headers have a window to themselves")
	if len(q.Headers) != 5 || first.To != workerID {
		t.Fatalf("asked %v for %d headers", first.To, len(q.Headers))
	}
	var asks []steptest.Asked
	for h := int32(1); h <= 3; h++ {
		q, ask := steptest.WantAsk[ApplyBlock](r, "the worker should not idle between two")
		if q.Hash != pointAt(h).Hash || q.Source != 77 || q.Test {
			t.Fatalf("block %d is out of order, lost its source, or is only judged", h)
		}
		asks = append(asks, ask)
	}
	r.WantNothing("the window is three, the others wait here")

	r.Reply(first, HeadersApplied{Verdict: HeadersVerdict{Accepted: 5}, Changes: Changes{Tips: tipsAt(0)}})
	if v := steptest.WantAnswer[HeadersVerdict](r, headers, "the caller gets its verdict"); v.Accepted != 5 {
		t.Errorf("the verdict is %+v", v)
	}
	r.WantNothing("a free slot for headers is none for blocks")
	r.Reply(asks[0], applied(1, 1, connected(1)))
	steptest.Want[BlockConnected](r, "the event")
	steptest.Want[Tips](r, "and the tips")
	steptest.WantAnswer[Verdict](r, blocks[0], "and the verdict")
	four, _ := steptest.WantAsk[ApplyBlock](r, "a free slot is used at once")
	if four.Hash != pointAt(4).Hash {
		t.Error("block 4 should be next")
	}
	r.Reply(asks[1], applied(2, 2, connected(2)))
	steptest.WantAnswer[Verdict](r, blocks[1], "the second caller")
	steptest.WantAsk[ApplyBlock](r, "block 5")
}

// A proposal goes the way of a block, and is only judged.
func TestAProposalReachesTheWorker(t *testing.T) {
	r, _ := start(t)
	call := r.Ask(SubmitBlock{Payload: []byte{1}, Hash: pointAt(1).Hash, Test: true})
	q, ask := steptest.WantAsk[ApplyBlock](r, "a proposal")
	if q.Hash != pointAt(1).Hash || !q.Test {
		t.Errorf("asked %+v", q)
	}
	r.Reply(ask, BlockApplied{Verdict: Verdict{Code: Invalid, Reason: "bad-cb-amount"}, Changes: Changes{Tips: tipsAt(0)}})
	if v := steptest.WantAnswer[Verdict](r, call, "the verdict"); v.Reason != "bad-cb-amount" {
		t.Errorf("answered %+v", v)
	}
}

// No kind of work takes the slots of another, not even those that come free.
func TestEachKindHasItsOwnSlots(t *testing.T) {
	r, _ := start(t)
	for h := int32(1); h <= 4; h++ {
		r.Ask(blockAt(h))
		r.Ask(SubmitHeaders{})
	}
	r.Ask(GetTemplate{})
	r.Ask(GetTemplate{})
	var blocks, headers []steptest.Asked
	for range testBounds.Worker {
		_, block := steptest.WantAsk[ApplyBlock](r, "the window of blocks is filled")
		_, header := steptest.WantAsk[ApplyHeaders](r, "and that of headers")
		blocks, headers = append(blocks, block), append(headers, header)
	}
	_, template := steptest.WantAsk[MakeTemplate](r, "and that of templates")
	r.WantNothing("one question of each kind waits")

	for _, a := range append(append(blocks, headers...), template) {
		r.Fail(a, actor.ErrTimeout)
	}
	r.Drop()
	r.Late(template)
	steptest.WantAsk[MakeTemplate](r, "the second template")
	r.WantNothing("and no block")
	r.Late(blocks[0])
	q, _ := steptest.WantAsk[ApplyBlock](r, "a block")
	if q.Hash != pointAt(1).Hash {
		t.Error("block 1 should be next")
	}
	r.WantNothing("and no headers")
	r.Late(headers[0])
	steptest.WantAsk[ApplyHeaders](r, "headers")
	r.WantNothing("and nothing else")
}

// One step finds slots for everything. The worker carries out first what it is
// asked first.
func TestHeadersAndBlocksGoBeforeTemplates(t *testing.T) {
	r, m := start(t)
	m.templates.push(GetTemplate{}, GetTemplate{}.Call(actor.Input{Body: GetTemplate{}, Call: actor.RawCall{Seq: 1}}))
	m.blocks.push(blockAt(1), SubmitBlock{}.Call(actor.Input{Body: SubmitBlock{}, Call: actor.RawCall{Seq: 2}}))
	r.Ask(SubmitHeaders{})
	var got []string
	for _, e := range r.Pending() {
		got = append(got, fmt.Sprintf("%T", e.Body))
	}
	if s := strings.Join(got, " "); s != "chain.ApplyHeaders chain.ApplyBlock chain.MakeTemplate" {
		t.Errorf("asked %s", s)
	}
}

// A miner asks for a template while blocks come without end. The template is asked
// at once and stands behind one window of blocks and one of headers at most.
func TestL8TemplatesAreNotStarved(t *testing.T) {
	r, _ := start(t)
	height := int32(0)
	submit := func() {
		height++
		r.Ask(blockAt(height))
	}
	for range 2 * testBounds.Worker {
		submit()
	}
	call := r.Ask(GetTemplate{Time: r.Now})
	atWorker := r.Pending() // in the order in which the worker takes them
	for i := int32(1); ; i++ {
		first := atWorker[0]
		atWorker = atWorker[1:]
		ask := steptest.AskedBy(first)
		r.Drop()
		if q, is := first.Body.(MakeTemplate); is {
			if !q.Time.Equal(r.Now) {
				t.Error("the miner's clock is lost")
			}
			r.Reply(ask, Made{Template{Bits: 7}, Changes{Tips: tipsAt(i - 1), Last: uint64(i - 1)}})
			break
		}
		if int(i) > testBounds.Worker {
			t.Fatalf("%d blocks were connected, and no template was made", i)
		}
		submit()
		r.Reply(ask, applied(i, uint64(i), connected(i)))
		for _, e := range r.Pending() {
			if e.Kind == actor.Ask {
				atWorker = append(atWorker, e)
			}
		}
	}
	if got := steptest.WantAnswer[Template](r, call, "the miner has its template"); got.Bits != 7 {
		t.Errorf("the template was changed on the way: %+v", got)
	}
}

// A worker that is slow or gone makes no template. The miner is told at once, and
// asks again.
func TestATemplateThatFailsIsRefused(t *testing.T) {
	r, m := start(t)
	call := r.Ask(GetTemplate{})
	_, ask := steptest.WantAsk[MakeTemplate](r, "a template")
	r.Fail(ask, actor.ErrTimeout)
	r.WantRefused(call, "there is none")
	steptest.WantAsk[CatchUp](r, "the lost answer may have brought changes")
	r.Late(ask)
	call = r.Ask(GetTemplate{})
	_, ask = steptest.WantAsk[MakeTemplate](r, "the next template")
	r.Reply(ask, Made{Changes: Changes{Tips: tipsAt(0), Fatal: "the disk is full"}})
	r.WantHalt("the node cannot go on")
	r.WantRefused(call, "there is none, ever")
	if n := m.templates.len(); n != 0 {
		t.Errorf("%d templates are left over", n)
	}
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
	for range testBounds.Worker {
		_, a := steptest.WantAsk[ApplyBlock](r, "the window is filled")
		asks = append(asks, a)
	}
	for _, a := range asks {
		r.Fail(a, actor.ErrTimeout)
	}
	_, catchUp := steptest.WantAsk[CatchUp](r, "an answer was lost: what has changed?")
	r.WantNothing("all slots are taken until the worker has answered")

	// The worker was at it all the time: it has done block 1 and 2, and their
	// events come with the next answer.
	r.Reply(catchUp, CaughtUp{Changes{Tips: tipsAt(2), Events: []Event{connected(1), connected(2)}, Last: 2}})
	steptest.Want[BlockConnected](r, "block 1's event is not lost")
	steptest.Want[BlockConnected](r, "block 2's event is not lost")
	steptest.Want[Tips](r, "nor are the tips")

	for _, a := range asks {
		r.Late(a)
	}
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
	if m.behind || m.catchingUp || m.blocks.len() != 0 || !m.Deadline().IsZero() {
		t.Error("something is left over")
	}
}

// No clock runs: what found no slot is asked when the worker's late answer frees
// one.
func TestL9AFreedSlotIsUsedAtOnce(t *testing.T) {
	r, _ := start(t)
	var asks []steptest.Asked
	for h := int32(1); h <= 3; h++ {
		r.Ask(blockAt(h))
		_, a := steptest.WantAsk[ApplyBlock](r, "the window is filled")
		asks = append(asks, a)
	}
	r.Fail(asks[0], actor.ErrTimeout)
	_, catchUp := steptest.WantAsk[CatchUp](r, "an answer was lost: what has changed?")
	r.Fail(catchUp, actor.ErrTimeout)
	r.WantNothing("neither finds a slot")
	r.Advance(time.Hour)
	r.WantNothing("nor does time give one")

	r.Late(asks[0])
	q, _ := steptest.WantAsk[ApplyBlock](r, "block 1, in the slot that came free")
	if q.Hash != pointAt(1).Hash {
		t.Errorf("asked for %v, want block 1", q.Hash)
	}
	r.WantNothing("the CatchUp waits for its slot")
	r.Late(catchUp)
	steptest.WantAsk[CatchUp](r, "and is asked in it")
	r.WantNothing("everything is asked")
}

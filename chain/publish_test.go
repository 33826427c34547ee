package chain

import (
	"strings"
	"testing"

	"acyclic/internal/proof/steptest"
)

// A caller that has the verdict knows that the event is under way. A subscriber that
// has the tips has had the events that led there.
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

// Each part of the tips counts: headers that run ahead, and the median time, which says
// what is too old, though the best block is the same.
func TestTipsChangeByEachOfTheirParts(t *testing.T) {
	for name, change := range map[string]func(*Tips){
		"the best header": func(t *Tips) { t.Header = pointAt(9) },
		"the best block":  func(t *Tips) { t.Block = pointAt(1) },
		"the median time": func(t *Tips) { t.MedianTime = t.MedianTime.Add(1) },
	} {
		r, _ := start(t)
		now := tipsAt(0)
		change(&now)
		r.Ask(SubmitHeaders{})
		_, ask := steptest.WantAsk[ApplyHeaders](r, "headers")
		r.Reply(ask, HeadersApplied{Changes: Changes{Tips: now}})
		if got := steptest.Want[Tips](r, name+" has changed"); got != now {
			t.Errorf("%s: %+v is published", name, got)
		}
		if got := steptest.WantAnswer[Tips](r, r.Ask(GetTips{}), "and answered"); got != now {
			t.Errorf("%s: %+v is answered", name, got)
		}
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

// A rebuilt chain has seen nothing. The worker brings what was not confirmed.
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

package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// handing returns a unit that has handed the first blocks of its span to chain, with
// the numbers of the questions from zero.
func handing(handed int32) *unit {
	u := newUnit(9)
	u.join(1, 9, time.Millisecond)
	u.hold(1, handed, 500)
	u.submit()
	return u
}

func (u *unit) submit() []chain.SubmitBlock {
	return asks[chain.SubmitBlock](u, func() { u.submits.plan(u.ports.Block, u.out) })
}

// verdict answers a submission.
func (u *unit) verdict(number uint64, code chain.Code, err error) {
	u.submits.onVerdict(actor.Input{Key: number, Err: err}, chain.Verdict{Code: code})
}

// Chain has blocks of so many bytes at a time, and always one.
func TestHowManyBytesChainIsGiven(t *testing.T) {
	for _, c := range []struct{ size, budget, want int }{
		{500, 1500, 3}, {500, 1499, 2}, {500, 500, 1}, {500, 499, 1}, {500, 0, 1}, {500, 4000, 4},
	} {
		u := newUnit(9)
		u.cfg.SubmitBytes = c.budget
		u.hold(1, 4, c.size)
		q := u.submit()
		if len(q) != c.want || u.submits.bytes != c.want*c.size {
			t.Errorf("%+v: %d blocks with %d bytes are handed over", c, len(q), u.submits.bytes)
		}
		u.wantSound(t)
	}
}

// Chain is left alone until the pause is over.
func TestChainIsLeftAlone(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		want  int
	}{{1, 0}, {0, 4}, {-time.Second, 4}} {
		u := newUnit(9)
		u.hold(1, 4, 500)
		u.submits.after = u.now.Add(c.pause)
		if got := len(u.submit()); got != c.want {
			t.Errorf("%v before the end of the pause %d blocks are handed over", c.pause, got)
		}
	}
}

// Each question has its own key, and an answer is about that block alone.
func TestVerdictsInAnyOrder(t *testing.T) {
	u := handing(3)
	u.verdict(1, chain.OK, nil)
	if u.entryAt(1).state != handed || u.entryAt(2).state != done || u.entryAt(3).state != handed || u.submits.bytes != 1000 {
		t.Errorf("states %d, %d, %d; %d bytes are judged", u.entryAt(1).state, u.entryAt(2).state, u.entryAt(3).state, u.submits.bytes)
	}
	u.wantSound(t)
	u.verdict(0, chain.OK, nil)
	u.verdict(2, chain.Duplicate, nil)
	if u.span.base != 3 || u.submits.connected != 2 || u.submits.meter.rate(u.now) != 2 || len(u.submits.list) != 0 {
		t.Errorf("%d blocks are done, %d were new, %v a second", u.span.base, u.submits.connected, u.submits.meter.rate(u.now))
	}
}

// A block comes back when chain could not judge it. Some verdicts say that the path
// should be looked at again; that is done after a pause.
func TestWhatAVerdictDoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		number  uint64 // zero is the block that chain needs next
		code    chain.Code
		err     error
		state   entryState
		pause   time.Duration
		stale   bool
		dropped bool
	}{
		{"it timed out", 1, chain.OK, actor.ErrTimeout, held, time.Second, true, false},
		{"chain has died", 0, chain.OK, actor.ErrGone, held, time.Second, true, false},
		{"an orphan behind others", 1, chain.Orphan, nil, held, 0, false, false},
		{"an orphan in front", 0, chain.Orphan, nil, held, time.Second, true, false},
		{"too new", 1, chain.TooNew, nil, held, 2 * time.Minute, false, false},
		{"a changed copy", 1, chain.Mutated, nil, wanted, 0, false, true},
		{"the node is stopping", 1, chain.Fatal, nil, held, time.Second, true, false},
	} {
		u := handing(3)
		u.verdict(c.number, c.code, c.err)
		e := u.entryAt(int32(c.number) + 1)
		var after time.Time
		if c.pause > 0 {
			after = u.now.Add(c.pause)
		}
		if e.state != c.state || !u.submits.after.Equal(after) || u.submits.connected != 0 {
			t.Errorf("%s: state %d, chain is left alone until %v, %d blocks are new", c.name, e.state, u.submits.after, u.submits.connected)
		}
		if u.route.path.stale != c.stale || c.stale && !u.route.path.retryAt.Equal(after) {
			t.Errorf("%s: the path is asked for again: %v, at %v", c.name, u.route.path.stale, u.route.path.retryAt)
		}
		if got := u.find(1).why != (actor.End{}); got != c.dropped {
			t.Errorf("%s: the peer is dropped: %v", c.name, got)
		}
	}
}

// A path through a block that chain has refused is given up. Only who sent a bad block
// is to blame, and not for the ancestor of one.
func TestVerdictsThatEndThePath(t *testing.T) {
	for code, blamed := range map[chain.Code]bool{chain.Invalid: true, chain.Checkpoint: true, chain.BadAncestor: false} {
		u := handing(3)
		u.join(2, 1, 0)
		u.verdict(1, code, nil)
		if u.span.len() != 0 || u.find(1).best != (chain.Point{}) || u.find(2).best == (chain.Point{}) {
			t.Errorf("%v: %d blocks are left; the peers have proved %v and %v", code, u.span.len(), u.find(1).best, u.find(2).best)
		}
		if why := u.find(1).why; why.Fault != blamed {
			t.Errorf("%v: the peer ends with %+v", code, why)
		}
		u.verdict(2, chain.Orphan, nil) // there is no block of the span that it could be
		if !u.submits.after.IsZero() {
			t.Errorf("%v: chain is left alone for a path that was given up", code)
		}
	}
}

// A verdict brings chain's tip, which may be ahead of its event. It never goes back to
// one with less work, or turns to another of the same.
func TestAVerdictBringsTheTip(t *testing.T) {
	u := handing(3)
	other := u.tr.grow(u.tr.genesis, 1, 1)
	for _, c := range []struct {
		number    uint64
		tip, want *node
	}{
		{0, u.tip.at(1), u.tip.at(1)},
		{1, other, u.tip.at(1)},
		{2, u.tr.genesis, u.tip.at(1)},
	} {
		u.submits.onVerdict(actor.Input{Key: c.number}, chain.Verdict{Tip: c.tip.Point})
		if u.tips.Block != c.want.Point {
			t.Errorf("the tip of verdict %d makes %v the best block", c.number, u.tips.Block)
		}
	}
}

// Chain may have a block from us when it was handed over, is done, or was among the last
// that it took.
func TestWhichBlocksChainHasFromUs(t *testing.T) {
	u := handing(3)
	u.hold(4, 4, 500)
	u.verdict(1, chain.OK, nil)
	for h, want := range map[int32]bool{1: true, 2: true, 3: true, 4: false, 5: false} {
		if got := u.submits.gave(u.tip.at(h).Hash); got != want {
			t.Errorf("block %d was given: %v", h, got)
		}
	}
	u.verdict(0, chain.OK, nil)
	u.verdict(2, chain.Duplicate, nil)
	for h := int32(1); h <= 3; h++ {
		if !u.submits.gave(u.tip.at(h).Hash) {
			t.Errorf("block %d has left the span, and was not given", h)
		}
	}
	u.span.replace(points(u.tip.at(2)))
	u.hold(2, 2, 500)
	u.span.set(u.entryAt(2), handed)
	u.submits.recent = [64]chainhash.Hash{}
	u.span.set(u.entryAt(2), done)
	if !u.submits.gave(u.tip.at(2).Hash) {
		t.Error("a block that waits for those before it was given")
	}
}

// One after the other has been given, and each of them is remembered.
func TestEachBlockThatChainTookIsRemembered(t *testing.T) {
	u := newUnit(9)
	for h := int32(1); h <= 3; h++ {
		u.hold(h, h, 500)
		u.submit()
		u.verdict(uint64(h-1), chain.OK, nil)
	}
	for h := int32(1); h <= 3; h++ {
		if !u.submits.gave(u.tip.at(h).Hash) {
			t.Errorf("block %d is forgotten", h)
		}
	}
}

package netsync

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

func TestWhoCountsAsAFetcher(t *testing.T) {
	for _, c := range []struct {
		name string
		r    remoteHeaders
		want bool
	}{
		{"it was not asked", remoteHeaders{}, false},
		{"its locator is being made", remoteHeaders{ask: askLocating}, true},
		{"it was asked", remoteHeaders{ask: askWaiting}, true},
		{"its answer waits", remoteHeaders{batch: receivedHeaders{answer: true}}, true},
		{"its answer is being judged", remoteHeaders{judging: submittedHeaders{n: 1, answer: true}}, true},
		{"its announcement is being judged", remoteHeaders{judging: submittedHeaders{n: 1}}, false},
	} {
		if got := c.r.fetching(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestWhoIsDue(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(u *unit, r *remote)
		want   bool
	}{
		{"now", func(*unit, *remote) {}, true},
		{"not yet", func(u *unit, r *remote) { r.headers.askAt = u.now.Add(1) }, false},
		{"it serves nothing", func(_ *unit, r *remote) { r.serves = false }, false},
		{"it is being asked", func(_ *unit, r *remote) { r.headers.ask = askLocating }, false},
		{"its headers wait", func(_ *unit, r *remote) { r.headers.batch.headers = make([]*wire.BlockHeader, 1) }, false},
		{"its headers are being judged", func(_ *unit, r *remote) { r.headers.judging.n = 1 }, false},
		{"its last Send is open", func(_ *unit, r *remote) { r.sends.open = 1 }, false},
		{"it is left alone for a while", func(u *unit, r *remote) { r.sends.pausedUntil = u.now.Add(1) }, false},
	} {
		u := bareUnit(1)
		c.change(u, u.find(1))
		if got := u.headers.due(u.find(1)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestHowManyAreAskedAtATime(t *testing.T) {
	waits := func(u *unit, ids ...actor.ID) {
		for _, id := range ids {
			u.find(id).headers.ask = askWaiting
		}
	}
	for _, c := range []struct {
		name   string
		change func(u *unit)
		want   int
	}{
		{"our tip is old", func(*unit) {}, 2},
		{"one is being asked", func(u *unit) { waits(u, 1) }, 1},
		{"two are", func(u *unit) { waits(u, 1, 2) }, 0},
		{"three are", func(u *unit) { waits(u, 1, 2, 3) }, 0},
		{"our tip is just as old as that", func(u *unit) { u.tips.Header.Time = u.now.Add(-u.cfg.RecentTip) }, 2},
		{"our tip is young", func(u *unit) { u.tips.Header.Time = u.now.Add(1 - u.cfg.RecentTip) }, 5},
		{"our tip is young, and three are being asked", func(u *unit) {
			u.tips.Header.Time = u.now
			waits(u, 1, 2, 3)
		}, 2},
		{"one has told all", func(u *unit) { u.find(2).headers.ranOut = true }, 5},
		{"one has told all, and another has more", func(u *unit) {
			u.find(2).headers.ranOut = true
			u.find(3).headers.more = true
		}, 2},
		{"nobody is due", func(u *unit) { u.now = u.now.Add(-1) }, 0},
	} {
		u := bareUnit(1, 2, 3, 4, 5)
		c.change(u)
		q := asks[chain.GetLocator](u, func() { u.headers.plan(u.ports.Locator, u.out) })
		if got := len(q); got != c.want {
			t.Errorf("%s: %d are asked, want %d", c.name, got, c.want)
		}
	}
}

// Those that have more come first, then those that have failed least, then those with
// the most work.
func TestWhoIsAskedFirst(t *testing.T) {
	u := bareUnit(1, 2, 3, 4, 5, 6, 7)
	tip := u.tr.grow(u.tr.genesis, 3, 1)
	u.tips.Header.Time = u.now // all are asked
	u.find(1).headers.useless = 2
	u.find(2).headers.late = 1
	u.find(3).headers.useless = 3
	u.find(4).headers.late, u.find(4).headers.more = 4, true
	u.find(6).best, u.find(6).common = tip.Point, u.tr.genesis.Point // on a branch
	u.find(5).best, u.find(5).common = tip.at(1).Point, tip.at(1).Point
	u.find(7).best, u.find(7).common = tip.at(2).Point, tip.at(2).Point
	u.find(7).headers.strange = 9 // that is no failure
	u.headers.plan(u.ports.Locator, u.out)
	var order []uint32
	for _, e := range u.out.Effects() {
		order = append(order, e.Call.Slot) // the key: which peer
	}
	if !slices.Equal(order, []uint32{4, 6, 7, 5, 2, 1, 3}) {
		t.Fatalf("asked in the order %v", order)
	}
}

func TestWhereAQuestionForHeadersStarts(t *testing.T) {
	ours, block := chain.Point{Hash: chainhash.Hash{1}}, chain.Point{Hash: chainhash.Hash{2}}
	its, fork := chain.Point{Hash: chainhash.Hash{3}}, chain.Point{Hash: chainhash.Hash{4}}
	fromOurs := chain.GetLocator{Parent: true}
	fromIts, fromBlock := chain.GetLocator{From: its.Hash}, chain.GetLocator{From: block.Hash, Parent: true}
	for _, c := range []struct {
		name         string
		best, common chain.Point
		header       chain.Point
		r            remoteHeaders
		want         chain.GetLocator
	}{
		{"nothing is known", chain.Point{}, chain.Point{}, ours, remoteHeaders{}, fromOurs},
		{"it has more, behind our best header", its, its, ours, remoteHeaders{more: true}, fromOurs},
		{"... and asking from there did not help", its, its, ours, remoteHeaders{more: true, jumped: true}, fromIts},
		{"it has more, on another branch", its, fork, ours, remoteHeaders{more: true}, fromIts},
		{"it has more, and its last one is our best", its, its, its, remoteHeaders{more: true}, fromIts},
		{"it has told all, on another branch", its, fork, ours, remoteHeaders{jumped: true}, fromOurs},
		{"it has told all, and its last one is our best", its, its, its, remoteHeaders{jumped: true}, fromOurs},
		{"it had nothing to say", its, its, ours, remoteHeaders{fromBlock: true}, fromBlock},
		{"it had nothing to say, and then more", its, its, ours, remoteHeaders{fromBlock: true, more: true}, fromOurs},
	} {
		u := bareUnit(1)
		u.tips = chain.Tips{Block: block, Header: c.header}
		r := u.find(1)
		r.best, r.common, r.headers = c.best, c.common, c.r
		if q, jumps := u.headers.locatorFor(r); q != c.want || jumps != (c.want == fromOurs) {
			t.Errorf("%s: %+v, jumping %v", c.name, q, jumps)
		}
	}
}

func TestWhatALocatorDoes(t *testing.T) {
	hash, tip := chainhash.Hash{1}, chain.Point{Hash: chainhash.Hash{2}}
	for _, c := range []struct {
		name  string
		l     chain.Locator
		err   error
		had   bool // more
		ready bool
		more  bool
	}{
		{"it is here", chain.Locator{Hashes: []*chainhash.Hash{&hash}, Tip: tip}, nil, true, true, true},
		{"the question failed", chain.Locator{}, actor.ErrTimeout, true, false, true},
		{"the question failed, and the peer has told all", chain.Locator{}, actor.ErrTimeout, false, false, false},
		{"chain does not know the header any more", chain.Locator{}, nil, true, false, false},
	} {
		u := bareUnit(1)
		r := &u.find(1).headers
		*r = remoteHeaders{ask: askLocating, more: c.had, fromBlock: true, jumping: true}
		u.headers.onLocator(actor.Input{Key: 1, Err: c.err}, c.l)
		if r.more != c.more {
			t.Errorf("%s: it has more: %v", c.name, r.more)
		}
		if c.ready {
			if r.ask != askReady || len(r.locator) != 1 || r.jumpTo != tip || !r.fromBlock || !r.jumping {
				t.Errorf("%s: %+v", c.name, r)
			}
		} else if r.ask != askIdle || r.locator != nil || r.fromBlock || r.jumping || !r.askAt.Equal(u.now.Add(u.cfg.Retry)) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	u := bareUnit(1)
	u.headers.onLocator(actor.Input{Key: 2}, chain.Locator{Hashes: []*chainhash.Hash{&hash}}) // it is gone
	if u.find(1).headers.ask != askIdle {
		t.Error("the locator of another peer")
	}
}

// Peers that were asked together are not asked together again.
func TestTheNextQuestionComesAfterAboutStaleTip(t *testing.T) {
	u := bareUnit()
	stale := u.cfg.StaleTip
	least, most := stale*2, time.Duration(0)
	for id := range actor.ID(100) {
		u.onReady(peer.Ready{Peer: id + 1, Services: services})
		r := u.find(id + 1)
		u.headers.sent(r)
		if r.headers.ask != askIdle || !r.headers.askAt.Equal(u.now) {
			t.Fatal("no question was in it")
		}
		r.headers.ask, r.headers.locator = askReady, make([]*chainhash.Hash, 1)
		u.headers.sent(r)
		if h := &r.headers; h.ask != askWaiting || h.locator != nil || !h.lastAsk.Equal(u.now) ||
			!h.deadline.Equal(u.now.Add(u.cfg.HeadersTimeout)) {
			t.Fatalf("%+v", h)
		}
		after := r.headers.askAt.Sub(u.now)
		least, most = min(least, after), max(most, after)
	}
	if least < stale || most >= stale*5/4 || most-least < stale/5 {
		t.Fatalf("after %v to %v, want them spread from %v to a quarter more", least, most, stale)
	}
}

// A Send was lost. A question that was in it is lost too, and one that is ready would
// only keep others from being asked.
func TestALostSendEndsTheQuestion(t *testing.T) {
	for ask, ends := range map[askPhase]bool{askIdle: false, askLocating: false, askReady: true, askWaiting: true} {
		u := bareUnit(1)
		r := &u.find(1).headers
		was := remoteHeaders{ask: ask, askAt: u.now.Add(time.Hour)}
		if ask == askReady {
			was.locator = make([]*chainhash.Hash, 1)
		}
		if ask == askWaiting {
			was.deadline = u.now.Add(time.Minute)
		}
		*r = was
		u.headers.notSent(u.find(1))
		ended := r.ask == askIdle && r.locator == nil && r.deadline.IsZero() && r.askAt.Equal(u.now.Add(u.cfg.Pause))
		if ended != ends || !ends && (r.ask != was.ask || !r.askAt.Equal(was.askAt)) {
			t.Errorf("phase %d: %+v", ask, r)
		}
	}
}

func TestAPeerThatIsLateIsAskedLessAndLess(t *testing.T) {
	u := bareUnit()
	u.onReady(peer.Ready{Peer: 1, Services: services, Inbound: true})
	r := &u.find(1).headers
	for i, times := range []time.Duration{2, 4, 8, 16, 32, 64, 128, 128, 128} {
		r.ask, r.deadline, r.more, r.ranOut = askWaiting, u.now.Add(1), true, true
		u.headers.expire()
		if r.ask != askWaiting || r.late != i {
			t.Fatal("it has a moment left")
		}
		u.now = u.now.Add(1)
		u.headers.expire()
		if r.ask != askIdle || r.late != i+1 || r.more || r.ranOut {
			t.Fatalf("%+v", r)
		}
		if got := r.askAt.Sub(u.now); got != times*u.cfg.Pause {
			t.Errorf("late %d times: it is asked after %v, want %v", i+1, got, times*u.cfg.Pause)
		}
	}
}

func TestWhichInvIsAnAnnouncement(t *testing.T) {
	u, _, two, head := branches()
	u.tips.Header.Hash = chainhash.Hash{8}
	known := []chainhash.Hash{two.best.Hash, u.tips.Block.Hash, head.at.Hash}
	for _, c := range []struct {
		name   string
		blocks []chainhash.Hash
		want   bool
	}{
		{"an unknown block", []chainhash.Hash{{7}}, true},
		{"an unknown block behind known ones", append(slices.Clone(known), chainhash.Hash{7}), true},
		{"nothing", nil, false},
		{"its own best block", known[:1], false},
		{"our best block", known[1:2], false},
		{"a block that we are downloading", known[2:], false},
		{"our best header, which it has not proved", []chainhash.Hash{{8}}, true},
		{"all of these", known, false},
	} {
		two.headers.lastAsk, two.headers.askAt = u.now, u.now.Add(time.Hour)
		u.headers.onInv(peer.InvReceived{Peer: 2, Blocks: c.blocks}, u.span)
		if got := two.headers.askAt.Equal(u.now.Add(u.cfg.MinAsk)); got != c.want {
			t.Errorf("%s: it is asked soon: %v", c.name, got)
		}
	}
	u.headers.onInv(peer.InvReceived{Peer: 9, Blocks: []chainhash.Hash{{7}}}, u.span) // it is gone
}

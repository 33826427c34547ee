package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestThePhase(t *testing.T) {
	for _, c := range []struct {
		name                 string
		peers                bool
		more, ranOut, recent bool
		target               bool
		want                 Phase
	}{
		{"no peers", false, false, false, true, true, Idle},
		{"nobody has answered", true, false, false, false, true, Headers},
		{"somebody has more", true, true, true, true, true, Headers},
		{"somebody has no more", true, false, true, false, true, Blocks},
		{"our best header is recent", true, false, false, true, true, Blocks},
		{"we have all", true, false, true, false, false, Following},
		{"we have all, and our best header is recent", true, false, false, true, false, Following},
	} {
		u := newUnit(5)
		if c.peers {
			p := u.join(1, 5, 0)
			p.headers.more, p.headers.ranOut = c.more, c.ranOut
		}
		if c.recent {
			u.tips.Header.Time = u.now
		}
		if !c.target {
			u.route.target = chain.Point{}
		}
		if got := u.report.phase(); got != c.want {
			t.Errorf("%s: the phase is %v, want %v", c.name, got, c.want)
		}
	}
}

// What we have in common with a peer is no higher than what both have. What it has on a
// branch of its own is not ours, however high that is.
func TestWhatIsSyncedWithAPeer(t *testing.T) {
	for _, c := range []struct{ common, beyond, ours, blocks int32 }{{5, 0, 3, 3}, {3, 0, 5, 3}, {3, 4, 9, 3}} {
		u := newUnit(9)
		p := u.join(1, c.common, 0)
		if c.beyond > 0 {
			p.best = u.tr.grow(u.tip.at(c.common), int(c.beyond), 2).Point
		}
		u.tips.Block = u.tip.at(c.ours).Point
		if p := u.report.peers().Peers[0]; p.SyncedHeaders != c.common || p.SyncedBlocks != c.blocks {
			t.Errorf("%+v: headers up to %d, blocks up to %d", c, p.SyncedHeaders, p.SyncedBlocks)
		}
	}
}

// Before chain has said where it is, there is nothing to say.
func TestNoStatusBeforeTheTips(t *testing.T) {
	u := newUnit(3)
	u.tips = chain.Tips{}
	u.join(1, 3, 0)
	publish := func() []Status {
		return effects[Status](u, actor.Publish, func() { u.report.publish(u.topics, u.out) })
	}
	if got := publish(); len(got) > 0 {
		t.Errorf("published is %+v", got)
	}
	u.tips = chain.Tips{Block: u.tr.genesis.Point, Header: u.tip.Point}
	if got := publish(); len(got) != 1 || got[0].Tips != u.tips {
		t.Errorf("published is %+v, want the tips", got)
	}
	u.now = u.now.Add(time.Minute)
	if got := publish(); len(got) > 0 || !u.report.due().IsZero() {
		t.Errorf("nothing has changed, and published is %+v; it is looked at again at %v", got, u.report.due())
	}
	u.join(2, 3, 0)
	if got := publish(); len(got) != 1 || got[0].Peers != 2 {
		t.Errorf("published is %+v; nothing has been for a minute, so this need not wait", got)
	}
}

// A rate sinks by itself. It is told until it is zero, each by its own.
func TestARateIsToldUntilItIsZero(t *testing.T) {
	for name, count := range map[string]func(u *unit, now time.Time){
		"headers": func(u *unit, now time.Time) { u.headers.meter.add(now, 7) },
		"blocks":  func(u *unit, now time.Time) { u.submits.meter.add(now, 7) },
	} {
		u := newUnit(3)
		count(u, u.now)
		var last Status
		for range 2 * meterSeconds {
			for _, s := range effects[Status](u, actor.Publish, func() { u.report.publish(u.topics, u.out) }) {
				last = s
			}
			due := u.report.due()
			if due.IsZero() {
				break
			}
			u.now = due
		}
		if last.HeaderRate != 0 || last.BlockRate != 0 || !u.now.After(steptest.Epoch) {
			t.Errorf("%s: the last word, after %v, is %v headers and %v blocks a second",
				name, u.now.Sub(steptest.Epoch), last.HeaderRate, last.BlockRate)
		}
	}
}

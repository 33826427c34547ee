package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// is says whether a question is a Q.
func is[Q any](q any) bool { _, ok := q.(Q); return ok }

// TestL9WhatFoundNoSlotIsAskedWhenOneIsFreed: questions that timed out keep their
// slots (law L3). No clock looks for a free one, so there is no hot loop. Freed
// brings the next chance.
func TestL9WhatFoundNoSlotIsAskedWhenOneIsFreed(t *testing.T) {
	for _, c := range []struct {
		name  string
		is    func(q any) bool // the questions that time out
		slots int
	}{
		{"headers", is[chain.SubmitHeaders], 4},
		{"block", is[chain.SubmitBlock], 16},
		{"locator", is[chain.GetLocator], 8},
		{"path", is[chain.GetPath], 2},
		{"forks", is[chain.GetForks], 2},
		{"send", is[peer.Send], 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDrought(t)
			late := d.timeOut(c.is, c.name == "block") // chain has to judge some
			if len(late) != c.slots || len(d.waiting) != 0 {
				t.Fatalf("%d questions timed out, %d are open: want all %d slots taken", len(late), len(d.waiting), c.slots)
			}
			if ticks := d.ticks(time.Minute); ticks > 30 {
				t.Fatalf("%d ticks in a minute without a slot", ticks)
			}
			if n := d.m.orders.stalls; n > 0 && c.name == "send" {
				t.Errorf("%d blocks are late that nobody was asked for", n)
			}
			d.Late(late[0])
			d.settle()
			if len(d.waiting) != 1 {
				t.Fatalf("%d questions are asked when a slot is freed", len(d.waiting))
			}
			for _, a := range late[1:] {
				d.Late(a)
			}
			d.settle()
			d.release(nil)
			for range 60 {
				d.play(true)
			}
			d.wantTip(d.tip, "nothing is stuck")
		})
	}
}

// drought is a story in which questions of a type time out and keep their slots. Of its
// peers the first has all blocks, the second ten, and the others none.
type drought struct {
	*story
	tip *node
}

func newDrought(t *testing.T) drought {
	tr := newTree()
	cfg := DefaultBounds()
	cfg.MaxLate, cfg.MaxStalls = 1000, 1000 // nobody is dropped meanwhile
	ports, specs := testPorts()
	specs[ports.Send.Index].Window = 3
	return drought{storyOn(t, tr, cfg, ports, specs), tr.grow(tr.genesis, 20, 1)}
}

// play answers for headers, and for blocks if they are to be served, and lets ten
// seconds go by.
func (d drought) play(serve bool) {
	none := d.tip.at(0)
	for id, tip := range []*node{1: d.tip, 2: d.tip.at(10), 3: none, 4: none} {
		if d.asked(actor.ID(id)) {
			d.give(peer.HeadersReceived{Peer: actor.ID(id), Headers: tip.locate(nil), Asked: true})
		}
	}
	if serve {
		d.serve(1, 2)
	}
	d.wait(10 * time.Second)
}

// timeOut lets all questions of a type time out for ten minutes, and returns them.
func (d drought) timeOut(is func(q any) bool, serve bool) (late []steptest.Asked) {
	d.held = is
	d.join(1, 2, 3, 4)
	for range 60 {
		todo := d.waiting
		d.waiting = nil
		for _, h := range todo {
			late = append(late, h.ask)
			d.Fail(h.ask, actor.ErrTimeout)
		}
		d.settle()
		d.play(serve)
	}
	return late
}

// ticks lets time go by, and counts how often the clock rings.
func (d drought) ticks(long time.Duration) (n int) {
	for end := d.Now.Add(long); !d.m.Deadline().IsZero() && d.m.Deadline().Before(end); n++ {
		d.Rig.Advance(d.m.Deadline().Sub(d.Now))
		d.settle()
	}
	return n
}

// A question about the way to the target fails. The clock brings the next try, if
// nothing else happens.
func TestL9AFailedQuestionAboutTheRouteIsRetried(t *testing.T) {
	for name, is := range map[string]func(q any) bool{"forks": is[chain.GetForks], "path": is[chain.GetPath]} {
		tr := newTree()
		tip := tr.grow(tr.genesis, 20, 1)
		s := newStory(t, tr, nil)
		s.held = is
		s.join(1, 2)
		s.prove(1, tip, "the target")
		s.prove(2, tip.at(10), "a point on the way there")
		if len(s.waiting) != 1 {
			t.Fatalf("%s: %d questions, want one", name, len(s.waiting))
		}
		asked := s.waiting[0].ask
		s.waiting = nil
		s.Fail(asked, actor.ErrGone)
		s.settle()
		d := actor.EarliestAfter(s.Now)
		s.m.route.deadlines(&d)
		if got, want := d.At(), s.Now.Add(s.m.cfg.Retry); !got.Equal(want) || len(s.waiting) > 0 {
			t.Errorf("%s: the next try is at %v, want %v; asked %v", name, got, want, s.waiting)
		}
	}
}

// A block is set aside when it was asked for and does not come. If there is no
// slot to ask for it, no branch is to blame.
func TestABlockThatNobodyWasAskedForIsNotSetAside(t *testing.T) {
	tr := newTree()
	trunk := tr.grow(tr.genesis, 5, 1)
	tip, other := tr.grow(trunk, 10, 1), tr.grow(trunk, 3, 2)
	ports, specs := testPorts()
	specs[ports.Send.Index].Window = 1
	s := storyOn(t, tr, DefaultBounds(), ports, specs)
	s.join(1, 2)
	s.prove(1, trunk, "the trunk")
	s.prove(2, trunk, "the trunk")
	s.serve(1, 2)
	s.wantTip(trunk, "the trunk")
	s.deaf[3] = true
	s.join(3) // its Send holds the only slot
	s.give(peer.HeadersReceived{Peer: 1, Headers: tip.locate([]*chainhash.Hash{&trunk.Hash})})
	s.give(peer.HeadersReceived{Peer: 2, Headers: other.locate([]*chainhash.Hash{&trunk.Hash})})
	if n := len(s.takeOrders(1)) + len(s.takeOrders(2)); n > 0 || s.m.route.target.Hash != tip.Hash {
		t.Fatalf("%d blocks are asked for, without a slot; the target is %v", n, s.m.route.target)
	}
	s.wait(s.m.cfg.OrderTimeout + s.m.cfg.UrgentAfter + time.Second)
	if n := len(s.m.route.aside.blocks); n > 0 {
		t.Errorf("%d blocks are set aside that nobody was asked for", n)
	}
}

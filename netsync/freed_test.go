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
			tr := newTree()
			tip := tr.grow(tr.genesis, 20, 1)
			cfg := DefaultBounds()
			cfg.MaxLate, cfg.MaxStalls = 1000, 1000 // nobody is dropped meanwhile
			ports, specs := testPorts()
			specs[ports.Send.Index].Window = 3
			s := storyOn(t, tr, cfg, ports, specs)
			// Headers are answered, and blocks where chain has to judge them.
			play := func(serve bool) {
				for id, tip := range []*node{1: tip, 2: tip.at(10), 3: tr.genesis, 4: tr.genesis} {
					if s.asked(actor.ID(id)) {
						s.give(peer.HeadersReceived{Peer: actor.ID(id), Headers: tip.locate(nil), Asked: true})
					}
				}
				if serve {
					s.serve(1, 2)
				}
				s.wait(10 * time.Second)
			}
			s.held = c.is
			s.join(1, 2, 3, 4)
			var late []steptest.Asked
			for range 60 {
				todo := s.waiting
				s.waiting = nil
				for _, h := range todo {
					late = append(late, h.ask)
					s.Fail(h.ask, actor.ErrTimeout)
				}
				s.settle()
				play(c.name == "block")
			}
			if len(late) != c.slots || len(s.waiting) != 0 {
				t.Fatalf("%d questions timed out, %d are open: want all %d slots taken", len(late), len(s.waiting), c.slots)
			}
			ticks := 0
			for end := s.Now.Add(time.Minute); !s.m.Deadline().IsZero() && s.m.Deadline().Before(end); ticks++ {
				s.Rig.Advance(s.m.Deadline().Sub(s.Now))
				s.settle()
			}
			if ticks > 30 {
				t.Fatalf("%d ticks in a minute without a slot", ticks)
			}
			if n := s.m.orders.stalls; n > 0 && c.name == "send" {
				t.Errorf("%d blocks are late that nobody was asked for", n)
			}
			s.Late(late[0])
			s.settle()
			if len(s.waiting) != 1 {
				t.Fatalf("%d questions are asked when a slot is freed", len(s.waiting))
			}
			for _, a := range late[1:] {
				s.Late(a)
			}
			s.settle()
			s.release(nil)
			for range 60 {
				play(true)
			}
			s.wantTip(tip, "nothing is stuck")
		})
	}
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

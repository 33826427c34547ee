package netsync

import (
	"testing"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// TestL9WhatFailedIsAskedAgainAfterAWhile: each question of netsync that failed,
// however it did, is asked again by the clock and not before. A peer that was not
// sent something rests for Pause, unless its cell was only busy.
func TestL9WhatFailedIsAskedAgainAfterAWhile(t *testing.T) {
	for name, q := range map[string]func(q any) bool{
		"headers": is[chain.SubmitHeaders],
		"a block": is[chain.SubmitBlock],
		"locator": is[chain.GetLocator],
		"path":    is[chain.GetPath],
		"forks":   is[chain.GetForks],
		"a send":  is[peer.Send],
	} {
		for _, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
			t.Run(name+", "+err.Error(), func(t *testing.T) {
				tr := newTree()
				tip := tr.grow(tr.genesis, 20, 1)
				s := newStory(t, tr, nil)
				wait := s.m.cfg.Retry
				if name == "a send" && err != actor.ErrBusy {
					wait = s.m.cfg.Pause
				}
				s.held = q
				s.join(1, 2)
				s.advanceTo(tip)
				if name == "a block" {
					s.serve(1)
				}
				if len(s.waiting) == 0 {
					t.Fatal("it is not asked")
				}
				s.failWaiting(err)
				s.wait(wait - 1)
				if len(s.waiting) > 0 {
					t.Fatalf("%T is asked again before %v have passed", s.waiting[0].q, wait)
				}
				s.wait(1)
				s.advanceTo(tip) // headers are asked of the peer again
				if len(s.waiting) == 0 {
					t.Fatalf("it is not asked again after %v", wait)
				}
			})
		}
	}
}

// advanceTo lets a peer, and another one that has half of its chain, prove what they
// have, as far as they are asked.
func (s *story) advanceTo(tip *node) {
	s.t.Helper()
	for _, p := range []struct {
		id  actor.ID
		tip *node
	}{{1, tip}, {2, tip.at(10)}} {
		if len(s.headersAsked[p.id]) > 0 {
			s.answerHeaders(p.id, p.tip, "it proves what it has")
		}
	}
}

// failWaiting ends what is held without a value, and keeps what is asked then.
func (s *story) failWaiting(err error) {
	s.t.Helper()
	todo := s.waiting
	s.waiting = nil
	for _, h := range todo {
		s.Fail(h.ask, err)
		if err == actor.ErrTimeout {
			s.Late(h.ask)
		}
	}
	s.settle()
}

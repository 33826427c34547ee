package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// TestPeersThatGoLeaveNothing: peers prove a branch of their own, are asked for its
// blocks, deliver some, and go before the rest has come and before chain has
// answered.
func TestPeersThatGoLeaveNothing(t *testing.T) {
	tr := newTree()
	base := tr.grow(tr.genesis, 20, 1)
	s := newStory(t, tr, nil)
	next := actor.ID(1)
	s.Churn(func(i int) {
		var ids []actor.ID
		s.held = nil
		for range 4 {
			s.join(next)
			ids = append(ids, next)
			next++
		}
		for _, id := range ids {
			if len(s.headersAsked[id]) > 0 {
				s.answerHeaders(id, tr.grow(base, 30, uint32(i+1)), "each has another branch")
			}
		}
		s.held = func(q any) bool {
			return i%2 == 0 || is[chain.GetLocator](q) || is[chain.SubmitBlock](q) || is[peer.Send](q)
		}
		s.join(next) // it goes before there is a locator to ask it with
		ids = append(ids, next)
		next++
		for _, id := range ids {
			if q := s.takeOrders(id); len(q) > 1 {
				s.deliver(id, q[:len(q)/2]...)
			}
			s.give(peer.InvReceived{Peer: id, Blocks: []chainhash.Hash{{byte(i)}}})
			s.give(peer.HeadersReceived{Peer: id, Headers: base.locate(nil)})
		}
		s.wait(15 * time.Second) // the orders are late
		for _, id := range ids {
			s.give(peer.Gone{Peer: id})
		}
		s.waiting = nil
		for n := 0; s.EndAll(actor.ErrGone, actor.ErrTimeout, actor.ErrBusy) > 0; n++ {
			if n == 100 {
				t.Fatal("it asks for ever, for nobody")
			}
			s.Advance(2 * time.Second)
		}
	}, map[string]string{
		"route.aside.blocks": "they are remembered when their provers are gone, at most maxAside",
		"route.aside.points": "the same",
	})
}

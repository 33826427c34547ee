package netsync

import (
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// The story to read first: three peers come. Two of them bring the headers, all
// three prove that they have the blocks, and each delivers a share.
func TestStory(t *testing.T) {
	tr := newTree()
	tip := tr.grow(tr.genesis, 4500, 1)
	s := newStory(t, tr, func(c *Bounds) { c.Span = 128 })
	s.join(1, 2, 3)
	s.wantAsked(1, "a new peer is asked for headers")
	s.wantAsked(2, "two fetch at a time")
	if s.asked(3) {
		t.Fatal("a third fetcher would only repeat what the two bring")
	}
	for _, id := range []actor.ID{1, 2} {
		s.give(peer.HeadersReceived{Peer: id, Headers: tip.at(2000).locate(nil), Asked: true})
	}
	if got := s.m.report.status().Phase; got != Headers {
		t.Fatalf("phase %v with headers to come", got)
	}
	for _, id := range []actor.ID{1, 2} {
		s.prove(id, tip, "full answers are continued")
	}
	s.prove(3, tip, "when the fetchers ran out the others prove what they have")
	if got := s.m.report.status().Phase; got != Blocks {
		t.Fatalf("phase %v, want blocks", got)
	}
	for _, p := range s.m.ready {
		if p.best != tip.Point {
			t.Fatalf("peer %v has proved %d", p.id, p.best.Height)
		}
		if len(p.orders.list) == 0 {
			t.Fatalf("peer %v has the blocks and is asked for none", p.id)
		}
	}
	s.serve(1, 2, 3)
	s.wantTip(tip, "all blocks were delivered")
	s.wantNothingOpen("all is done")
	if got := s.m.report.status(); got.Phase != Following || got.Blocks != 4500 {
		t.Fatalf("phase %v after %d blocks", got.Phase, got.Blocks)
	}
}

package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// heldOfEach is how much netsync holds of each of two peers, by which it was made to
// hold all that it may: so much is free when they are gone.
func heldOfEach(t *testing.T, b Bounds) int {
	const peers = 2
	b.Window, b.StartInFlight = peers*b.MaxInFlight, b.MaxInFlight
	s, _ := synced(t, b.Window, func(c *Bounds) { *c = b }, 1, 2)
	s.held = func(q any) bool { _, ok := q.(chain.SubmitHeaders); return ok }
	for id := actor.ID(1); id <= peers; id++ {
		if got := len(s.m.byID[id].orders); got != b.MaxInFlight {
			t.Fatalf("peer %v has %d orders, want %d", id, got, b.MaxInFlight)
		}
		for s.m.byID[id].batch.headers == nil { // the first ones go to chain
			s.give(peer.HeadersReceived{Peer: id, Headers: row(wire.MaxBlockHeadersPerMsg)})
		}
	}
	return -steptest.Heap(func() any {
		for id := actor.ID(1); id <= peers; id++ {
			s.give(peer.Gone{Peer: id})
		}
		return s
	}) / peers
}

// row is a full message of headers, each the child of the one before.
func row(n int) (all []*wire.BlockHeader) {
	var last chainhash.Hash
	for range n {
		h := &wire.BlockHeader{PrevBlock: last, Timestamp: steptest.Epoch.Add(-time.Hour)}
		last = h.BlockHash()
		all = append(all, h)
	}
	return all
}

// The controls are larger bounds, by which more must be held than PerPeer allows
// for the smaller ones, and a sum without the headers.
func TestL4PerPeerIsWhatItHolds(t *testing.T) {
	b := DefaultBounds()
	got := heldOfEach(t, b)
	if got > b.PerPeer() || got <= b.PerPeer()-BatchMemory {
		t.Errorf("%d bytes are held of a peer, want at most %d, and more than without %d of headers", got, b.PerPeer(), BatchMemory)
	}
	more := b
	more.MaxInFlight *= 7
	if got := heldOfEach(t, more); got > more.PerPeer() || got <= b.PerPeer() {
		t.Errorf("with more orders %d bytes are held of a peer, want more than %d and at most %d", got, b.PerPeer(), more.PerPeer())
	}
}

package relay

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// fill makes relay hold all that it may hold of some peers, by its own inputs,
// and returns how much that is for each.
func fill(t *testing.T, b Bounds) int {
	const peers = 4
	m, specs := connect(b, peers)
	r := steptest.New(t, m, specs)
	return steptest.Heap(func() any {
		for i := range actor.ID(peers) {
			id := alice + i
			r.Give(peer.Ready{Peer: id})
			for n := range b.MaxKnown {
				r.Give(peer.Announced{Peer: id, Blocks: []chainhash.Hash{{byte(i), 1, byte(n), byte(n >> 8)}}})
			}
			// All but two of the items are not found. Of the two blocks one
			// is being sent and the other waits.
			wanted := make([]wire.InvVect, b.MaxWanted)
			for n := range wanted {
				wanted[n] = wire.InvVect{Type: wire.InvTypeTx}
			}
			wanted[b.MaxWanted-2].Type, wanted[b.MaxWanted-1].Type = wire.InvTypeBlock, wire.InvTypeBlock
			r.Give(peer.DataWanted{Peer: id, Items: wanted})
			_, read := steptest.WantAsk[chain.GetBlock](r, "a block is read")
			r.Reply(read, chain.Block{Payload: make([]byte, wire.MaxBlockPayload)})
			for range b.MaxLocators {
				r.Give(peer.HeadersWanted{Peer: id, Locator: locator()})
				r.Give(peer.BlocksWanted{Peer: id, Locator: locator()})
			}
		}
		for range b.MaxAnnounce {
			for _, e := range grow(r, genesis, 1, 1) {
				r.Give(e)
			}
		}
		r.Drop()
		return m
	}) / peers
}

func locator() []*chainhash.Hash {
	all := make([]*chainhash.Hash, 0, peer.MaxLocator) // as it is decoded
	for n := range peer.MaxLocator {
		all = append(all, &chainhash.Hash{byte(n)})
	}
	return all
}

// The control is a relay with larger bounds: it must hold more than the sum for
// the smaller ones allows, or the peers have not filled it.
func TestL4PerPeerIsWhatItHolds(t *testing.T) {
	b := DefaultBounds()
	if got := fill(t, b); got > b.PerPeer() {
		t.Errorf("%d bytes are held of a peer, more than PerPeer's %d", got, b.PerPeer())
	}
	for name, larger := range map[string]func(*Bounds){
		"MaxWanted":   func(l *Bounds) { l.MaxWanted *= 2 },
		"MaxKnown":    func(l *Bounds) { l.MaxKnown *= 400 },
		"MaxLocators": func(l *Bounds) { l.MaxLocators *= 200 },
	} {
		l := b
		larger(&l)
		if got := fill(t, l); got > l.PerPeer() || got <= b.PerPeer() {
			t.Errorf("with more %s: %d bytes are held of a peer, want more than %d and at most %d", name, got, b.PerPeer(), l.PerPeer())
		}
	}
}

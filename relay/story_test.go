package relay

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// TestStory is what relay does, in one story. Read it first.
func TestStory(t *testing.T) {
	r := newRig(t, alice, bob) // two peers are ready
	r.Give(peer.WantsHeaders{Peer: alice})
	r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{genesis.Hash}})

	// Chain says that a block was connected. Each peer is told in its own way.
	b := grow(r, genesis, 1, 0)[0]
	r.Give(b)
	r.WantNothing("other blocks may come with it")
	round(r)
	toAlice := wantHeaders(t, r, alice, "she wants headers and has the parent", b)
	toBob := wantInv(t, r, bob, "he gets the hash", b.Hash)
	r.Reply(toAlice, peer.Sent{})

	// Alice asks for the block and for a transaction, which we do not have.
	r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{
		{Type: wire.InvTypeWitnessBlock, Hash: b.Hash},
		{Type: wire.InvTypeWitnessTx, Hash: number(7)},
	}})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the engine's readers have the block")
	r.Reply(read, chain.Block{Hash: b.Hash, Payload: []byte("the block")})
	toAlice = wantBlock(t, r, alice, "it is passed on as it is stored", "the block")

	// Bob asks as well. He has not taken what was sent to him before.
	r.Give(peer.DataWanted{Peer: bob, Items: []wire.InvVect{{Type: wire.InvTypeBlock, Hash: b.Hash}}})
	r.WantNothing("nothing is read for a peer that does not take it: a slow peer costs no memory")

	r.Reply(toAlice, peer.Sent{})
	r.Reply(wantNotFound(t, r, "at the end of her getdata she is told what is not there", number(7)), peer.Sent{})
	r.Reply(toBob, peer.Sent{})
	steptest.WantAsk[chain.GetBlock](r, "now for bob")

	// A peer that is gone is forgotten, whatever it was owed.
	r.Give(peer.Gone{Peer: bob})
	if s := status(r); s.Peers != 1 || s.Announced != 2 || s.BlocksServed != 1 || s.NotFound != 1 {
		t.Errorf("the figures are %+v", s)
	}
}

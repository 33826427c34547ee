package relay

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// TestPeersThatGoLeaveNothing: peers ask for all that there is, and go before they
// have got it, while something is announced to them.
func TestPeersThatGoLeaveNothing(t *testing.T) {
	r := newRig(t)
	tip := genesis
	next := alice
	r.Churn(func(int) {
		first := next
		for range 12 {
			id := next
			next++
			r.Give(peer.Ready{Peer: id})
			r.Give(peer.WantsHeaders{Peer: id})
			r.Give(peer.HeadersWanted{Peer: id, Locator: []*chainhash.Hash{&tip.Hash}})
			r.Give(peer.BlocksWanted{Peer: id, Locator: []*chainhash.Hash{&tip.Hash}})
			r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 300)})
			r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeTx, 0, 3)})
		}
		for _, b := range grow(r, tip, 3, 1) {
			r.Give(b)
			tip = b
		}
		r.EndAll(actor.ErrBusy, actor.ErrTimeout) // and some of the peers with it
		r.Advance(2 * time.Second)
		for id := first; id < next; id++ {
			r.Give(peer.Gone{Peer: id})
		}
		for r.EndAll(actor.ErrGone, actor.ErrTimeout, actor.ErrBusy) > 0 {
			r.Advance(time.Second)
		}
	}, nil)
	if n := len(r.M.(*Machine).peers); n != 0 {
		t.Fatalf("%d peers are remembered", n)
	}
}

// TestAPeerThatStaysCostsNoMore: what a peer has got is forgotten, however much it
// asks for. Only the blocks that it knows are remembered.
func TestAPeerThatStaysCostsNoMore(t *testing.T) {
	r := newRig(t, alice)
	r.Churn(func(i int) {
		r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 30*i, 30)})
		r.Give(peer.HeadersWanted{Peer: alice, Locator: []*chainhash.Hash{&genesis.Hash}})
		r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{number(i)}})
		serveAll(r)
	}, map[string]string{
		"peers[].known.has":  "the blocks that it knows, at most MaxKnown",
		"peers[].known.ring": "the same",
	})
}

// serveAll answers what relay asks, until it asks nothing more.
func serveAll(r *steptest.Rig) {
	for len(r.Pending()) > 0 {
		todo := slices.Clone(r.Pending())
		r.Drop()
		for _, e := range todo {
			switch q := e.Body.(type) {
			case chain.GetBlock:
				r.Reply(steptest.AskedBy(e), chain.Block{Payload: q.Hash[:]})
			case chain.GetHeaders:
				r.Reply(steptest.AskedBy(e), chain.Headers{})
			case peer.Send:
				r.Reply(steptest.AskedBy(e), peer.Sent{})
			}
		}
	}
}

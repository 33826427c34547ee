package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// boundRig is a relay that has caught up, with bounds of its own.
func boundRig(t *testing.T, change func(*Bounds)) (*steptest.Rig, *Machine) {
	b := DefaultBounds()
	change(&b)
	m, specs := connect(b, 16)
	r := steptest.New(t, m, specs)
	t.Cleanup(r.RunOut)
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	return r, m
}

// announceAs has a peer announce a transaction by the name that it uses.
func announceAs(r *steptest.Rig, p peer.Ready, id chain.TxID) {
	name := peer.TxName{Hash: id.TxID}
	if p.WTxIDs {
		name = peer.TxName{Hash: id.WTxID, WTxID: true}
	}
	r.Give(peer.TxsAnnounced{Peer: p.Peer, Txs: []peer.TxName{name}})
}

// wantGetTxAs is wantGetTx of the name that the peer uses.
func wantGetTxAs(t *testing.T, r *steptest.Rig, p peer.Ready, why string, id chain.TxID) {
	t.Helper()
	if p.WTxIDs {
		r.Reply(wantGetTx(t, r, p.Peer, why, peer.InvTypeWTx, id.WTxID), peer.Sent{})
		return
	}
	r.Reply(wantGetTx(t, r, p.Peer, why, wire.InvTypeWitnessTx, id.TxID), peer.Sent{})
}

// bothKinds are peers that name transactions by either name.
var bothKinds = map[string]peer.Ready{
	"by wtxid": {Peer: alice, WTxIDs: true},
	"by txid":  {Peer: alice},
}

// A peer that we did not choose has to wait, and so has a txid while there is somebody who
// announces wtxids.
func TestWhenATransactionIsAskedFor(t *testing.T) {
	delay := DefaultBounds().Txs.NonPreferredDelay
	for _, c := range []struct {
		why  string
		from peer.Ready
		bob  peer.Ready
		wait time.Duration
	}{
		{"we chose it", peer.Ready{WTxIDs: true}, peer.Ready{}, 0},
		{"it came to us", peer.Ready{WTxIDs: true, Inbound: true}, peer.Ready{}, delay},
		{"there is no other name than the txid", peer.Ready{}, peer.Ready{}, 0},
		{"others use wtxids", peer.Ready{}, peer.Ready{WTxIDs: true}, delay},
		{"others use wtxids, and it came to us", peer.Ready{Inbound: true}, peer.Ready{WTxIDs: true}, 2 * delay},
	} {
		r := txRig(t)
		c.from.Peer, c.bob.Peer = alice, bob
		r.Give(c.from)
		r.Give(c.bob)
		_, id := aTx(1)
		announceAs(r, c.from, id)
		if c.wait > 0 {
			r.WantNothing(c.why)
			r.Advance(c.wait - 1)
			r.WantNothing(c.why)
			r.Advance(1)
		}
		wantGetTxAs(t, r, c.from, c.why, id)
	}
}

// Whoever wants to hide a transaction from us connects to us. So when both have waited,
// the peer that we chose is the next to be asked, each time.
func TestAPeerThatWeChoseIsAskedFirst(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true, Inbound: true})
	r.Give(peer.Ready{Peer: carol, WTxIDs: true})
	for n := range uint32(16) {
		_, id := aTx(n)
		announce(r, alice, id)
		r.Reply(wantGetTx(t, r, alice, "she was the first", peer.InvTypeWTx, id.WTxID), peer.Sent{})
		announce(r, bob, id)
		announce(r, carol, id)
		r.Advance(DefaultBounds().Txs.NonPreferredDelay)
		r.Give(peer.TxsNotFound{Peer: alice, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}})
		r.Reply(wantGetTx(t, r, carol, "he came to us", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	}
}

// A time that has come is not put off to the next beat.
func TestWhatNeedNotWaitWaitsForNoBeat(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Advance(1)
	_, id := aTx(1)
	announce(r, alice, id)
	wantGetTx(t, r, alice, "at once", peer.InvTypeWTx, id.WTxID)
}

// Delays end on beats: what is announced between two of them is asked for in one message.
func TestWhatIsAnnouncedWithinABeatIsAskedForAtOnce(t *testing.T) {
	r, b := txRig(t), DefaultBounds()
	r.Give(peer.Ready{Peer: alice, WTxIDs: true, Inbound: true})
	_, one := aTx(1)
	_, two := aTx(2)
	r.Advance(1)
	announce(r, alice, one)
	r.Advance(b.Beat - 1)
	announce(r, alice, two)
	r.Advance(b.Txs.NonPreferredDelay - 1)
	r.WantNothing("the second has not waited long enough, and the first waits for its beat")
	r.Advance(1)
	wantGetTx(t, r, alice, "both", peer.InvTypeWTx, one.WTxID, two.WTxID)
}

// A peer is asked for so many transactions at a time and no more.
func TestL4SoManyAreInFlight(t *testing.T) {
	const most = 3
	r, _ := boundRig(t, func(b *Bounds) { b.Txs.MaxInFlight = most })
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	var ids []chain.TxID
	var hashes []chainhash.Hash
	for n := range uint32(most + 2) {
		_, id := aTx(n)
		ids, hashes = append(ids, id), append(hashes, id.WTxID)
	}
	announce(r, alice, ids...)
	r.Reply(wantGetTx(t, r, alice, "as many as may be", peer.InvTypeWTx, hashes[:most]...), peer.Sent{})
	r.WantNothing("all of them are in flight")
	r.Give(peer.TxsNotFound{Peer: alice, Txs: []peer.TxName{{Hash: hashes[0], WTxID: true}}})
	r.Reply(wantGetTx(t, r, alice, "one has ended", peer.InvTypeWTx, hashes[most]), peer.Sent{})
	r.WantNothing("one alone")
	if s := status(r); s.TxsInFlight != most || s.TxsRequested != most+1 {
		t.Errorf("%d in flight, %d requested", s.TxsInFlight, s.TxsRequested)
	}
}

// A peer whose share of the room is full is asked for nothing more, and others are.
func TestL4APeerWithAFullShareIsNotAsked(t *testing.T) {
	r, m := boundRig(t, func(b *Bounds) { b.MaxHandOfPeer = 1000 })
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})
	for n := range uint32(submits + 2) {
		tx, _ := aTx(n)
		deliver(r, alice, tx)
	}
	if got := m.peer(alice).got.bytes; got != 1000 {
		t.Fatalf("%d bytes of alice wait, want her share", got)
	}
	_, one := aTx(100)
	_, two := aTx(101)
	announce(r, alice, one)
	announce(r, bob, two)
	offers := r.Pending()[:submits]
	wantGetTx(t, r, bob, "nothing of his waits", peer.InvTypeWTx, two.WTxID)
	first := steptest.AskedBy(offers[0])
	r.Drop()
	r.Reply(first, chain.TxVerdict{Code: chain.TxPolicy})
	wantGetTx(t, r, alice, "one of hers was offered", peer.InvTypeWTx, one.WTxID)
}

// While half of the room is taken nobody is asked for anything, not even a peer of which
// nothing waits.
func TestL4NobodyIsAskedWhileHalfOfTheRoomIsTaken(t *testing.T) {
	for _, c := range []struct {
		half  int
		asked bool
	}{{500, false}, {501, true}} {
		r, _ := boundRig(t, func(b *Bounds) { b.MaxHand = 2 * c.half })
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		r.Give(peer.Ready{Peer: bob, WTxIDs: true})
		tx, id := aTx(1)
		_, other := aTx(2)
		announce(r, alice, id)
		r.Reply(wantGetTx(t, r, alice, "the room is empty", peer.InvTypeWTx, id.WTxID), peer.Sent{})
		deliver(r, alice, tx)
		_, offered := steptest.WantAsk[chain.SubmitTx](r, "500 bytes")
		announce(r, bob, other)
		if !c.asked {
			r.WantNothing("half of the room is taken")
			r.Reply(offered, chain.TxVerdict{ID: id, Code: chain.TxPolicy})
		}
		wantGetTx(t, r, bob, "there is room", peer.InvTypeWTx, other.WTxID)
	}
}

// What was asked for is kept though there is no room for what nobody asked for, by
// whichever name it was asked for.
func TestWhatWasAskedForHasRoom(t *testing.T) {
	for why, ready := range bothKinds {
		r, _ := boundRig(t, func(b *Bounds) { b.MaxHand = 1999 })
		r.Give(ready)
		tx, id := aTx(1)
		announceAs(r, ready, id)
		wantGetTxAs(t, r, ready, why, id)
		deliver(r, alice, tx)
		if q, _ := steptest.WantAsk[chain.SubmitTx](r, why); q.ID != id {
			t.Errorf("%s: %v is offered", why, q.ID)
		}
		other, _ := aTx(2)
		deliver(r, alice, other)
		if s := status(r); s.TxsDropped != 1 || s.TxsWaiting != 1 || s.TxsReceived != 2 {
			t.Errorf("%s: the figures are %+v: a quarter is for what nobody asked for", why, s)
		}
	}
}

// A peer that delivers has done what it was asked for, by whichever name it was asked and
// whatever comes of the transaction.
func TestARequestEndsWhenItIsMet(t *testing.T) {
	for name, ready := range bothKinds {
		for what, c := range map[string]struct {
			before chain.TxCode // what chain says if another peer sent it before
			after  chain.TxCode // what chain says of what comes; zero: it is not offered
		}{
			"chain has it in hand": {},
			"it pays too little":   {after: chain.TxPolicy},
			"it was rejected":      {before: chain.TxPolicy},
		} {
			why := name + ", " + what
			r := txRig(t)
			r.Give(ready)
			r.Give(peer.Ready{Peer: bob})
			tx, id := aTx(1)
			announceAs(r, ready, id)
			wantGetTxAs(t, r, ready, why, id)
			if c.after == 0 {
				deliver(r, bob, tx)
				_, offered := steptest.WantAsk[chain.SubmitTx](r, why)
				if c.before != 0 {
					r.Reply(offered, chain.TxVerdict{ID: id, Code: c.before})
				}
			}
			deliver(r, alice, tx)
			if c.after != 0 {
				_, offered := steptest.WantAsk[chain.SubmitTx](r, why)
				r.Reply(offered, chain.TxVerdict{ID: id, Code: c.after})
			}
			if s := status(r); s.TxsInFlight != 0 {
				t.Errorf("%s: %d are in flight", why, s.TxsInFlight)
			}
			r.Advance(DefaultBounds().Txs.RequestTimeout + time.Second)
			if s := status(r); s.TxsNotDelivered != 0 {
				t.Errorf("%s: it was not delivered, it is said", why)
			}
		}
	}
}

// When a transaction is in the pool, nobody is asked for it any more, by neither name, and
// who was asked is not waited for.
func TestWhatIsInThePoolIsNotWaitedFor(t *testing.T) {
	r := txRig(t)
	old, new := peer.Ready{Peer: alice}, peer.Ready{Peer: bob, WTxIDs: true}
	r.Give(old)
	r.Give(new)
	_, id := aTx(1)
	announceAs(r, old, id)
	announceAs(r, new, id)
	wantGetTxAs(t, r, new, "at once", id)
	r.Advance(2 * time.Second)
	wantGetTxAs(t, r, old, "nobody knows that it is the same", id)
	if s := status(r); s.TxsInFlight != 2 {
		t.Fatalf("%d are in flight, want 2", s.TxsInFlight)
	}
	r.Give(accepted(r, id, carol))
	if s := status(r); s.TxsInFlight != 0 {
		t.Errorf("%d are in flight", s.TxsInFlight)
	}
	r.Advance(2 * time.Minute)
	if s := status(r); s.TxsNotDelivered != 0 {
		t.Errorf("%d were not delivered, it is said", s.TxsNotDelivered)
	}
}

// An inv is read up to as many names as may wait of one peer. So a step has an end.
func TestL4ALongInvIsCut(t *testing.T) {
	r, m := boundRig(t, func(b *Bounds) { b.Txs.MaxAnnounced = 3 })
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	var ids []chain.TxID
	for n := range uint32(4) {
		_, id := aTx(n)
		ids = append(ids, id)
	}
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{pooledTx(r, ids[0], alice), pooledTx(r, ids[1], alice)}})
	announce(r, alice, ids...)
	r.Reply(wantGetTx(t, r, alice, "the last one that is read", peer.InvTypeWTx, ids[2].WTxID), peer.Sent{})
	r.WantNothing("the fourth was not read")
	if known := m.peer(alice).tells.known; !known.Contains(ids[2].WTxID) || known.Contains(ids[3].WTxID) {
		t.Error("she knows what she announced, as far as it was read")
	}
}

// What an unknown peer sends is dropped: a rebuilt relay can see it once, and a peer that
// is ended may still send.
func TestL7TrafficOfAnUnknownPeerIsDropped(t *testing.T) {
	tx, id := aTx(1)
	for _, e := range []any{
		peer.WantsHeaders{Peer: bob},
		peer.Announced{Peer: bob, Blocks: []chainhash.Hash{number(1)}},
		peer.HeadersWanted{Peer: bob},
		peer.BlocksWanted{Peer: bob},
		peer.DataWanted{Peer: bob, Items: items(wire.InvTypeBlock, 0, 1)},
		peer.TxsAnnounced{Peer: bob, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}},
		peer.TxReceived{Peer: bob, Tx: tx, TxID: id.TxID, WTxID: id.WTxID, Memory: 500},
		peer.TxsNotFound{Peer: bob, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}},
		peer.FeeFilter{Peer: bob, Rate: 1},
		peer.Gone{Peer: bob},
	} {
		r := txRig(t)
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		before := status(r)
		r.Give(e)
		r.WantNothing("nobody is known by that name")
		if s := status(r); s != before {
			t.Errorf("%T: the figures are %+v", e, s)
		}
	}
}

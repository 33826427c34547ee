package relay

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

// orphanRig is a relay that alice has given a child without its parent. She has not got the
// parent.
func orphanRig(t *testing.T) (r *steptest.Rig, parent, child chain.TxID) {
	r = txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})
	_, parent = aTx(1)
	tx, child := aTx(2)
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Reply(offered, chain.TxVerdict{ID: child, Code: chain.TxOrphan, Missing: []chainhash.Hash{parent.TxID}})
	r.Advance(DefaultBounds().Txs.TxIDDelay)
	r.Reply(wantGetTx(t, r, alice, "the parent", wire.InvTypeWitnessTx, parent.TxID), peer.Sent{})
	r.Give(peer.TxsNotFound{Peer: alice, Txs: []peer.TxName{{Hash: parent.TxID}}})
	return r, parent, child
}

// Whoever announces an orphan is asked for what it misses, and not for the orphan itself.
// It is asked for the orphan when nothing more is known about that.
func TestWhoeverAnnouncesAnOrphan(t *testing.T) {
	timeout := DefaultBounds().Txs.OrphanTimeout - DefaultBounds().Txs.TxIDDelay // orphanRig has waited
	for _, c := range []struct {
		why    string
		before func(r *steptest.Rig, parent, child chain.TxID)
		child  bool // he is asked for the child, and otherwise for the parent
	}{
		{"it misses its parent", func(*steptest.Rig, chain.TxID, chain.TxID) {}, false},
		{"a block has the parent, and chain has forgotten the child", func(r *steptest.Rig, parent, _ chain.TxID) {
			r.Give(chain.TxConfirmed{Txs: []chain.TxID{parent}})
		}, true},
		{"the child was taken, and has left the pool again", func(r *steptest.Rig, _, child chain.TxID) {
			r.Give(accepted(r, child, bob))
			r.Give(chain.TxRemoved{Txs: []chain.TxID{child}})
		}, true},
		{"its time is nearly up", func(r *steptest.Rig, _, _ chain.TxID) { r.Advance(timeout - 1) }, false},
		{"its time is up", func(r *steptest.Rig, _, _ chain.TxID) { r.Advance(timeout) }, true},
	} {
		r, parent, child := orphanRig(t)
		if at, want := r.M.Deadline(), r.Now.Add(timeout); !at.Equal(want) {
			t.Errorf("the next clock is due at %v, want %v, when the orphan is forgotten", at, want)
		}
		c.before(r, parent, child)
		r.Drop()
		announce(r, bob, child)
		if c.child {
			r.Reply(wantGetTx(t, r, bob, c.why, peer.InvTypeWTx, child.WTxID), peer.Sent{})
		}
		r.WantNothing(c.why)
		r.Advance(DefaultBounds().Txs.TxIDDelay + DefaultBounds().Beat)
		if !c.child {
			r.Reply(wantGetTx(t, r, bob, c.why, wire.InvTypeWitnessTx, parent.TxID), peer.Sent{})
		}
		r.WantNothing(c.why)
	}
}

// Of an orphan's parents those are wanted that are not here.
func TestAParentThatIsHereIsNotWanted(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	_, here := aTx(1)
	_, missing := aTx(2)
	tx, child := aTx(3)
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Give(accepted(r, here, alice))
	r.Reply(offered, chain.TxVerdict{ID: child, Code: chain.TxOrphan, Missing: []chainhash.Hash{here.TxID, missing.TxID}})
	if s := status(r); s.ParentsWanted != 1 {
		t.Errorf("%d parents are wanted, want 1", s.ParentsWanted)
	}
	r.Advance(2 * time.Second)
	wantGetTx(t, r, alice, "it has come meanwhile", wire.InvTypeWitnessTx, missing.TxID)
	r.WantNothing("that is all")
}

// A child of a rejected parent is rejected too: nobody is asked for the parent again.
func TestAnOrphanOfARejectedParent(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	m := r.M.(*Machine)
	parent := number(7)
	m.rejected.Add(parent)
	tx, id := aTx(1)
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Reply(offered, chain.TxVerdict{ID: id, Code: chain.TxOrphan, Missing: []chainhash.Hash{parent, number(8)}})
	r.Advance(time.Minute)
	r.WantNothing("it will never be good")
	if s := status(r); !m.rejected.Contains(id.WTxID) || s.TxsRejected != 1 || s.Orphans != 0 {
		t.Errorf("the child may come again, or the figures are wrong: %+v", s)
	}
}

// Everybody who has an orphan is asked for its parents, one at a time.
func TestAllWhoHaveAnOrphanAreAskedForItsParents(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})
	tx, id := aTx(1)
	announce(r, alice, id)
	r.Reply(wantGetTx(t, r, alice, "first", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	announce(r, bob, id)
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Reply(offered, chain.TxVerdict{ID: id, Code: chain.TxOrphan, Missing: []chainhash.Hash{number(8)}})
	r.Give(peer.Gone{Peer: alice})
	r.Advance(2 * time.Second)
	wantGetTx(t, r, bob, "he has announced it too", wire.InvTypeWitnessTx, number(8))
}

// The sender of an orphan has gone when chain says so. Whoever else has it is asked.
func TestAnOrphanWhoseSenderHasGone(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})
	tx, id := aTx(1)
	announce(r, bob, id)
	r.Reply(wantGetTx(t, r, bob, "he announces it", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Give(peer.Gone{Peer: alice})
	r.Reply(offered, chain.TxVerdict{ID: id, Code: chain.TxOrphan, Missing: []chainhash.Hash{number(8)}})
	r.Advance(2 * time.Second)
	wantGetTx(t, r, bob, "he has the child", wire.InvTypeWitnessTx, number(8))
}

// Nobody is left who has an orphan, so it is known no more. Whoever announces it is asked
// for it, as for any other.
func TestAnOrphanThatNobodyHas(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})
	id := anOrphan(r, alice, number(8))
	r.Give(peer.Gone{Peer: alice})
	announce(r, bob, id)
	wantGetTx(t, r, bob, "the child itself", peer.InvTypeWTx, id.WTxID)
}

// An orphan that is rejected when it comes again is no orphan any more: nobody is asked for
// its parents.
func TestAnOrphanThatIsRejected(t *testing.T) {
	r := txRig(t)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id, WTxIDs: true})
	}
	id := anOrphan(r, alice, number(8))
	r.Advance(2 * time.Second)
	r.Reply(wantGetTx(t, r, alice, "the parent", wire.InvTypeWitnessTx, number(8)), peer.Sent{})
	r.Give(peer.TxsNotFound{Peer: alice, Txs: []peer.TxName{{Hash: number(8)}}})
	tx, _ := aTx(1)
	deliver(r, bob, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "it may be no orphan now")
	r.Reply(offered, chain.TxVerdict{Code: chain.TxPolicy})
	announce(r, carol, id)
	r.Advance(time.Minute)
	r.WantNothing("it is rejected, whoever has it")
}

// An old peer has announced an orphan by txid. He is not asked for what has come.
func TestAnOrphanIsFetchedByNeitherName(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob})
	_, id := aTx(1)
	r.Give(peer.TxsAnnounced{Peer: bob, Txs: []peer.TxName{{Hash: id.TxID}}})
	anOrphan(r, alice, number(8))
	r.Advance(2 * time.Second)
	r.Reply(wantGetTx(t, r, alice, "the parent", wire.InvTypeWitnessTx, number(8)), peer.Sent{})
	r.Advance(30 * time.Second)
	r.WantNothing("the child is here")
}

// An orphan of too many parents is not worth it.
func TestL4AnOrphanOfManyParents(t *testing.T) {
	most := DefaultBounds().Txs.MaxMissing
	for _, n := range []int{most, most + 1} {
		r := txRig(t)
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		missing := make([]chainhash.Hash, n)
		for i := range missing {
			missing[i] = number(i)
		}
		anOrphan(r, alice, missing...)
		if got, kept := status(r).ParentsWanted, n <= most; got > 0 != kept {
			t.Errorf("of %d parents %d are wanted", n, got)
		}
	}
}

// anOrphan has a peer deliver the first transaction, whose parents are missing.
func anOrphan(r *steptest.Rig, from actor.ID, missing ...chainhash.Hash) chain.TxID {
	tx, id := aTx(1)
	deliver(r, from, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the child")
	r.Reply(offered, chain.TxVerdict{ID: id, Code: chain.TxOrphan, Missing: missing})
	return id
}

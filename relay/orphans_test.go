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

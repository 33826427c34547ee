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

// TestTransactionStory is the way of a transaction through relay. Read it first.
func TestTransactionStory(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true}) // we connected to her
	r.Give(peer.Ready{Peer: bob})                 // an old node, which knows nothing of wtxids
	r.Give(peer.Ready{Peer: carol, NoTxs: true})
	tx, id := aTx(1)

	// Alice announces a transaction. It is asked of her, and what she sends goes to chain.
	announce(r, alice, id)
	r.Reply(wantGetTx(t, r, alice, "we lack it, and she is one that we chose", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	deliver(r, alice, tx)
	q, offered := steptest.WantAsk[chain.SubmitTx](r, "chain judges it")
	if q.Tx != tx || q.ID != id || q.Source != alice || !q.Orphan || q.Test || !q.Added.IsZero() {
		t.Errorf("offered %+v", q)
	}

	// Chain takes it, and says so to whom it concerns: relay announces it.
	r.Reply(offered, chain.TxVerdict{ID: id, Fee: 1000, VSize: 100})
	r.Give(accepted(r, id, alice))
	r.WantNothing("it is announced at a random time, so that nobody knows who had it first")
	r.Advance(time.Minute)
	r.Reply(wantTxInv(t, r, bob, "he gets the txid", wire.InvTypeTx, id.TxID), peer.Sent{})
	r.WantNothing("she has it, and carol wants to hear of none")

	// Bob asks for it. The readers have it. He cannot read witness data.
	r.Give(peer.DataWanted{Peer: bob, Items: []wire.InvVect{{Type: wire.InvTypeTx, Hash: id.TxID}}})
	read, asked := steptest.WantAsk[chain.GetPoolTxs](r, "it is in the pool")
	if len(read.TxIDs) != 1 || read.TxIDs[0] != id.TxID {
		t.Errorf("asked for %v", read.TxIDs)
	}
	r.Reply(asked, chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
	got := wantTxs(t, r, bob, "here it is", 1)
	if got[0].HasWitness() || got[0].TxHash() != id.TxID || !tx.HasWitness() {
		t.Error("he is sent another one, or ours is changed")
	}

	// A block has it. Nobody is told of it any more, and nobody is asked for it.
	r.Give(chain.TxConfirmed{Txs: []chain.TxID{id}})
	r.Give(peer.TxsAnnounced{Peer: alice, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}})
	r.Advance(time.Minute)
	r.WantNothing("it is an old story")
	if s := status(r); s.TxsAnnounced != 1 || s.TxsRequested != 1 || s.TxsReceived != 1 || s.TxsAccepted != 1 {
		t.Errorf("the figures are %+v", s)
	}
}

// TestOrphanStory: a child comes before its parent.
func TestOrphanStory(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	parent, parentID := aTx(1)
	child, childID := aTx(2)

	deliver(r, alice, child)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "nobody has asked for it, and it is taken all the same")
	r.Reply(offered, chain.TxVerdict{ID: childID, Code: chain.TxOrphan, Missing: []chainhash.Hash{parentID.TxID}})
	r.Advance(2 * time.Second) // others may announce it by wtxid
	r.Reply(wantGetTx(t, r, alice, "who has the child has its parents; their wtxids are not known", wire.InvTypeWitnessTx, parentID.TxID), peer.Sent{})

	r.Give(peer.Ready{Peer: bob, WTxIDs: true, Inbound: true})
	announce(r, bob, childID)
	r.Advance(time.Second)
	r.WantNothing("the child is here already, and she has been asked for the parent")

	deliver(r, alice, parent)
	_, offered = steptest.WantAsk[chain.SubmitTx](r, "the parent")
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{pooledTx(r, parentID, alice), pooledTx(r, childID, alice)}})
	r.Reply(offered, chain.TxVerdict{ID: parentID, Fee: 1000, VSize: 100})
	r.Advance(time.Minute)
	wantTxInv(t, r, bob, "he has the child, and gets the parent", peer.InvTypeWTx, parentID.WTxID)
	r.WantNothing("nobody is asked for anything more")
	if s := status(r); s.Orphans != 1 || s.ParentsWanted != 2 || s.TxsInFlight != 0 {
		t.Errorf("the figures are %+v", s)
	}
}

// TestLiarStory: a peer announces and never delivers. It costs a minute.
func TestLiarStory(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true, Inbound: true})
	tx, id := aTx(1)
	announce(r, alice, id)
	r.Reply(wantGetTx(t, r, alice, "she is one that we chose", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	announce(r, bob, id)
	r.Advance(59 * time.Second)
	r.WantNothing("one at a time")
	r.Advance(time.Second)
	r.Reply(wantGetTx(t, r, bob, "she has had her minute", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	announce(r, alice, id)
	r.WantNothing("saying it again does not help her")

	// Bob says that he has not got it. Carol has.
	r.Give(peer.Ready{Peer: carol, WTxIDs: true})
	announce(r, carol, id)
	r.Give(peer.TxsNotFound{Peer: bob, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}})
	r.Reply(wantGetTx(t, r, carol, "at once", peer.InvTypeWTx, id.WTxID), peer.Sent{})

	// What comes late is taken as what nobody asked for.
	deliver(r, alice, tx)
	steptest.WantAsk[chain.SubmitTx](r, "late is better than never")
	deliver(r, carol, tx)
	r.WantNothing("chain has it in hand")
	if s := status(r); s.TxsNotDelivered != 1 || s.TxsRequested != 3 || s.TxsWaiting != 1 {
		t.Errorf("the figures are %+v", s)
	}
}

// TestReorgStory: a block takes transactions, and gives them back.
func TestReorgStory(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	tx, id := aTx(1)
	r.Give(chain.TxConfirmed{Txs: []chain.TxID{id}})
	announce(r, alice, id)
	deliver(r, alice, tx)
	r.WantNothing("a block has it")

	b := grow(r, genesis, 1, 0)[0]
	r.Give(chain.BlockDisconnected{Point: b.Point})
	announce(r, alice, id)
	r.Reply(wantGetTx(t, r, alice, "the block has left the chain", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	r.Give(accepted(r, id, 0))
	r.Advance(time.Minute)
	r.WantNothing("it is back in the pool, and she knows it")
	deliver(r, alice, tx)
	r.WantNothing("so nothing need be judged")
}

// TestToldAgainAfterAReorganisation: a peer that was told of a transaction asks for it when
// a block has it, and gets nothing. When the block leaves the chain, the peer is told again.
func TestToldAgainAfterAReorganisation(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	_, id := aTx(1)
	r.Give(accepted(r, id, bob))
	r.Advance(time.Minute)
	r.Reply(wantTxInv(t, r, alice, "it is news", peer.InvTypeWTx, id.WTxID), peer.Sent{})

	b := grow(r, genesis, 1, 0)[0]
	r.Give(chain.TxRemoved{Reason: chain.RemovedConfirmed, Txs: []chain.TxID{id}})
	r.Give(chain.BlockDisconnected{Point: b.Point})
	r.Give(accepted(r, id, 0))
	r.Advance(time.Minute)
	wantTxInv(t, r, alice, "it is back", peer.InvTypeWTx, id.WTxID)
}

// The bench of transactions.

// txRig is a relay that has caught up.
func txRig(t testing.TB) *steptest.Rig {
	r := newRig(t)
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	return r
}

// aTx is the n-th transaction.
func aTx(n uint32) (*wire.MsgTx, chain.TxID) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{Sequence: n, Witness: wire.TxWitness{{byte(n)}}})
	tx.AddTxOut(&wire.TxOut{Value: int64(n)})
	return tx, chain.NameOf(tx)
}

func announce(r *steptest.Rig, from actor.ID, ids ...chain.TxID) {
	e := peer.TxsAnnounced{Peer: from}
	for _, id := range ids {
		e.Txs = append(e.Txs, peer.TxName{Hash: id.WTxID, WTxID: true})
	}
	r.Give(e)
}

func deliver(r *steptest.Rig, from actor.ID, tx *wire.MsgTx) {
	r.Give(peer.TxReceived{Peer: from, Tx: tx, TxID: tx.TxHash(), WTxID: tx.WitnessHash(), Memory: 500})
}

func pooledTx(r *steptest.Rig, id chain.TxID, source actor.ID) chain.PoolTx {
	return chain.PoolTx{ID: id, Fee: 1000, VSize: 100, Added: r.Now, Source: source, Ours: source == 0}
}

// accepted says that transactions are in the pool.
func accepted(r *steptest.Rig, id chain.TxID, source actor.ID) chain.TxAccepted {
	return chain.TxAccepted{Txs: []chain.PoolTx{pooledTx(r, id, source)}}
}

// wantGetTx takes the next Send. It must be a getdata of just these.
func wantGetTx(t *testing.T, r *steptest.Rig, to actor.ID, why string, typ wire.InvType, hashes ...chainhash.Hash) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	msg, ok := send.Msgs[0].(*wire.MsgGetData)
	if !ok {
		t.Fatalf("%s: %T, want a getdata", why, send.Msgs[0])
	}
	wantItems(t, why, asked.To, to, msg.InvList, typ, hashes)
	return asked
}

// wantTxInv takes the next Send. It must be an inv of just these transactions.
func wantTxInv(t *testing.T, r *steptest.Rig, to actor.ID, why string, typ wire.InvType, hashes ...chainhash.Hash) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	msg, ok := send.Msgs[0].(*wire.MsgInv)
	if !ok {
		t.Fatalf("%s: %T, want an inv", why, send.Msgs[0])
	}
	wantItems(t, why, asked.To, to, msg.InvList, typ, hashes)
	return asked
}

func wantItems(t *testing.T, why string, got, to actor.ID, list []*wire.InvVect, typ wire.InvType, hashes []chainhash.Hash) {
	t.Helper()
	if got != to || len(list) != len(hashes) {
		t.Fatalf("%s: %d items to %v, want %d to %v", why, len(list), got, len(hashes), to)
	}
	for i, v := range list {
		if v.Hash != hashes[i] || v.Type != typ {
			t.Fatalf("%s: item %d is %v %v, want %v %v", why, i, v.Type, v.Hash, typ, hashes[i])
		}
	}
}

// wantTxs takes the next Send. It must be so many transactions.
func wantTxs(t *testing.T, r *steptest.Rig, to actor.ID, why string, n int) (txs []*wire.MsgTx) {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	for _, msg := range send.Msgs {
		tx, ok := msg.(*wire.MsgTx)
		if !ok {
			t.Fatalf("%s: %T, want transactions", why, msg)
		}
		txs = append(txs, tx)
	}
	if asked.To != to || len(txs) != n {
		t.Fatalf("%s: %d transactions to %v, want %d to %v", why, len(txs), asked.To, n, to)
	}
	r.Reply(asked, peer.Sent{})
	return txs
}

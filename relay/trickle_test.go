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

// Who is told of a transaction, and who is not.
func TestWhoIsToldOfATransaction(t *testing.T) {
	_, id := aTx(1)
	for _, c := range []struct {
		why   string
		ready peer.Ready
		give  any // before the transaction comes
		want  wire.InvType
	}{
		{"a peer of ours", peer.Ready{}, nil, wire.InvTypeTx},
		{"one that came to us", peer.Ready{Inbound: true}, nil, wire.InvTypeTx},
		{"one that knows wtxids", peer.Ready{WTxIDs: true}, nil, peer.InvTypeWTx},
		{"it wants to hear of none", peer.Ready{NoTxs: true}, nil, 0},
		{"the connection is for blocks", peer.Ready{BlockRelayOnly: true}, nil, 0},
		{"it wants to hear of what pays as much", peer.Ready{}, peer.FeeFilter{Peer: alice, Rate: 10_000}, wire.InvTypeTx},
		{"it wants to hear of what pays more", peer.Ready{}, peer.FeeFilter{Peer: alice, Rate: 10_001}, 0},
		{"it has announced it", peer.Ready{WTxIDs: true}, peer.TxsAnnounced{Peer: alice, Txs: []peer.TxName{{Hash: id.WTxID, WTxID: true}}}, 0},
		{"it has announced it by txid", peer.Ready{}, peer.TxsAnnounced{Peer: alice, Txs: []peer.TxName{{Hash: id.TxID}}}, 0},
	} {
		r := newRig(t) // catching up, so nothing is asked for
		c.ready.Peer = alice
		r.Give(c.ready)
		if c.give != nil {
			r.Give(c.give)
		}
		r.Give(accepted(r, id, bob))
		if n := len(r.M.(*Machine).peer(alice).tells.queue); (n > 0) != (c.want != 0) {
			t.Errorf("%d wait to be told: %s", n, c.why)
		}
		r.Advance(time.Minute)
		switch c.want {
		case wire.InvTypeTx:
			wantTxInv(t, r, alice, c.why, c.want, id.TxID)
		case peer.InvTypeWTx:
			wantTxInv(t, r, alice, c.why, c.want, id.WTxID)
		}
		r.WantNothing(c.why)
	}
}

// What is old when relay hears of it was told before the node was started.
func TestWhatIsOldIsNotAnnounced(t *testing.T) {
	r := newRig(t, alice)
	_, id := aTx(1)
	old := pooledTx(r, id, 0)
	old.Added = r.Now.Add(-time.Hour - time.Second)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{old}})
	r.Advance(time.Hour)
	r.WantNothing("mempool.dat was read")
	r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: wire.InvTypeTx, Hash: id.TxID}}})
	steptest.WantAsk[chain.GetPoolTxs](r, "it is there all the same")
}

// Peers that came to us are told together, those that we chose each by itself.
func TestInboundPeersAreToldTogether(t *testing.T) {
	r := newRig(t)
	for i := range actor.ID(10) {
		r.Give(peer.Ready{Peer: alice + i, Inbound: i < 5})
	}
	_, id := aTx(1)
	r.Give(accepted(r, id, 0))
	times := map[time.Time]int{}
	for _, p := range r.M.(*Machine).peers {
		times[p.tells.at]++
	}
	if len(times) != 6 {
		t.Errorf("%d times, want one for those that came to us and five others: %v", len(times), times)
	}
	r.Advance(5 * time.Minute)
	if n := len(r.Pending()); n != 10 {
		t.Errorf("%d peers are told", n)
	}
	r.Drop()
}

// An inv has a limited number, more if many wait: parents first, then what pays most.
func TestWhatIsToldFirst(t *testing.T) {
	r := newRig(t, alice)
	var e chain.TxAccepted
	for n := range 2000 {
		tx := aPooled(r, n)
		tx.Fee, tx.Ancestors, tx.Source, tx.Ours = int64(1000+n), n%2, bob, false
		e.Txs = append(e.Txs, tx)
	}
	r.Give(e)
	var got []chainhash.Hash
	for len(got) < 2000 {
		r.Advance(time.Minute)
		send, asked := steptest.WantAsk[peer.Send](r, "the next ones")
		inv := send.Msgs[0].(*wire.MsgInv)
		if want := min(70+(2000-len(got))/1000*5, 2000-len(got)); len(inv.InvList) != want {
			t.Errorf("%d at once, want %d: 70, and 5 for each thousand that wait", len(inv.InvList), want)
		}
		for _, v := range inv.InvList {
			got = append(got, v.Hash)
		}
		r.Reply(asked, peer.Sent{})
	}
	if got[0] != number(1998) || got[1] != number(1996) || got[1000] != number(1999) || got[1999] != number(1) {
		t.Errorf("the first is %v, then %v; the first child is %v, the last %v", got[0], got[1], got[1000], got[1999])
	}
	r.Advance(time.Hour)
	r.WantNothing("each once")
}

// What has left the pool, or pays too little by now, is not told.
func TestWhatIsNoLongerOfUseIsNotTold(t *testing.T) {
	r := newRig(t, alice)
	list := []chain.PoolTx{aPooled(r, 1), aPooled(r, 2), aPooled(r, 3), aPooled(r, 4)}
	list[3].Fee = 10
	r.Give(chain.TxAccepted{Txs: list})
	r.Give(chain.TxRemoved{Reason: chain.RemovedReplaced, Txs: []chain.TxID{list[0].ID}})
	r.Give(chain.TxConfirmed{Txs: []chain.TxID{list[1].ID}})
	r.Give(peer.FeeFilter{Peer: alice, Rate: 1000})
	r.Advance(time.Minute)
	wantTxInv(t, r, alice, "the others are gone, or cheap", wire.InvTypeTx, list[2].ID.TxID)
	r.WantNothing("that is all")
}

// An inv has no more than MaxAnnounceTxs, however many wait.
func TestL4AnInvOfTransactionsIsBounded(t *testing.T) {
	cfg := DefaultBounds()
	cfg.AnnounceTxs, cfg.AnnounceMore, cfg.MaxAnnounceTxs = 70, 5, 77
	m, specs := connect(cfg, 2)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	var e chain.TxAccepted
	for n := range 2000 {
		tx := aPooled(r, n)
		tx.Source, tx.Ours = bob, false
		e.Txs = append(e.Txs, tx)
	}
	r.Give(e)
	r.Advance(time.Minute)
	send, _ := steptest.WantAsk[peer.Send](r, "the first ones")
	if n := len(send.Msgs[0].(*wire.MsgInv).InvList); n != 77 {
		t.Errorf("%d at once, want 77", n)
	}
	r.Leave()
}

// The time at which a peer is told does not depend on what comes until then. When it has
// come, the peer is told as soon as it takes something, and no clock runs.
func TestWhatComesMeanwhileDoesNotChangeTheTime(t *testing.T) {
	r := newRig(t, alice)
	m := r.M.(*Machine)
	p := m.peer(alice)
	come := func(n int) {
		tx := aPooled(r, n)
		tx.Source, tx.Ours = bob, false
		r.Give(chain.TxAccepted{Txs: []chain.PoolTx{tx}})
	}
	come(1)
	at := p.tells.at
	for n := range 10 {
		if come(n + 2); p.tells.at != at {
			t.Fatalf("the time is %v, and was %v", p.tells.at, at)
		}
	}
	r.Advance(time.Minute)
	_, stuck := steptest.WantAsk[peer.Send](r, "she does not take this")
	come(20)
	r.Advance(time.Minute)
	come(21)
	if at := m.Deadline(); !at.IsZero() {
		t.Errorf("a clock runs, to %v, and her time has come", at)
	}
	r.Reply(stuck, peer.Sent{})
	wantTxInv(t, r, alice, "at once", wire.InvTypeTx, number(20), number(21))
}

// What is in the pool or in a block is not asked for any more, and not announced again.
func TestWhatIsThereIsNotFetched(t *testing.T) {
	for _, confirmed := range []bool{false, true} {
		r := txRig(t)
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		_, id := aTx(1)
		announce(r, alice, id)
		r.Reply(wantGetTx(t, r, alice, "we lack it", peer.InvTypeWTx, id.WTxID), peer.Sent{})
		if confirmed {
			r.Give(chain.TxConfirmed{Txs: []chain.TxID{id}})
		} else {
			r.Give(accepted(r, id, 0))
		}
		if s := status(r); s.TxsInFlight != 0 {
			t.Errorf("in a block %v: %d are in flight", confirmed, s.TxsInFlight)
		}
		r.Give(chain.Tips{Block: chain.Point{Hash: number(2), Time: r.Now}}) // the block, and more may follow
		r.Give(peer.Ready{Peer: bob})
		r.Give(peer.TxsAnnounced{Peer: bob, Txs: []peer.TxName{{Hash: id.TxID}}})
		r.Advance(9 * time.Minute)
		r.WantNothing("he names it by txid, and we have it")
	}
}

func TestWhatHasLeftThePoolIsNotAnnouncedAgain(t *testing.T) {
	_, id := aTx(1)
	for _, leaves := range []any{
		chain.TxConfirmed{Txs: []chain.TxID{id}},
		chain.TxRemoved{Reason: chain.RemovedExpired, Txs: []chain.TxID{id}},
	} {
		r := newRig(t)
		r.Give(accepted(r, id, 0))
		if s := status(r); s.Unbroadcast != 1 {
			t.Errorf("%d wait for a peer that asks", s.Unbroadcast)
		}
		r.Give(leaves)
		if s := status(r); s.Unbroadcast != 0 {
			t.Errorf("%T: %d wait for a peer that asks", leaves, s.Unbroadcast)
		}
	}
}

// The queue of a peer that does not read is bounded, and it costs nobody else.
func TestL4AQueueThatIsFull(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxQueued = 3
	m, specs := connect(cfg, 2)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(accepted(r, chain.TxID{TxID: number(99), WTxID: number(99)}, 0))
	r.Advance(time.Minute)
	stuck := wantTxInv(t, r, alice, "she does not take this", wire.InvTypeTx, number(99))
	for n := range 5 {
		r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, n)}})
	}
	r.Advance(30 * time.Second)
	r.WantNothing("one message at a time")
	if s := status(r); s.TxsUnannounced != 2 {
		t.Errorf("%d are not announced, want 2", s.TxsUnannounced)
	}
	r.Reply(stuck, peer.Sent{})
	wantTxInv(t, r, alice, "her time had come long ago", wire.InvTypeTx, number(0), number(1), number(2))
}

// What has left the pool takes no room on a full queue: as much as comes and is confirmed,
// the peer is told of what stays.
func TestAFullQueueIsClearedOfWhatHasLeftThePool(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxQueued = 4
	m, specs := connect(cfg, 2)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	for n := range 40 {
		p := aPooled(r, n)
		r.Give(chain.TxAccepted{Txs: []chain.PoolTx{p}})
		if n < 37 {
			r.Give(chain.TxConfirmed{Txs: []chain.TxID{p.ID}})
		}
	}
	r.Advance(time.Minute)
	wantTxInv(t, r, alice, "the others are confirmed", wire.InvTypeTx, number(37), number(38), number(39))
	if s := status(r); s.TxsUnannounced != 0 {
		t.Errorf("%d found no room on the queue", s.TxsUnannounced)
	}
}

// What was sent by RPC is announced again to whoever has come since, until somebody asks
// for it.
func TestWhatNobodyAskedForIsAnnouncedAgain(t *testing.T) {
	r := newRig(t)
	tx, id := aTx(1)
	r.Give(accepted(r, id, 0))
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Advance(9 * time.Minute)
	r.WantNothing("she came too late")
	r.Advance(7 * time.Minute)
	r.Reply(wantTxInv(t, r, alice, "now she is told", peer.InvTypeWTx, id.WTxID), peer.Sent{})
	if s := status(r); s.Unbroadcast != 1 {
		t.Errorf("%+v: nobody has asked for it", s)
	}
	if u := unbroadcast(r); !slices.Equal(u, []chainhash.Hash{id.TxID}) {
		t.Errorf("nobody has asked for %v", u)
	}
	r.Give(peer.DataWanted{Peer: alice, Items: []wire.InvVect{{Type: peer.InvTypeWTx, Hash: id.WTxID}}})
	_, read := steptest.WantAsk[chain.GetPoolTxs](r, "she asks for it")
	r.Reply(read, chain.PooledTxs{Txs: []*wire.MsgTx{tx}})
	wantTxs(t, r, alice, "here it is", 1)
	r.Give(peer.Ready{Peer: bob})
	r.Advance(time.Hour)
	r.WantNothing("it is in the network now")
	if s := status(r); s.Unbroadcast != 0 || len(unbroadcast(r)) > 0 {
		t.Errorf("%+v", s)
	}
}

// What RPC sends once more is announced again, however old it is and whoever sent it first:
// at once to those that may not know it, and later until somebody asks for it.
func TestWhatIsSentOnceMoreIsAnnouncedAgain(t *testing.T) {
	r := newRig(t, alice)
	_, id := aTx(1)
	old := pooledTx(r, id, alice)
	old.Added = r.Now.Add(-2 * chain.NewsAge)
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{old}})
	r.Advance(time.Hour)
	r.WantNothing("it is old, and hers")
	old.Ours = true
	r.Give(chain.TxResent{Tx: old})
	r.Advance(time.Minute)
	r.Reply(wantTxInv(t, r, alice, "she is told like all others", wire.InvTypeTx, id.TxID), peer.Sent{})
	r.Give(peer.Ready{Peer: bob})
	r.Advance(16 * time.Minute)
	wantTxInv(t, r, bob, "nobody has asked for it", wire.InvTypeTx, id.TxID)
	_, unknown := aTx(2)
	r.Give(chain.TxResent{Tx: pooledTx(r, unknown, 0)})
	if s := status(r); s.Unbroadcast != 1 {
		t.Errorf("%d are announced again, want the one that is known", s.Unbroadcast)
	}
}

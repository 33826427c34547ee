package relay

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"

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

// The queue gives out what a sorted list would.
func TestTxQueueAgainstASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q txQueue
		var naive []queuedTx
		pool := map[uint64]*pooled{}
		sorted := func() {
			slices.SortFunc(naive, func(a, b queuedTx) int {
				if a.rank != b.rank && a.rank < b.rank || a.rank == b.rank && a.number < b.number {
					return -1
				}
				return 1
			})
		}
		for n := range rapid.IntRange(0, 300).Draw(t, "steps") {
			if len(naive) > 0 && rapid.IntRange(0, 9).Draw(t, "pop") == 0 {
				sorted()
				if got := q.pop(); got != naive[0].number {
					t.Fatalf("popped %d, want %d", got, naive[0].number)
				}
				naive = naive[1:]
				continue
			}
			e := &pooled{number: uint64(n), rate: rapid.Int64Range(-1, 5).Draw(t, "rate"), ancestors: rapid.IntRange(0, 3).Draw(t, "ancestors")}
			pool[e.number] = e
			naive = append(naive, queuedTx{rankOf(e), e.number})
			want := 0
			if len(naive) > 50 {
				naive = slices.DeleteFunc(naive, func(q queuedTx) bool { return pool[q.number] == nil })
				if sorted(); len(naive) > 49 {
					want = len(naive) - 44 // the last ones go, so that it is not full again at once
					naive = naive[:44]
				}
			}
			if got := q.push(e, 50, pool); got != want || len(q) != len(naive) {
				t.Fatalf("%d were taken out and %d are kept, want %d and %d", got, len(q), want, len(naive))
			}
			if len(naive) > 0 && rapid.IntRange(0, 19).Draw(t, "leaves the pool") == 0 {
				delete(pool, naive[rapid.IntRange(0, len(naive)-1).Draw(t, "which")].number)
			}
			if err := q.check(50); err != nil {
				t.Fatal(err)
			}
		}
	})
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

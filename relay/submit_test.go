package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// What chain says of a transaction decides whether it is fetched again, and whether its
// sender stays.
func TestWhatComesOfAVerdict(t *testing.T) {
	known := chain.TxVerdict{Code: chain.TxKnown}
	for _, c := range []struct {
		why      string
		verdict  chain.TxVerdict
		err      error
		stripped bool // it has no witness data
		again    bool // it is fetched when another peer announces it
		ends     bool
	}{
		{"it is in the pool, whose event says so", chain.TxVerdict{Fee: 1, VSize: 1}, nil, false, true, false},
		{"so it was before", known, nil, false, true, false},
		{"it pays too little", chain.TxVerdict{Code: chain.TxPolicy}, nil, false, false, false},
		{"it is early", chain.TxVerdict{Code: chain.TxEarly}, nil, false, false, false},
		{"its witness is bad: with another one it has another wtxid", chain.TxVerdict{Code: chain.TxWitness}, nil, false, false, false},
		{"it was stripped: the whole one has the same txid", chain.TxVerdict{Code: chain.TxWitness}, nil, true, true, false},
		{"it is invalid, and whoever sends it knows that", chain.TxVerdict{Code: chain.TxInvalid, Reason: "bad"}, nil, false, false, true},
		{"chain was rebuilt", chain.TxVerdict{}, actor.ErrGone, false, true, false},
		{"chain was busy", chain.TxVerdict{}, actor.ErrBusy, false, true, false},
	} {
		r := txRig(t)
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		r.Give(peer.Ready{Peer: bob, WTxIDs: true})
		tx, id := aTx(1)
		if c.stripped {
			tx.TxIn[0].Witness = nil
			id.WTxID = id.TxID
		}
		deliver(r, alice, tx)
		_, offered := steptest.WantAsk[chain.SubmitTx](r, c.why)
		if c.err != nil {
			r.Fail(offered, c.err)
		} else {
			r.Reply(offered, c.verdict)
		}
		if c.ends {
			if end := r.WantEnd(alice, c.why); !end.Fault || end.Reason == "" {
				t.Errorf("%s: %+v", c.why, end)
			}
		}
		r.WantNothing(c.why)
		announce(r, bob, id)
		if c.again {
			wantGetTx(t, r, bob, c.why, peer.InvTypeWTx, id.WTxID)
		}
		r.WantNothing(c.why)
		if c.again {
			continue
		}
		// What was rejected may be good after the next block.
		r.Give(chain.Tips{Block: chain.Point{Hash: number(2), Time: r.Now}})
		announce(r, bob, id)
		wantGetTx(t, r, bob, c.why+": there is a new block", peer.InvTypeWTx, id.WTxID)
	}
}

// Bob has announced what alice sends. What chain says of it decides whether he is asked,
// and when, and what is counted. A new block changes nothing about what was settled.
func TestWhoIsAskedAfterAVerdict(t *testing.T) {
	const never = time.Duration(0)
	for _, c := range []struct {
		why      string
		verdict  chain.TxVerdict
		err      error
		stripped bool // it has no witness data
		asked    time.Duration
		want     Status
	}{
		{"it is in the pool", chain.TxVerdict{Fee: 1, VSize: 1}, nil, false, never, Status{Peers: 2, TxsAccepted: 1}},
		{"so it was before", chain.TxVerdict{Code: chain.TxKnown}, nil, false, never, Status{Peers: 2}},
		{"it pays too little", chain.TxVerdict{Code: chain.TxPolicy}, nil, false, never, Status{Peers: 2, TxsRejected: 1}},
		{"it is early", chain.TxVerdict{Code: chain.TxEarly}, nil, false, never, Status{Peers: 2, TxsRejected: 1}},
		{"its witness is bad", chain.TxVerdict{Code: chain.TxWitness}, nil, false, never, Status{Peers: 2, TxsRejected: 1}},
		{"it was stripped, and his may not be", chain.TxVerdict{Code: chain.TxWitness}, nil, true, 2 * time.Second, Status{Peers: 2, TxsRejected: 1}},
		{"it is invalid, and she is ended", chain.TxVerdict{Code: chain.TxInvalid}, nil, false, never, Status{Peers: 1, TxsInvalid: 1}},
		{"it may be what chain has died of", chain.TxVerdict{}, actor.ErrGone, false, time.Minute, Status{Peers: 2, TxsInFlight: 1}},
		{"chain was busy", chain.TxVerdict{}, actor.ErrBusy, false, time.Minute, Status{Peers: 2, TxsInFlight: 1}},
	} {
		r := txRig(t)
		r.Give(peer.Ready{Peer: alice, WTxIDs: true})
		r.Give(peer.Ready{Peer: bob, WTxIDs: true, Inbound: true}) // he waits two seconds
		tx, id := aTx(1)
		if c.stripped {
			tx.TxIn[0].Witness = nil
			id.WTxID = id.TxID
		}
		announce(r, alice, id)
		r.Reply(wantGetTx(t, r, alice, c.why, peer.InvTypeWTx, id.WTxID), peer.Sent{})
		announce(r, bob, id)
		deliver(r, alice, tx)
		_, offered := steptest.WantAsk[chain.SubmitTx](r, c.why)
		if c.err != nil {
			r.Fail(offered, c.err)
		} else {
			r.Reply(offered, c.verdict)
		}
		c.want.TxsRequested, c.want.TxsReceived = 1, 1
		if got := status(r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.why, got, c.want)
		}
		r.Give(chain.Tips{Block: chain.Point{Hash: number(2), Time: r.Now}})
		r.Drop()
		if c.asked != never {
			r.Advance(c.asked - 1)
			r.WantNothing(c.why)
			r.Advance(1)
			r.Reply(wantGetTx(t, r, bob, c.why, peer.InvTypeWTx, id.WTxID), peer.Sent{})
		}
		r.Advance(time.Hour)
		r.WantNothing(c.why)
	}
}

// A peer that knows nothing of wtxids has answered when its transaction has been judged.
func TestAVerdictEndsARequestByTxID(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice})
	tx, id := aTx(1)
	r.Give(peer.TxsAnnounced{Peer: alice, Txs: []peer.TxName{{Hash: id.TxID}}})
	r.Reply(wantGetTx(t, r, alice, "nobody names it by wtxid", wire.InvTypeWitnessTx, id.TxID), peer.Sent{})
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "chain judges it")
	r.Reply(offered, chain.TxVerdict{Code: chain.TxPolicy})
	if s := status(r); s.TxsInFlight != 0 {
		t.Errorf("%d are in flight", s.TxsInFlight)
	}
}

// A verdict about what is not in hand changes nothing.
func TestAVerdictAboutNothing(t *testing.T) {
	l := newLoad(1)
	l.answer(7, chain.TxVerdict{Fee: 1, VSize: 1})
	if n := l.m.stats.TxsAccepted; n != 0 {
		t.Errorf("%d were accepted, and none was offered", n)
	}
}

// Chain has so many transactions at a time. The peers' turns come one after the other, and
// what waits of a peer is forgotten with it.
func TestOffersTakeTurns(t *testing.T) {
	r := txRig(t)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id, WTxIDs: true})
	}
	n := uint32(0)
	for _, id := range []actor.ID{alice, bob, carol} {
		for range 4 {
			n++
			tx, _ := aTx(n)
			deliver(r, id, tx)
		}
	}
	r.Give(peer.Gone{Peer: carol})
	var order []actor.ID
	for range 8 {
		q, offered := steptest.WantAsk[chain.SubmitTx](r, "the next one")
		order = append(order, q.Source)
		r.Reply(offered, chain.TxVerdict{ID: q.ID, Code: chain.TxPolicy})
	}
	r.WantNothing("those of who has gone are forgotten")
	want := []actor.ID{alice, alice, alice, bob, alice, bob, bob, bob}
	for i := range want {
		if order[i] != want[i] {
			t.Fatalf("the order is %v, want %v: three slots were free when she alone had sent something", order, want)
		}
	}
}

// A verdict that does not come keeps its slot and its memory, until chain has let go.
func TestL3AnOfferThatTimesOutKeepsItsMemory(t *testing.T) {
	r := txRig(t)
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	m := r.M.(*Machine)
	tx, id := aTx(1)
	deliver(r, alice, tx)
	_, offered := steptest.WantAsk[chain.SubmitTx](r, "the only one")
	r.Fail(offered, actor.ErrTimeout)
	if m.hand.bytes != 500 || m.hand.has(id.WTxID) {
		t.Errorf("%d bytes, has %v: chain still has it, and it may be fetched again", m.hand.bytes, m.hand.has(id.WTxID))
	}
	r.Late(offered)
	if m.hand.bytes != 0 || len(m.hand.offers) != 0 {
		t.Errorf("%d bytes, %d offers: chain has let go of it", m.hand.bytes, len(m.hand.offers))
	}
}

// Of what nobody asked for a peer may bring as much as its share. Others are not asked for
// more while half of the room is taken.
func TestL4TheRoomForTransactions(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxHand, cfg.MaxHandOfPeer = 10_000, 1200
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	r.Give(peer.Ready{Peer: alice, WTxIDs: true})
	r.Give(peer.Ready{Peer: bob, WTxIDs: true})

	send := func(from actor.ID, n uint32, memory int) {
		tx, id := aTx(n)
		r.Give(peer.TxReceived{Peer: from, Tx: tx, TxID: id.TxID, WTxID: id.WTxID, Memory: memory})
	}
	for n := range uint32(9) { // three are offered, and two wait: her share
		send(alice, n, 500)
	}
	if got := m.hand.bytes; got != 2500 {
		t.Errorf("%d bytes of what nobody asked for, want 2500", got)
	}
	_, dropped := aTx(5)
	wantGetTx(t, r, alice, "she has what found no room, and is asked for it later", peer.InvTypeWTx, dropped.WTxID)
	send(bob, 100, 1)
	if got := m.hand.bytes; got != 2500 {
		t.Errorf("%d bytes, and a quarter is for what nobody asked for", got)
	}
	_, dropped = aTx(100)
	r.Reply(wantGetTx(t, r, bob, "so is he", peer.InvTypeWTx, dropped.WTxID), peer.Sent{})
	_, big := aTx(200)
	announce(r, bob, big)
	wantGet := wantGetTx(t, r, bob, "there is room for what is asked for", peer.InvTypeWTx, big.WTxID)
	send(bob, 200, 3000)
	if got := m.hand.bytes; got != 5500 {
		t.Errorf("%d bytes, want 5500: it was asked for", got)
	}
	r.Reply(wantGet, peer.Sent{})
	_, more := aTx(201)
	announce(r, bob, more)
	steptest.WantAsk[chain.SubmitTx](r, "the first")
	steptest.WantAsk[chain.SubmitTx](r, "the second")
	q, offered := steptest.WantAsk[chain.SubmitTx](r, "the third")
	r.WantNothing("half of the room is taken")
	r.Reply(offered, chain.TxVerdict{ID: q.ID, Code: chain.TxPolicy})
	q, offered = steptest.WantAsk[chain.SubmitTx](r, "bob's turn")
	if q.ID != big {
		t.Errorf("%v is offered", q.ID)
	}
	r.Reply(offered, chain.TxVerdict{ID: q.ID, Code: chain.TxPolicy})
	wantGetTx(t, r, bob, "there is room again", peer.InvTypeWTx, more.WTxID)
	if s := status(r); s.TxsDropped != 5 {
		t.Errorf("%d were dropped, want 5", s.TxsDropped)
	}
	r.Leave()
}

// While catching up, transactions cannot be judged: none is fetched, and what comes is
// dropped. One recent block ends that for good.
func TestNothingIsFetchedWhileCatchingUp(t *testing.T) {
	r := newRig(t, alice)
	tx, id := aTx(1)
	day := DefaultBounds().MaxTipAge
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now.Add(-day - 1)}})
	announce(r, alice, id)
	deliver(r, alice, tx)
	r.WantNothing("the best block is more than a day old")
	r.Give(chain.Tips{Block: chain.Point{Hash: number(2), Time: r.Now.Add(-day)}})
	announce(r, alice, id)
	wantGetTx(t, r, alice, "now it can be judged", peer.InvTypeWTx, id.WTxID)
	r.Advance(48 * time.Hour)
	r.Drop()
	deliver(r, alice, tx)
	steptest.WantAsk[chain.SubmitTx](r, "blocks may take their time")
}

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

func TestNewsPassBlocks(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "a block")
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	news := wantInv(t, r, alice, "the read is under way, so the news go first", b[0].Hash)
	r.Reply(read, chain.Block{Payload: []byte("0")})
	r.WantNothing("one Send at a time")
	r.Reply(news, peer.Sent{})
	wantBlock(t, r, alice, "then the block", "0")
}

func TestL2FailedSends(t *testing.T) {
	r := newRig(t, alice, bob, carol)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.HeadersWanted{Peer: id, Locator: []*chainhash.Hash{&genesis.Hash}})
		_, ask := steptest.WantAsk[chain.GetHeaders](r, "headers")
		r.Reply(ask, chain.Headers{})
	}
	toAlice := wantHeaders(t, r, alice, "alice")
	toBob := wantHeaders(t, r, bob, "bob")
	toCarol := wantHeaders(t, r, carol, "carol")
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 1)})
	}

	r.Fail(toAlice, actor.ErrBusy)
	r.Advance(DefaultBounds().RetryAfter - 1)
	r.WantNothing("not at once")
	r.Advance(1)
	r.Reply(wantHeaders(t, r, alice, "the same message again"), peer.Sent{})
	steptest.WantAsk[chain.GetBlock](r, "and on it goes")

	r.Fail(toBob, actor.ErrTimeout)
	if end := r.WantEnd(bob, "a peer that takes nothing is let go"); end.Reason == "" || end.Fault {
		t.Errorf("%+v: there must be a reason, and slowness is no fault", end)
	}
	r.Fail(toCarol, actor.ErrGone)
	r.WantEnd(carol, "its cell has gone, and the order does no harm")
	r.Give(peer.Gone{Peer: carol})
	r.Give(peer.Gone{Peer: bob})
	r.WantNothing("the others are gone")
	if s := status(r); s.Peers != 1 {
		t.Errorf("%d peers", s.Peers)
	}
}

func TestL7GoneInTheMiddle(t *testing.T) {
	r := newRig(t, alice, bob)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "alice's block")
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	sent := wantInv(t, r, alice, "news", b[0].Hash)
	wantInv(t, r, bob, "news", b[0].Hash)
	r.Give(peer.Gone{Peer: alice})
	r.Reply(read, chain.Block{Payload: []byte("0")})
	r.Fail(sent, actor.ErrGone)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	round(r)
	r.WantNothing("nothing is done for a peer that is gone")
}

func TestL9ASendThatFoundNoSlot(t *testing.T) {
	m, specs := connect(DefaultBounds(), 1)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.Ready{Peer: bob})
	b := grow(r, genesis, 1, 0)
	r.Give(b[0])
	round(r)
	sent := wantInv(t, r, alice, "the only slot", b[0].Hash)
	r.Advance(3 * time.Second)
	r.WantNothing("bob waits")
	r.Fail(sent, actor.ErrTimeout)
	r.WantEnd(alice, "she does not take what she asked for")
	r.Advance(time.Hour)
	r.WantNothing("her cell still owes the answer")
	r.Late(sent)
	wantInv(t, r, bob, "bob, at once", b[0].Hash)
	if m.starved {
		t.Error("everything found a slot, and Check still excuses what waits")
	}
}

func TestStop(t *testing.T) {
	r := newRig(t, alice)
	r.Give(actor.Stop{})
	r.WantFinish("there is nothing to bring in order")
}

// A block that was read while its peer was busy waits. It is the only one, and what is
// more urgent goes before it.
func TestABlockInHandWaitsForItsTurn(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the first block")
	r.Give(b[0])
	round(r)
	first := wantInv(t, r, alice, "news do not wait for the disk", b[0].Hash)
	r.Reply(read, chain.Block{Hash: number(0), Payload: []byte("block")})
	r.WantNothing("one message at a time, and one block in memory")
	r.Give(b[1])
	round(r)
	r.WantNothing("one message at a time")
	r.Reply(first, peer.Sent{})
	second := wantInv(t, r, alice, "news go before blocks", b[1].Hash)
	r.WantNothing("the block waits, so the next one is not read")
	r.Reply(second, peer.Sent{})
	r.Reply(wantBlock(t, r, alice, "now the block", "block"), peer.Sent{})
	steptest.WantAsk[chain.GetBlock](r, "and the next one is read")
}

// The answer to a getheaders goes before news: it is small, and the peer waits for it.
func TestAnAnswerGoesBeforeNews(t *testing.T) {
	r := newRig(t, alice)
	b := grow(r, genesis, 2, 0)
	r.Give(peer.HeadersWanted{Peer: alice, Locator: []*chainhash.Hash{&genesis.Hash}})
	_, read := steptest.WantAsk[chain.GetHeaders](r, "chain knows")
	r.Give(b[0])
	round(r)
	first := wantInv(t, r, alice, "news do not wait for the disk", b[0].Hash)
	r.Reply(read, chain.Headers{})
	r.Give(b[1])
	round(r)
	r.Reply(first, peer.Sent{})
	r.Reply(wantHeaders(t, r, alice, "the answer first"), peer.Sent{})
	wantInv(t, r, alice, "then the news", b[1].Hash)
}

// A stop comes in a batch with the answer that frees a slot. Nothing more is sent.
func TestNothingIsSentAfterStop(t *testing.T) {
	m, specs := connect(DefaultBounds(), 1)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob} {
		r.Give(peer.Ready{Peer: id})
	}
	r.Give(grow(r, genesis, 1, 0)[0])
	round(r)
	_, sent := steptest.WantAsk[peer.Send](r, "one of them is told")
	r.WantNothing("the other one waits for the slot")
	r.StopBeside(sent, peer.Sent{})
	r.WantFinish("it stops")
	r.WantNothing("the slot is free, and nobody is told")
}

// What a peer knows is remembered up to a bound, for blocks and for transactions. The last
// ones count.
func TestL4WhatAPeerKnowsIsForgotten(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxKnown, cfg.Txs.Known.Entries = 2, 2
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	for n := range 9 {
		r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{number(n)}})
		r.Give(peer.TxsAnnounced{Peer: alice, Txs: []peer.TxName{{Hash: number(n)}}})
	}
	p := m.peer(alice)
	for n, want := range map[int]bool{0: false, 7: true, 8: true} {
		if block, tx := p.known.contains(number(n)), p.tells.known.Contains(number(n)); block != want || tx != want {
			t.Errorf("number %d is known: the block %v, the transaction %v, want %v", n, block, tx, want)
		}
	}
}

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

func TestReadsTakeTurns(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 3)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id})
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 3)})
	}
	var order []actor.ID
	for range 9 {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "a read")
		r.Reply(ask, chain.Block{Payload: []byte("x")})
		_, sent := steptest.WantAsk[peer.Send](r, "its block")
		order = append(order, sent.To)
		r.Reply(sent, peer.Sent{})
	}
	for i, id := range order {
		if want := []actor.ID{alice, bob, carol}[i%3]; id != want {
			t.Fatalf("read %d was %v's, want %v's: %v", i, id, want, order)
		}
	}
}

func TestL2FailedReads(t *testing.T) {
	r := newRig(t, alice)
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 2)})
	for i, err := range []error{actor.ErrTimeout, actor.ErrGone, actor.ErrBusy} {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "the first block")
		r.Fail(ask, err)
		if i < 2 {
			r.WantNothing("not at once")
			r.Advance(time.Second)
		}
	}
	_, ask := steptest.WantAsk[chain.GetBlock](r, "three times is enough: the second block")
	r.Reply(ask, chain.Block{Payload: []byte("1")})
	r.Reply(wantBlock(t, r, alice, "the second block", "1"), peer.Sent{})
	wantNotFound(t, r, "the first one", number(0))
}

func TestL9AReadThatFoundNoSlot(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 2)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob} {
		r.Give(peer.Ready{Peer: id})
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 0, 1)})
	}
	_, read := steptest.WantAsk[chain.GetBlock](r, "alice's block")
	r.Fail(read, actor.ErrTimeout)
	r.Advance(time.Minute)
	r.WantNothing("the reader still owes the answer, and holds the only slot")
	if at := m.Deadline(); !at.IsZero() {
		t.Errorf("a clock runs, to %v, though time gives no slot", at)
	}
	r.Late(read)
	_, read = steptest.WantAsk[chain.GetBlock](r, "the slot is used at once")
	r.Reply(read, chain.Block{Payload: []byte("block")})
	_, sent := steptest.WantAsk[peer.Send](r, "the block")
	r.Reply(sent, peer.Sent{})
	_, read = steptest.WantAsk[chain.GetBlock](r, "then the other's")
	r.Reply(read, chain.Block{Payload: []byte("block")})
	steptest.WantAsk[peer.Send](r, "the block")
}

// A failure counts against the read at hand alone.
func TestFailuresDoNotAddUpOverReads(t *testing.T) {
	r := newRig(t, alice)
	cfg := DefaultBounds()
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 3)})
	for i := range 2 {
		for range cfg.ReadAttempts - 1 {
			_, ask := steptest.WantAsk[chain.GetBlock](r, "a try")
			r.Fail(ask, actor.ErrBusy)
			r.WantNothing("a busy reader is left alone")
			r.Advance(cfg.RetryAfter)
		}
		_, ask := steptest.WantAsk[chain.GetBlock](r, "the last try")
		r.Reply(ask, chain.Block{Hash: number(i), Payload: []byte("block")})
		r.Reply(wantBlock(t, r, alice, "it could be read", "block"), peer.Sent{})
	}
	for range cfg.ReadAttempts {
		_, ask := steptest.WantAsk[chain.GetBlock](r, "a try")
		r.Fail(ask, actor.ErrBusy)
		r.Advance(cfg.RetryAfter)
	}
	r.Reply(wantNotFound(t, r, "the reader is not merely busy", number(2)), peer.Sent{})
	if s := status(r); s.BlocksServed != 2 || s.NotFound != 1 {
		t.Errorf("%d served, %d not found", s.BlocksServed, s.NotFound)
	}
}

// An empty headers message says "you have everything". After reads that failed nobody
// knows that, so nothing is said.
func TestAGetheadersThatCannotBeReadIsNotAnswered(t *testing.T) {
	r := newRig(t, alice)
	cfg := DefaultBounds()
	r.Give(peer.HeadersWanted{Peer: alice})
	for range cfg.ReadAttempts {
		_, ask := steptest.WantAsk[chain.GetHeaders](r, "a try")
		r.Fail(ask, actor.ErrBusy)
		r.Advance(cfg.RetryAfter)
	}
	r.WantNothing("silence")
	b := grow(r, genesis, 2, 0)
	r.Give(peer.HeadersWanted{Peer: alice})
	_, ask := steptest.WantAsk[chain.GetHeaders](r, "the next one is read")
	r.Reply(ask, chain.Headers{Headers: []*wire.BlockHeader{&b[0].Header, &b[1].Header}})
	r.Reply(wantHeaders(t, r, alice, "and answered", b...), peer.Sent{})
	if s := status(r); s.HeadersServed != 2 {
		t.Errorf("%d headers served", s.HeadersServed)
	}
}

// With one read at a time, peers take turns, however much each of them wants.
func TestOneReadAtATimeInTurn(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	for _, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.Ready{Peer: id})
	}
	for i, id := range []actor.ID{bob, alice, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 10*i, 2)})
	}
	for _, want := range []actor.ID{bob, carol, alice, bob, carol, alice} {
		q, ask := steptest.WantAsk[chain.GetBlock](r, "the next read")
		r.Reply(ask, chain.Block{Hash: q.Hash, Payload: []byte("block")})
		r.Reply(wantBlock(t, r, want, "whose turn it is", "block"), peer.Sent{})
	}
	r.WantNothing("all are served")

	for i, id := range []actor.ID{alice, bob, carol} {
		r.Give(peer.DataWanted{Peer: id, Items: items(wire.InvTypeBlock, 10*i, 2)})
	}
	for _, want := range []int{0, 10, 20, 1, 11, 21} {
		q, ask := steptest.WantAsk[chain.GetBlock](r, "the next read")
		if q.Hash != number(want) {
			t.Errorf("read %v, want %v: a peer whose blocks are not there has its turn like others", q.Hash, number(want))
		}
		r.Reply(ask, chain.Block{Hash: q.Hash})
	}
	if m.starved {
		t.Error("relay believes that it waits for a slot")
	}
}

// The reads find no slot, since those that timed out are still owed. The question for
// the tip has a slot of its own, and does not hide that the others wait.
func TestAReadThatWaitsIsNotForgottenBesideTheTip(t *testing.T) {
	cfg := DefaultBounds()
	cfg.MaxReads = 1
	m, specs := connect(cfg, 16)
	r := steptest.New(t, m, specs)
	r.Give(peer.Ready{Peer: alice})
	r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
	_, read := steptest.WantAsk[chain.GetBlock](r, "the block")
	r.Fail(read, actor.ErrTimeout)
	r.Advance(cfg.RetryAfter)
	r.WantNothing("its slot is taken until the reader has answered")
	r.Give(actor.Lagged{})
	steptest.WantAsk[chain.GetTips](r, "the tip's slot is free")
	r.Late(read)
	steptest.WantAsk[chain.GetBlock](r, "Freed brings the next chance")
}

package netsync

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestStopFinishes(t *testing.T) {
	u := bareUnit(1, 2) // both are due to be asked for headers
	u.step(actor.Stop{})
	if e := u.out.Effects(); len(e) != 1 || e[0].Kind != actor.Finish {
		t.Fatalf("Stop has the effects %v", e)
	}
	for _, body := range []any{actor.Tick{}, peer.Ready{Peer: 3, Services: services}} {
		if u.step(body); len(u.out.Effects()) > 0 || len(u.ready) != 2 {
			t.Errorf("%T after Stop has the effects %v", body, u.out.Effects())
		}
	}
	if at := u.Deadline(); !at.IsZero() {
		t.Errorf("the clock is set to %v", at)
	}
}

func TestTheStatusSaysSinceWhen(t *testing.T) {
	s := newStory(t, newTree(), nil)
	s.wait(time.Hour)
	if got := stepAnswer[Status](s, s.Rig.Ask(GetStatus{})).Started; !got.Equal(steptest.Epoch) {
		t.Errorf("started at %v", got)
	}
}

func TestNetsyncTakesNoOtherInput(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an input that nobody handles would be lost in silence")
		}
	}()
	bareUnit().step(peer.Send{})
}

func TestAPeerThatSaysItHasNotIsAskedForNoMore(t *testing.T) {
	s, tip := synced(t, 16, nil, 1, 2)
	q := s.wantOrders(1, "the first eight")
	s.serve(2)
	s.give(peer.NotFoundReceived{Peer: 1, Blocks: q})
	s.serve(2)
	s.wantTip(tip, "the other peer was asked at once")
}

// Chain may have been rebuilt: it says its tips again, and waits for blocks.
func TestNewTipsEndThePause(t *testing.T) {
	s, tip := synced(t, 4, nil, 1)
	s.held = is[chain.SubmitBlock]
	s.serve(1)
	for _, h := range s.waiting {
		s.Fail(h.ask, actor.ErrGone)
	}
	s.waiting, s.held = nil, nil
	s.settle()
	if s.c.best == tip {
		t.Fatal("chain is left alone after a failure")
	}
	s.give(s.c.tips())
	s.wantTip(tip, "chain is here again")
}

// What a peer sent before it broke the rules is not worth chain's time.
func TestHeadersOfADroppedPeerAreNotJudged(t *testing.T) {
	u := bareUnit(1)
	one := u.find(1)
	h := u.tr.grow(u.tr.genesis, 1, 1).locate(nil)
	u.headers.enqueue(one, receivedHeaders{headers: h, last: h[0].BlockHash()})
	q := asks[chain.SubmitHeaders](u, func() {
		u.step(peer.HeadersReceived{Peer: 1, Headers: []*wire.BlockHeader{h[0], h[0]}})
	})
	if len(q) > 0 || len(u.ready) > 0 || len(u.headers.queue) > 0 {
		t.Fatalf("chain is asked to judge %v", q)
	}
}

// Nothing but its clock brings a peer back that was left alone.
func TestAPeerThatWasBusyIsSentMoreLater(t *testing.T) {
	u := bareUnit()
	u.step(peer.Ready{Peer: 1}) // a client: it is never asked by itself
	u.find(1).headers.askAt = time.Time{}
	u.find(1).sends.open = 1
	u.report.changed = false
	u.out.Begin(u.now)
	u.sends.onSent(actor.Input{Key: 1, Ticket: 1, Err: actor.ErrBusy})
	if got, want := u.Deadline(), u.now.Add(u.cfg.Retry); !got.Equal(want) {
		t.Fatalf("the clock is set to %v, want %v", got, want)
	}
}

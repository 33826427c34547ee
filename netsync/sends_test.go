package netsync

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// sent notes the end of a peer's Send.
func (u *unit) sent(id actor.ID, ticket actor.Ticket, err error) {
	u.sends.onSent(actor.Input{Key: uint64(id), Ticket: ticket, Err: err})
}

// A Send that did not reach the peer takes its getheaders and its orders with it.
// ErrBusy is about one Send alone: what was sent before it has arrived.
func TestWhatASendThatFailedTakesWithIt(t *testing.T) {
	for _, c := range []struct {
		err   error
		left  int // of three orders, of which one was sent before
		pause time.Duration
	}{
		{nil, 3, 0},
		{actor.ErrBusy, 1, time.Second},
		{actor.ErrGone, 0, 5 * time.Second},
		{actor.ErrTimeout, 0, 5 * time.Second},
	} {
		u := newUnit(9)
		p := u.join(1, 9, time.Millisecond)
		for h := int32(1); h <= 3; h++ {
			ordered(h)(u, p)
			p.orders.list[h-1].sent = actor.Ticket(min(h, 2))
		}
		p.sends.open = 2
		p.headers.ask, p.headers.deadline = askWaiting, u.now.Add(u.cfg.HeadersTimeout)
		u.sent(1, 2, c.err)
		var until time.Time
		if c.pause > 0 {
			until = u.now.Add(c.pause)
		}
		if len(p.orders.list) != c.left || p.sends.open != 0 || !p.sends.pausedUntil.Equal(until) {
			t.Errorf("%v: %d orders are left; nothing is sent until %v", c.err, len(p.orders.list), p.sends.pausedUntil)
		}
		if asked := p.headers.ask == askWaiting; asked != (c.err == nil) {
			t.Errorf("%v: the getheaders is waited for: %v", c.err, asked)
		}
		u.wantSound(t)
	}
}

// A peer that has not read for the time of two Sends in a row is dropped. Its slot stays
// taken until it reads, so it may not take many.
func TestWhoDoesNotReadIsDropped(t *testing.T) {
	const ok, timeout = "", "timeout"
	for _, c := range []struct {
		sends   []string
		dropped bool
	}{
		{[]string{timeout}, false},
		{[]string{timeout, timeout}, true},
		{[]string{timeout, ok, timeout}, false},
		{[]string{timeout, ok, timeout, timeout}, true},
	} {
		u := newUnit(9)
		p := u.join(1, 9, 0)
		for _, s := range c.sends {
			var err error
			if s == timeout {
				err = actor.ErrTimeout
			}
			u.sent(1, 1, err)
		}
		if got := p.why != (actor.End{}); got != c.dropped || p.why.Fault {
			t.Errorf("%q: it is dropped: %v", c.sends, got)
		}
	}
}

// Headers of a peer that is gone are not judged any more.
func TestHeadersOfAGonePeerAreForgotten(t *testing.T) {
	u := newUnit(9)
	u.join(1, 9, 0)
	u.headers.enqueue(u.find(1), receivedHeaders{headers: u.tip.locate(nil)})
	u.sends.onGone(peer.Gone{Peer: 1})
	if len(u.headers.queue) != 0 || len(u.ready) != 0 {
		t.Errorf("%d peers wait for their headers to be judged", len(u.headers.queue))
	}
	u.wantSound(t)
}

// The end of a Send may come after the peer is gone.
func TestASendEndsAfterItsPeer(t *testing.T) {
	u := newUnit(9)
	u.join(1, 9, 0)
	u.sends.onGone(peer.Gone{Peer: 1})
	u.sent(1, 1, actor.ErrGone)
	u.wantSound(t)
}

// A getheaders that found no slot is not taken for one that went out: it goes out when
// there is a slot.
func TestL9AGetheadersThatFoundNoSlotGoesOutLater(t *testing.T) {
	tr := newTree()
	ports, specs := testPorts()
	specs[ports.Send.Index].Window = 1
	s := storyOn(t, tr, DefaultBounds(), ports, specs)
	s.deaf[1] = true
	s.join(1, 2)
	s.wantAsked(1, "it holds the only slot")
	if p := s.m.find(2); s.asked(2) || p.sends.open != 0 || p.headers.ask != askReady {
		t.Fatalf("there is no slot for the second: open is %v, phase %d", p.sends.open, p.headers.ask)
	}
	s.release(nil)
	s.wantAsked(2, "the slot is free")
}

// The first peer is asked, and chain makes its locator, while orders go out to it. The
// getheaders waits for its turn: one Send at a time.
func TestAGetheadersWaitsForTheSend(t *testing.T) {
	u := newUnit(9)
	p := u.join(1, 9, time.Millisecond)
	ordered(1)(u, p)
	flush := func() []peer.Send {
		return asks[peer.Send](u, func() { u.sends.flush(u.ports.Send, u.out) })
	}
	if got := flush(); len(got) != 1 || p.orders.list[0].sent == 0 {
		t.Fatalf("sent is %v", got)
	}
	p.headers.ask = askReady
	if got := flush(); len(got) > 0 || p.headers.ask != askReady {
		t.Errorf("beside a Send that is open %v is sent", got)
	}
	u.sends.onSent(actor.Input{Key: 1})
	if got := flush(); len(got) != 1 || p.headers.ask != askWaiting {
		t.Errorf("when it has ended %v is sent", got)
	}
}

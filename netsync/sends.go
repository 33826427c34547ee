package netsync

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// sends tracks what goes out to the peers. Each has at most one Send open, so
// that a slow reader is never overrun. What comes up meanwhile goes into the next
// one.
type sends struct {
	*facts
	headers *headers
	orders  *orders
}

type remoteSends struct {
	open        actor.Ticket // zero: none
	timeouts    int          // in a row
	pausedUntil time.Time    // nothing is sent until then
}

// flush sends each peer what has come up for it.
func (s *sends) flush(port actor.PortOf[peer.Send, peer.Sent, peer.Peer], out *actor.Outbox) {
	for _, p := range s.ready {
		if !p.canSend(s.now) {
			continue
		}
		fresh := p.orders.unsent()
		msgs := p.messages(fresh)
		if msgs == nil {
			continue
		}
		t, ok := port.Ask(out, peer.To(p.id), uint64(p.id), peer.Send{Msgs: msgs})
		if !ok {
			s.orders.takeBackIf(p, func(o order) bool { return o.sent == 0 })
			continue
		}
		p.sends.open = t
		for i := range fresh {
			fresh[i].sent = t
		}
		s.headers.sent(p)
	}
}

// messages returns what the next Send carries.
func (p *remote) messages(fresh []order) (msgs []wire.Message) {
	if p.headers.ask == askReady {
		msgs = append(msgs, &wire.MsgGetHeaders{
			ProtocolVersion:    wire.ProtocolVersion,
			BlockLocatorHashes: p.headers.locator,
		})
	}
	if len(fresh) > 0 {
		get := wire.NewMsgGetDataSizeHint(uint(len(fresh)))
		for _, o := range fresh {
			get.InvList = append(get.InvList, wire.NewInvVect(wire.InvTypeWitnessBlock, &o.hash))
		}
		msgs = append(msgs, get)
	}
	return msgs
}

// canSend says whether the peer may be sent something now.
func (p *remote) canSend(now time.Time) bool {
	return p.sends.open == 0 && !now.Before(p.sends.pausedUntil)
}

// onSent notes that the peer may be sent more, or that it did not get what it was
// sent.
func (s *sends) onSent(in actor.Input) {
	p := s.find(actor.ID(in.Key))
	if p == nil {
		return
	}
	p.sends.open = 0
	if in.Err == nil {
		p.sends.timeouts = 0
		return
	}
	s.headers.notSent(p)
	if in.Err == actor.ErrBusy { // only this Send was lost
		p.sends.pausedUntil = s.now.Add(s.cfg.Retry)
		s.orders.takeBackIf(p, func(o order) bool { return o.sent == in.Ticket })
		return
	}
	p.sends.pausedUntil = s.now.Add(s.cfg.Pause)
	s.orders.takeBackAll(p)
	if in.Err == actor.ErrTimeout {
		// The peer does not read. Its slot stays taken until it does, so it may
		// not take many.
		if p.sends.timeouts++; p.sends.timeouts >= 2 {
			s.drop(p, "does not read what it is sent", false)
		}
	}
}

// onGone takes back everything that the peer was asked for (law L7).
func (s *sends) onGone(g peer.Gone) {
	if at, found := s.search(g.Peer); found {
		s.letGo(s.ready[at])
		s.ready = slices.Delete(s.ready, at, at+1)
	}
}

// endDropped forgets the peers that were dropped in this step, and orders their
// cells to end. It does not wait for their Gone, which is certain to come.
func (s *sends) endDropped(out *actor.Outbox) {
	s.ready = slices.DeleteFunc(s.ready, func(p *remote) bool {
		if p.why == (actor.End{}) {
			return false
		}
		s.letGo(p)
		out.Log(actor.Info, "dropping a peer", "peer", p.id, "reason", p.why.Reason, "fault", p.why.Fault)
		out.End(p.id, p.why.Reason, p.why.Fault)
		return true
	})
}

// letGo takes back what a peer was asked for. What it has proved goes with it.
func (s *sends) letGo(p *remote) {
	s.orders.takeBackAll(p)
	s.headers.forget(p)
}

func (s *sends) deadlines(d *actor.Earliest) {
	for _, p := range s.ready {
		d.Add(p.sends.pausedUntil)
	}
}

package netsync

import (
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// statusEvery is the least time between two publications of the Status.
const statusEvery = time.Second

// report tracks what the Status shows and what was published.
type report struct {
	*facts
	headers *headers
	span    *span
	route   *route
	orders  *orders
	submits *submits

	started time.Time
	changed bool      // the Status may differ from last
	at      time.Time // when it was last published or, while a rate runs, looked at
	last    Status
}

// status is the Status as it is now.
func (r *report) status() Status {
	s := Status{
		Phase: r.phase(), Tips: r.tips, Peers: len(r.ready),
		InFlight: r.orders.inFlight(), Held: r.span.held, HeldBytes: r.span.heldBytes,
		Blocks: r.submits.connected, Bytes: r.orders.bytes, Stalls: r.orders.stalls,
		BlockRate: r.submits.meter.rate(r.now), HeaderRate: r.headers.meter.rate(r.now),
		Started: r.started,
	}
	for _, p := range r.ready {
		if better(p.best, s.Target) {
			s.Target = p.best
		}
	}
	return s
}

// phase is derived from what the peers have answered and proved.
func (r *report) phase() Phase {
	more, ranOut := r.headers.survey()
	switch {
	case len(r.ready) == 0:
		return Idle
	case more || !ranOut && !r.headers.recent():
		return Headers
	case r.route.target != chain.Point{}:
		return Blocks
	}
	return Following
}

// peers answers GetPeers.
func (r *report) peers() Peers {
	var all Peers
	for _, p := range r.ready {
		s := PeerStatus{Peer: p.id, SyncedHeaders: -1, SyncedBlocks: -1}
		if p.best != (chain.Point{}) {
			s.SyncedHeaders = p.common.Height
			s.SyncedBlocks = min(p.common.Height, r.tips.Block.Height)
		}
		for _, o := range p.orders.list {
			s.InFlight = append(s.InFlight, o.height)
		}
		all.Peers = append(all.Peers, s)
	}
	return all
}

// due is when the Status may be published next; zero: nothing has changed.
func (r *report) due() time.Time {
	if !r.changed {
		return time.Time{}
	}
	return r.at.Add(statusEvery)
}

// publish publishes the Status if it has changed, once chain's tips are known. It
// publishes at most once a second. As long as a rate is above zero, the Status
// changes by itself.
func (r *report) publish(topics Topics, out *actor.Outbox) {
	if r.tips == (chain.Tips{}) {
		return
	}
	if r.changed && r.now.Before(r.due()) {
		return // what it is by then counts
	}
	s := r.status()
	r.changed = r.changed || s != r.last
	if !r.changed || r.now.Before(r.due()) {
		return
	}
	r.at = r.now
	r.changed = s.BlockRate > 0 || s.HeaderRate > 0
	if s != r.last {
		r.last = s
		topics.Status.Set(out, 0, s)
	}
}

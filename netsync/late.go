package netsync

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// hastened is for how many of the first wanted blocks a second peer may be asked
// at the same time. So many are skipped in a round trip when silent strangers
// have their orders. More would be downloaded twice from peers that are only slow.
const hastened = 16

// hasten asks a second peer for the block that all wait for when it is late, and
// for the blocks behind it whose peer has not delivered anything meanwhile. It
// does so only when nothing else can be ordered.
func (o *orders) hasten() {
	o.hastenAt = time.Time{}
	q, head := o.span.head()
	if head == nil {
		return
	}
	if q := o.span.firstFree(); q < o.span.end() && o.affordable(q) {
		return // there is other work to do
	}
	next := actor.EarliestAfter(o.now)
	for n := 0; n < hastened && q < o.span.end(); q++ {
		e := o.span.entry(q)
		if e.state != wanted {
			continue
		}
		n++
		if e.by[0] == 0 || e.by[1] != 0 {
			continue
		}
		due := e.since.Add(o.cfg.UrgentAfter)
		if p := o.find(e.by[0]); n > 1 && p != nil && p.orders.progress.After(e.since) {
			due = p.orders.progress.Add(o.cfg.UrgentAfter)
		}
		next.Add(due)
		if !o.now.Before(due) {
			o.orderSecond(q, n == 1)
		}
	}
	o.hastenAt = next.At()
}

// orderSecond orders a block from a second peer. For the block that all wait for
// that may be any peer, and one order beyond its limit is allowed. For others the
// peer must have delivered something before.
func (o *orders) orderSecond(seq int, head bool) {
	e := o.span.entry(seq)
	var others []*remote
	for _, p := range o.ready {
		n := len(p.orders.list)
		room := n < p.orders.limit && p.orders.rate.blocks > 0
		if head {
			room = n <= o.cfg.MaxInFlight
		}
		if room && p.id != e.by[0] && o.route.on(p) && p.mayOrder(o.now) {
			others = append(others, p)
		}
	}
	if p := soonest(others, e.at.Height); p != nil {
		o.order(p, seq)
	}
}

// due is when the peer's next block is late: its time per block with a wide
// margin, and more after each stall, for it may just be slow.
func (o *orders) due(p *remote) time.Time {
	return p.orders.progress.Add(max(o.cfg.OrderTimeout, 4*p.orders.rate.perBlock()) << min(p.orders.stalls, 3))
}

// expire takes back the orders of peers that are late.
func (o *orders) expire() {
	for _, p := range o.ready {
		if len(p.orders.list) == 0 || o.now.Before(o.due(p)) {
			continue
		}
		if n := o.takeBackAll(p); n > 0 {
			o.stalls += uint64(n)
			o.stall(p, "does not deliver blocks")
		}
	}
}

// onNotFound takes orders back that the peer cannot fulfil. It counts as a stall:
// a peer that never has what it proved is of no use.
func (o *orders) onNotFound(n peer.NotFoundReceived) {
	p := o.find(n.Peer)
	if p == nil {
		return
	}
	lacks := make(map[chainhash.Hash]bool, len(n.Blocks))
	for _, h := range n.Blocks {
		lacks[h] = true
	}
	if o.takeBackIf(p, func(w order) bool { return lacks[w.hash] }) > 0 {
		o.stall(p, "does not have the blocks that it has proved")
	}
}

// stall halves what the peer may have in flight, and lets it rest: other peers get
// what was taken back.
func (o *orders) stall(p *remote, why string) {
	r := &p.orders
	r.stalls++
	r.limit = max(r.limit/2, o.cfg.MinInFlight)
	r.restUntil = o.now.Add(o.cfg.Pause)
	if r.stalls >= o.cfg.MaxStalls {
		o.drop(p, why, false)
	}
}

// takeBackAll takes back all orders of a peer and returns how many of them were
// still waited for.
func (o *orders) takeBackAll(p *remote) int {
	return o.takeBackIf(p, func(order) bool { return true })
}

func (o *orders) takeBackIf(p *remote, late func(order) bool) (waitedFor int) {
	r := &p.orders
	kept := r.list[:0]
	for _, w := range r.list {
		if !late(w) {
			kept = append(kept, w)
			continue
		}
		waitedFor += btoi(o.span.takeBack(w.hash, p.id))
	}
	r.list = kept
	return waitedFor
}

func (o *orders) deadlines(d *actor.Earliest) {
	d.Add(o.hastenAt)
	for _, p := range o.ready {
		d.Add(p.orders.restUntil)
		if len(p.orders.list) > 0 {
			d.Add(o.due(p))
		}
	}
}

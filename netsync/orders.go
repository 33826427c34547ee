package netsync

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// orders tracks which peers were asked for which blocks of the span, and how fast
// they deliver. late.go has what happens when they do not.
type orders struct {
	*facts
	span  *span
	route *route

	avgSize  float64   // of the last blocks, bytes of memory
	hastenAt time.Time // a second peer is asked for a late block then; zero: for none

	bytes  uint64 // of blocks received
	stalls uint64 // orders taken back for being late
}

type remoteOrders struct {
	list      []order   // in the order made; the last ones may not have been sent
	limit     int       // how many there may be
	progress  time.Time // when the last block came, or the first order was made
	rate      rate
	stalls    int       // in a row
	restUntil time.Time // no orders until then
}

// order is a block that a peer has been asked for.
type order struct {
	hash   chainhash.Hash
	height int32
	sent   actor.Ticket // of the Send that it is in; zero: it has not been sent
}

func (r *remoteOrders) index(h chainhash.Hash) int {
	return slices.IndexFunc(r.list, func(o order) bool { return o.hash == h })
}

// unsent returns the orders that the next Send carries.
func (r *remoteOrders) unsent() []order {
	n := len(r.list)
	for n > 0 && r.list[n-1].sent == 0 {
		n--
	}
	return r.list[n:]
}

// inFlight is how many orders all peers have.
func (o *orders) inFlight() (n int) {
	for _, p := range o.ready {
		n += len(p.orders.list)
	}
	return n
}

// mayOrder says whether blocks may be ordered from the peer now. A peer that was
// late with them rests, and can still be asked for headers.
func (p *remote) mayOrder(now time.Time) bool {
	return p.canSend(now) && !now.Before(p.orders.restUntil)
}

// plan orders blocks as long as there are peers for them. When the quick ones have
// no room left, it is the turn of those that have not delivered anything yet.
func (o *orders) plan() {
	for o.orderSome() {
	}
	o.hasten()
}

// orderSome orders blocks: the lowest first, each from the peer that will have
// delivered it soonest. It returns whether there were any.
func (o *orders) orderSome() (ordered bool) {
	free, lowest, highest := o.freePeers()
	for q := o.span.firstFree(); q < o.span.end() && len(free) > 0 && o.span.unordered > 0; q++ {
		e := o.span.entry(q)
		if e.at.Height < lowest {
			continue
		}
		if e.at.Height > highest || !o.affordable(q) {
			break
		}
		if e.state != wanted || e.by[0] != 0 {
			continue
		}
		if p := soonest(free, e.at.Height); p != nil {
			o.order(p, q)
			ordered = true
			if len(p.orders.list) >= p.orders.limit {
				free = slices.DeleteFunc(free, func(f *remote) bool { return f == p })
			}
		}
	}
	return ordered
}

// freePeers returns the peers that can take another order, and the heights
// between which one of them has blocks of the path.
//
// Peers that have not delivered anything yet are not among them as long as one
// that is known to be quick has room. They may be many, and all silent.
func (o *orders) freePeers() (free []*remote, lowest, highest int32) {
	if o.span.unordered == 0 {
		return nil, 0, noShared
	}
	first, last := o.span.entry(o.span.firstFree()).at.Height, o.span.last().at.Height
	quick := false
	for _, p := range o.ready {
		if len(p.orders.list) >= p.orders.limit || !o.route.on(p) || p.route.shared < first || p.lowest() > last {
			continue
		}
		quick = quick || p.quick(o.now) && p.has(first)
		if p.mayOrder(o.now) {
			free = append(free, p)
		}
	}
	if quick {
		free = slices.DeleteFunc(free, func(p *remote) bool { return p.orders.rate.blocks == 0 })
	}
	lowest, highest = math.MaxInt32, noShared
	for _, p := range free {
		lowest, highest = min(lowest, p.lowest()), max(highest, p.route.shared)
	}
	return free, lowest, highest
}

// quick says whether the peer delivers blocks, faster than a peer without history
// is taken to, and may be given orders as soon as the Send under way has ended. If
// that does not end, its orders are late, and it is not quick any more.
func (p *remote) quick(now time.Time) bool {
	r := &p.orders
	return r.rate.perBlock() < unmeasured && r.stalls == 0 &&
		!now.Before(p.sends.pausedUntil) && (p.sends.open == 0 || len(r.list) > 0)
}

// soonest returns the peer that has the block at a height and that would have
// delivered it first, judging by its queue and its rate.
func soonest(peers []*remote, height int32) *remote {
	var best *remote
	var cost time.Duration
	for _, p := range peers {
		if !p.has(height) {
			continue
		}
		if c := time.Duration(len(p.orders.list)+1) * p.orders.rate.perBlock(); best == nil || c < cost {
			best, cost = p, c
		}
	}
	return best
}

// affordable says whether a block may be ordered with regard to the bytes that
// are held and expected. What chain needs next always may. A block that has come
// from another peer meanwhile is not expected any more, though its order stands.
func (o *orders) affordable(seq int) bool {
	expected := o.span.heldBytes + int(float64(o.span.ordered+1)*max(o.avgSize, 1024))
	return expected <= o.cfg.HeldBytes || o.span.isNext(seq)
}

func (o *orders) order(p *remote, seq int) {
	at := o.span.entry(seq).at
	o.span.order(seq, p.id, o.now)
	r := &p.orders
	if r.index(at.Hash) >= 0 {
		return // an earlier order is still on its way
	}
	if len(r.list) == 0 {
		r.progress = o.now
	}
	r.list = append(r.list, order{hash: at.Hash, height: at.Height})
}

// onBlock takes the first copy of a wanted block from any peer that was asked for
// it, even if the order has been taken back since. It returns the remote if the
// block is an announcement: it was not asked for, and may be new.
//
// An unasked copy displaces nothing. Its body may be anything. If it were kept, good
// copies from the peers that were asked would be thrown away until chain has judged
// it (as in CVE-2024-52921).
func (o *orders) onBlock(b peer.BlockReceived) (announces *remote) {
	p := o.find(b.Peer)
	if p == nil {
		return nil
	}
	size := len(b.Payload)
	o.bytes += uint64(size)
	asked := o.fulfil(p, b) || b.Asked
	e := o.span.find(b.Hash)
	switch {
	case !asked && (e == nil || e.at.Work.Cmp(p.best.Work) > 0):
		return p
	case !asked:
		return nil
	case e == nil:
		o.route.aside.came(b.Hash)
	case e.state == wanted:
		p.delivers()
		o.span.hold(b.Hash, b.Payload, p.id, o.cfg.HeldBytes)
	}
	o.avgSize += (float64(size) - o.avgSize) / 16
	return nil
}

// fulfil removes the order that a block fulfils, and learns from it how fast the
// peer is.
func (o *orders) fulfil(p *remote, b peer.BlockReceived) bool {
	r := &p.orders
	i := r.index(b.Hash)
	if i < 0 {
		return false
	}
	r.list = slices.Delete(r.list, i, i+1)
	r.rate.add(o.now.Sub(r.progress))
	r.progress = o.now
	p.delivers()
	switch goal := o.goal(p); {
	case r.limit < goal:
		r.limit++ // doubles in a round trip
	case r.limit > goal:
		r.limit--
	}
	return true
}

// delivers forgives a peer that delivers a block what it was late with.
func (p *remote) delivers() { p.orders.stalls, p.headers.late = 0, 0 }

// goal is how many blocks a peer should have in flight: what it delivers in the
// lookahead, but no more than while all peers together work off half of the span.
// A slow peer with more would hold the span up for the quick ones.
func (o *orders) goal(p *remote) int {
	perSecond := 0.0
	for _, q := range o.ready {
		if q.orders.rate.blocks > 0 {
			perSecond += 1 / q.orders.rate.perBlock().Seconds()
		}
	}
	share := float64(o.cfg.Span) / 2 / perSecond / p.orders.rate.perBlock().Seconds()
	goal := min(p.orders.rate.inFlight(), int(share))
	return min(max(goal, o.cfg.MinInFlight), o.cfg.MaxInFlight)
}

// check verifies that the span and the peers agree on what was asked of whom, and
// that the budgets hold.
func (o *orders) check() error {
	attached := 0
	for _, p := range o.ready {
		r := &p.orders
		unsent := 0
		for _, w := range r.list {
			unsent += btoi(w.sent == 0)
			if e := o.span.find(w.hash); e != nil && (e.by[0] == p.id || e.by[1] == p.id) {
				attached++
			}
		}
		if unsent != len(r.unsent()) || len(r.list) > o.cfg.MaxInFlight+1 || r.limit < 1 || r.limit > o.cfg.MaxInFlight {
			return fmt.Errorf("peer %v: limit %d, %d orders, %d not sent, %d of them last",
				p.id, r.limit, len(r.list), unsent, len(r.unsent()))
		}
	}
	biggest := 0
	for i := range o.span.entries {
		e := &o.span.entries[i]
		if e.state == held {
			biggest = max(biggest, e.size)
		}
		for _, id := range e.by {
			if id == 0 {
				continue
			}
			attached--
			if o.find(id) == nil {
				return fmt.Errorf("block %d is ordered from %v, which is not there", e.at.Height, id)
			}
		}
	}
	if attached != 0 {
		return fmt.Errorf("the span and the peers' orders differ by %d", attached)
	}
	// What chain could not judge yet comes back on top of the budget.
	if o.span.heldBytes > max(o.cfg.HeldBytes, biggest)+max(o.cfg.SubmitBytes, biggest) {
		return fmt.Errorf("%d bytes held", o.span.heldBytes)
	}
	return nil
}

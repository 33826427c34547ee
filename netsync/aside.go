package netsync

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Any peer can prove a header with more work than our tip and keep its block. Such
// peers must not keep us from a branch that others serve, however often they come
// back. So a block that did not come is set aside for a while, with all the points
// that can only be reached through it. It is remembered by its hash, not by the
// peer that proved it. What is set aside is tried last, but it is tried:
// chooseTarget still takes it when there is nothing else (law L9).

const (
	// asideFirst is how long a block is set aside the first time. It is enough to
	// catch up on another branch at the tip. It doubles with each time.
	asideFirst = 30 * time.Second
	// asideDoublings bounds that at 16 minutes. So a branch whose only server is
	// slow is tried a few times an hour.
	asideDoublings = 5
	// patienceDoublings bounds the wait for a block that did come once, but too
	// late: at a minute and a half.
	patienceDoublings = 3
	// maxAside is how many blocks are remembered, and how many points that can
	// only be reached through one. A block costs its prover the work of one at
	// our tip. A point that was forgotten costs us one look at its path.
	maxAside = 64
)

// asideList remembers blocks that did not come, the oldest first. It remembers
// them when the peers that proved them are gone.
type asideList struct {
	blocks []asideBlock
	points []asidePoint
}

type asideBlock struct {
	hash  chainhash.Hash
	until time.Time // remembered after that too, for what follows
	times int       // that it was set aside
	late  int       // copies that came when we had turned elsewhere
}

// asidePoint is a proved point and the block on the way to it.
type asidePoint struct{ point, block chainhash.Hash }

func (l *asideList) find(block chainhash.Hash) *asideBlock {
	i := slices.IndexFunc(l.blocks, func(b asideBlock) bool { return b.hash == block })
	if i < 0 {
		return nil
	}
	return &l.blocks[i]
}

// has says whether a block is set aside now.
func (l *asideList) has(now time.Time, block chainhash.Hash) bool {
	b := l.find(block)
	return b != nil && now.Before(b.until)
}

// any says whether any block is set aside now.
func (l *asideList) any(now time.Time) bool {
	return slices.ContainsFunc(l.blocks, func(b asideBlock) bool { return now.Before(b.until) })
}

// add sets a block aside. If it is set aside already, that stands.
func (l *asideList) add(now time.Time, block chainhash.Hash) {
	if l.has(now, block) {
		return
	}
	b := asideBlock{hash: block}
	if was := l.find(block); was != nil {
		b = *was
	}
	b.until = now.Add(asideFirst << min(b.times, asideDoublings))
	b.times++
	l.done(block)
	l.blocks = append(l.blocks[max(0, len(l.blocks)-maxAside+1):], b)
}

// done forgets a block that chain has. What lies beyond it is as good as any.
func (l *asideList) done(block chainhash.Hash) {
	l.blocks = slices.DeleteFunc(l.blocks, func(b asideBlock) bool { return b.hash == block })
}

// came notes a copy that came too late. Its server is slow, and the next wait is
// longer.
func (l *asideList) came(block chainhash.Hash) {
	if b := l.find(block); b != nil {
		b.late++
	}
}

// link notes that a point can only be reached through a block.
func (l *asideList) link(point, block chainhash.Hash) {
	l.points = slices.DeleteFunc(l.points, func(o asidePoint) bool { return o.point == point })
	l.points = append(l.points[max(0, len(l.points)-maxAside+1):], asidePoint{point, block})
}

// before returns the block on the way to a point that was once set aside, or
// zero.
func (l *asideList) before(point chainhash.Hash) chainhash.Hash {
	i := slices.IndexFunc(l.points, func(p asidePoint) bool { return p.point == point })
	if i < 0 {
		return chainhash.Hash{}
	}
	return l.points[i].block
}

// awaited is the block that all held ones wait for.
type awaited struct {
	hash     chainhash.Hash
	since    time.Time // when it was first asked for while all waited for it; zero: not yet
	unserved time.Time // since when nobody can serve the head of the span; zero: somebody can
}

// headDue is when the block that all wait for is set aside if it does not come:
// two peers will have had the time of an order.
func (r *route) headDue() time.Time {
	if r.head.since.IsZero() {
		return time.Time{}
	}
	patience := r.cfg.OrderTimeout + r.cfg.UrgentAfter
	if b := r.aside.find(r.head.hash); b != nil {
		patience <<= min(b.late, patienceDoublings)
	}
	return r.head.since.Add(patience)
}

// unservedDue is when the target is given up because nobody can serve its next block.
func (r *route) unservedDue() time.Time {
	if r.head.unserved.IsZero() {
		return time.Time{}
	}
	return r.head.unserved.Add(r.cfg.OrderTimeout)
}

// watchHead notes since when all wait for a block that was asked for, and since when
// nobody here can serve it.
func (r *route) watchHead() {
	_, e := r.span.head()
	if e != nil && e.at.Hash != r.head.hash {
		r.head.hash, r.head.since = e.at.Hash, time.Time{}
	}
	if e != nil && e.by[0] != 0 && r.head.since.IsZero() {
		r.head.since = r.now
	}
	if !r.unserved(e) {
		r.head.unserved = time.Time{}
	} else if r.head.unserved.IsZero() {
		r.head.unserved = r.now
	}
}

// unserved says whether nobody here can serve the block that all wait for.
func (r *route) unserved(e *entry) bool {
	return e != nil && e.by[0] == 0 &&
		!slices.ContainsFunc(r.ready, func(p *remote) bool { return r.on(p) && p.has(e.at.Height) })
}

// leaveUnserved gives up the target when nobody here has been able to serve its next
// block for a while: the branch was proved by headers alone.
func (r *route) leaveUnserved(out *actor.Outbox) {
	due := r.unservedDue()
	if due.IsZero() || r.now.Before(due) {
		return
	}
	if _, e := r.span.head(); r.unserved(e) {
		r.setAside(e.at, out)
		r.abandon("nobody serves its blocks", out)
	}
}

// setLateAside sets the block that all wait for aside when it is late and somebody
// serves a branch that, for all we know, does not lead through it. That branch may
// be set aside too: it may have been no worse. A branch that leads through a block
// that is set aside already is left at once. It returns whether there was one.
func (r *route) setLateAside(out *actor.Outbox) bool {
	_, e := r.span.head()
	if e == nil || r.path.to.Hash != r.target.Hash {
		return false
	}
	due, least := r.headDue(), rankAside
	late := r.head.hash == e.at.Hash && !due.IsZero() && !r.now.Before(due)
	if r.aside.has(r.now, e.at.Hash) {
		late, least = true, rankUntried
	}
	late = late && slices.ContainsFunc(r.ready, func(p *remote) bool {
		return r.rank(p) >= least && !r.through(p, e.at.Height)
	})
	if late {
		r.setAside(e.at, out)
	}
	return late
}

func (r *route) setAside(block chain.Point, out *actor.Outbox) {
	out.Log(actor.Info, "setting a block aside that nobody delivers", "block", block.Hash, "height", block.Height)
	r.aside.add(r.now, block.Hash)
	for _, p := range r.ready {
		if r.through(p, block.Height) {
			p.route.behind = block.Hash
			r.aside.link(p.best.Hash, block.Hash)
		}
	}
}

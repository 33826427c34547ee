package netsync

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// route tracks the target, the path there, how far the peers share it (forks.go)
// and the blocks that are set aside (aside.go).
type route struct {
	*facts
	span *span

	target chain.Point // the best point with more work than our best block that a peer has proved
	path   path
	forks  forksQuestion
	aside  asideList
	head   awaited
}

// path is the way to a target: the blocks that the span holds or will hold.
type path struct {
	to       chain.Point    // where it leads; zero: no path
	last     chainhash.Hash // the last block that was appended to the span; zero: none yet
	complete bool           // the span reaches to the end of the path
	stale    bool           // chain is to be asked for the whole path again, from our best block
	retryAt  time.Time      // no question before then
	empty    int            // times in a row that nothing was missing

	q chain.GetPath // that chain was asked and has not answered; zero: none
}

// remoteRoute is how far a peer's branch is the same as the path.
type remoteRoute struct {
	behind   chainhash.Hash // a block on the way to the point that was once set aside; zero: none is known
	shared   int32          // up to this height the peer has the blocks of a path; noShared: it has none
	sharedTo chainhash.Hash // ... of the path to this
	sharedOf chainhash.Hash // ... when this was its best point
}

// noShared is the height of a path that shares nothing with a peer's branch.
const noShared = -1

// better says whether a should be preferred to b as a target: by work, never by
// height, then by hash so that the choice does not depend on which came first.
func better(a, b chain.Point) bool {
	return cmp.Or(a.Work.Cmp(b.Work), bytes.Compare(b.Hash[:], a.Hash[:])) > 0
}

// aim chooses the target, and another one if the block that all wait for on the way
// there is late.
func (r *route) aim(out *actor.Outbox) {
	r.leaveUnserved(out)
	r.chooseTarget()
	if r.setLateAside(out) {
		r.chooseTarget()
	}
}

// chooseTarget picks the point with the most work that a connected peer has
// proved. What is set aside comes last. No target is a latch: when the peers that
// proved it are gone, it is no longer chosen.
func (r *route) chooseTarget() {
	r.target = chain.Point{}
	best := rankUseless
	for _, p := range r.ready {
		k := r.rank(p)
		if k > best || k == best && k > rankUseless && better(p.best, r.target) {
			r.target, best = p.best, k
		}
	}
}

// rank is how willingly a peer's point is chosen as the target.
type rank int

const (
	rankUseless rank = iota // it has no more work than our best block, or no blocks come with it
	rankAside               // a block on the way to it is set aside
	rankUntried             // something is set aside, and the peer has not delivered anything yet
	rankGood
)

// rank ranks a peer's point. As long as blocks are withheld, the peers that have
// delivered some come first: a new branch costs a liar no more than the last.
func (r *route) rank(p *remote) rank {
	switch {
	case !p.blocks || p.best.Work.Cmp(r.tips.Block.Work) <= 0:
		return rankUseless
	case len(r.aside.blocks) == 0:
		return rankGood // as in nearly every step
	case r.aside.has(r.now, p.route.behind):
		return rankAside
	case p.orders.rate.blocks == 0 && r.aside.any(r.now):
		return rankUntried
	}
	return rankGood
}

// proved looks up what is known of the way to a point that a peer has proved.
func (r *route) proved(p *remote) { p.route.behind = r.aside.before(p.best.Hash) }

// plan asks chain what it takes to know the path to the target. idle says that
// chain has judged all that we submitted.
func (r *route) plan(ports *Ports, idle bool, out *actor.Outbox) {
	if r.target == (chain.Point{}) {
		return
	}
	if r.path.to.Hash != r.target.Hash && r.span.len() == 0 {
		r.turnTo(r.target)
	}
	r.relate(ports.Forks, out)
	r.askPath(ports.Path, idle, out)
}

// turnTo makes the span lead to a new target. What it holds is on the way.
func (r *route) turnTo(to chain.Point) {
	r.path.to, r.path.complete, r.path.empty = to, false, 0
	r.head.unserved = time.Time{}
	if r.span.len() == 0 {
		r.path.last, r.path.stale, r.path.retryAt = chainhash.Hash{}, false, time.Time{}
	}
}

// askPath asks for the blocks that the span lacks.
func (r *route) askPath(port actor.Port[chain.GetPath, chain.Path], idle bool, out *actor.Outbox) {
	p := &r.path
	if p.q.Max > 0 || p.to.Hash != r.target.Hash || r.now.Before(p.retryAt) {
		return
	}
	q := chain.GetPath{To: p.to.Hash, Max: r.cfg.Span}
	room := r.cfg.Span - r.span.len()
	switch {
	case p.stale:
	case !p.complete && room >= max(r.cfg.Span/4, 1):
		q.After, q.Max = p.last, room
	case r.span.len() == 0 && idle:
		// All was delivered, and yet our best block has less work. Chain's tips
		// may be on their way. If not, ask again.
		r.rebuild(r.now.Add(r.cfg.Retry))
		return
	default:
		return
	}
	if _, ok := port.Ask(out, 0, q); ok {
		p.q = q
	}
}

// rebuild has chain asked for the whole path again.
func (r *route) rebuild(at time.Time) { r.path.stale, r.path.retryAt = true, at }

// onPath extends or replaces the span.
func (r *route) onPath(in actor.Input, a chain.Path, out *actor.Outbox) {
	p := &r.path
	q := p.q
	p.q, p.retryAt = chain.GetPath{}, time.Time{}
	if in.Err != nil {
		p.retryAt = r.now.Add(r.cfg.Retry)
		return
	}
	if q.To != p.to.Hash {
		return // we have turned since
	}
	if !a.Known {
		r.abandon("the target is not known to chain any more", out)
		return
	}
	whole := q.After == chainhash.Hash{}
	if p.stale != whole && r.span.len() > 0 || !whole && q.After != p.last {
		return // the span has been cut since
	}
	if whole {
		r.span.replace(a.Missing)
		p.stale, p.last = false, chainhash.Hash{}
	} else {
		r.span.extend(a.Missing)
	}
	p.complete = len(a.Missing) < q.Max
	if n := len(a.Missing); n > 0 {
		p.last, p.empty = a.Missing[n-1].Hash, 0
		p.complete = p.complete || p.last == p.to.Hash
	} else if r.span.len() == 0 {
		if p.empty++; p.empty >= 3 {
			r.abandon("nothing is missing on the way to the target, but chain does not go there", out)
		}
	}
}

// onTips looks at tips that chain has moved to. If they did not move by a block of
// ours, some of the span's blocks may have come by another way, such as RPC.
func (r *route) onTips(t chain.Tips, ours bool) {
	if t.Block.Hash != r.tips.Block.Hash && r.span.len() > 0 && !ours {
		r.path.stale = true
	}
	if r.path.stale {
		r.path.retryAt = r.now
	}
}

// abandon gives up the target. The peers that proved it have to prove it again.
func (r *route) abandon(why string, out *actor.Outbox) {
	out.Log(actor.Info, "giving up a target", "target", r.path.to.Hash, "height", r.path.to.Height, "reason", why)
	for _, p := range r.ready {
		if p.best.Hash == r.path.to.Hash {
			r.unprove(p)
		}
	}
	r.leave()
}

// refuse gives up the path if it leads through a block that chain has refused.
// Headers beyond that block prove nothing any more.
func (r *route) refuse(block chain.Point) {
	if r.span.find(block.Hash) == nil {
		return // another path by now
	}
	for _, p := range r.ready {
		if r.through(p, block.Height) {
			r.unprove(p)
		}
	}
	r.leave()
}

// leave forgets the path and the span. Blocks in flight become orders that nobody
// waits for.
func (r *route) leave() {
	r.path = path{q: r.path.q}
	r.head.unserved = time.Time{}
	r.span.clear()
}

func (r *route) deadlines(d *actor.Earliest) {
	d.Add(r.path.retryAt, r.forks.retryAt, r.headDue(), r.unservedDue())
	for _, b := range r.aside.blocks {
		d.Add(b.until)
	}
}

func (r *route) check() error {
	if r.span.len() > r.cfg.Span {
		return fmt.Errorf("a span of %d blocks", r.span.len())
	}
	if len(r.forks.hashes) > chain.MaxForks || len(r.forks.peers) > len(r.forks.hashes) {
		return fmt.Errorf("asked for the forks of %d points and %d peers", len(r.forks.hashes), len(r.forks.peers))
	}
	if len(r.aside.blocks) > maxAside || len(r.aside.points) > maxAside {
		return errors.New("too much is set aside")
	}
	return r.span.check()
}

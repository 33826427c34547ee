package netsync

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// forksQuestion is what chain is asked about forks from the path to a target: of
// the span, if it leads elsewhere, and of the peers' best points.
type forksQuestion struct {
	to      chain.Point
	turning bool             // the first hash is the end of the span
	peers   []actor.ID       // whose best points follow
	hashes  []chainhash.Hash // empty: nothing is asked
	retryAt time.Time        // no question before then
}

// relate finds out up to where each peer's branch is the path, and where the span
// leaves the way to a new target.
func (r *route) relate(port actor.Port[chain.GetForks, chain.Forks], out *actor.Outbox) {
	q := forksQuestion{to: r.target, turning: r.path.to.Hash != r.target.Hash}
	ask := len(r.forks.hashes) == 0 && !r.now.Before(r.forks.retryAt)
	if q.turning && ask {
		q.hashes = append(q.hashes, r.span.last().at.Hash)
	}
	for _, p := range r.ready {
		switch {
		case p.best == chain.Point{}:
		case p.best.Hash == r.path.to.Hash:
			p.share(r.path.to.Height, r.path.to.Hash)
		case ask && (p.route.sharedTo != r.target.Hash || p.route.sharedOf != p.best.Hash) && len(q.hashes) < chain.MaxForks:
			q.peers = append(q.peers, p.id)
			q.hashes = append(q.hashes, p.best.Hash)
		}
	}
	if len(q.hashes) == 0 {
		return
	}
	if _, ok := port.Ask(out, 0, chain.GetForks{To: q.to.Hash, Hashes: q.hashes}); ok {
		r.forks = q
	}
}

// share notes up to which height the peer has the blocks of a path.
func (p *remote) share(height int32, to chainhash.Hash) {
	p.route.shared, p.route.sharedTo, p.route.sharedOf = height, to, p.best.Hash
}

// onForks turns the span to the target that was asked about, and notes what the
// peers share with the path there.
func (r *route) onForks(f chain.Forks) {
	q := r.forks
	r.forks = forksQuestion{}
	if len(f.Points) != len(q.hashes) || len(f.Shared) != len(q.hashes) { // it failed, or chain is closing
		r.forks.retryAt = r.now.Add(r.cfg.Retry)
		return
	}
	if q.turning {
		if r.span.len() > 0 && r.target != (chain.Point{}) && r.path.to.Hash != r.target.Hash {
			r.turn(q, f.Points[0], f.Shared[0])
		}
		f.Points, f.Shared, q.hashes = f.Points[1:], f.Shared[1:], q.hashes[1:]
	}
	for i, id := range q.peers {
		p := r.find(id)
		switch {
		case p == nil || p.best.Hash != q.hashes[i] || r.path.to.Hash != q.to.Hash:
		case f.Points[i] == chain.Point{}:
			r.unprove(p) // chain was rebuilt and does not know it any more
		default:
			p.share(f.Shared[i].Height, q.to.Hash)
		}
	}
}

// turn makes a span that is not empty lead to a new target. What lies above the
// last block that is on the way there too is dropped.
func (r *route) turn(q forksQuestion, end, shared chain.Point) {
	switch {
	case r.span.last().at.Hash != q.hashes[0]:
		return // it grew meanwhile: ask again
	case end == chain.Point{}:
		r.leave() // chain was rebuilt and does not know the old path any more
		return
	}
	r.turnTo(q.to)
	if shared.Hash != q.hashes[0] {
		r.span.cut(shared.Height)
	}
	r.path.last = chainhash.Hash{}
	if r.span.len() > 0 {
		r.path.last = r.span.last().at.Hash
	}
}

// through says whether the peer's point is known to lie at or beyond the path's
// block at a height.
func (r *route) through(p *remote, height int32) bool {
	return p.best.Hash == r.path.to.Hash ||
		p.route.shared >= height && p.route.sharedTo == r.path.to.Hash && p.route.sharedOf == p.best.Hash
}

// on says whether the peer has proved to have blocks of the path. There is one as
// long as the span holds anything.
func (r *route) on(p *remote) bool {
	return p.blocks && p.route.sharedTo == r.path.to.Hash
}

// has says whether the peer has the path's block at a height: it proved a header
// that descends from it, and does not prune that deep.
func (p *remote) has(height int32) bool {
	return p.lowest() <= height && height <= p.route.shared
}

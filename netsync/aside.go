package netsync

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Whoever has a header with more work than our tip can prove it and keep its
// block. Those who do must not keep us from a branch that others serve, however
// often they come back: a block that did not come is set aside for a while, with
// all the points that can only be reached through it. It is remembered by its
// hash, not by who proved it. What is set aside is tried last, never not at all:
// chooseTarget still takes it when nothing else is to be had (law L9).

const (
	// asideFirst is how long a block is set aside the first time: enough to
	// catch up on another branch at the tip. It doubles with each time.
	asideFirst = 30 * time.Second
	// asideDoublings bounds that at 16 minutes: a branch whose only server is
	// slow has its turn a few times an hour.
	asideDoublings = 5
	// patienceDoublings bounds how much longer a block is waited for that did
	// come, but too late: at a minute and a half.
	patienceDoublings = 3
	// maxAside is how many blocks are remembered, and how many points that can
	// only be reached through one. A block costs its prover the work of one at
	// our tip, and a point that was forgotten one look at its path.
	maxAside = 64
)

// asideList remembers blocks that did not come, the oldest first, longer than
// those who proved them are here.
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

func (l *asideList) find(block chainhash.Hash) int {
	return slices.IndexFunc(l.blocks, func(b asideBlock) bool { return b.hash == block })
}

// has says whether a block is set aside now.
func (l *asideList) has(now time.Time, block chainhash.Hash) bool {
	i := l.find(block)
	return i >= 0 && now.Before(l.blocks[i].until)
}

// any says whether anything is.
func (l *asideList) any(now time.Time) bool {
	return slices.ContainsFunc(l.blocks, func(b asideBlock) bool { return now.Before(b.until) })
}

// add sets a block aside. If it is set aside already, that stands.
func (l *asideList) add(now time.Time, block chainhash.Hash) {
	if l.has(now, block) {
		return
	}
	b := asideBlock{hash: block}
	if i := l.find(block); i >= 0 {
		b = l.blocks[i]
		l.blocks = slices.Delete(l.blocks, i, i+1)
	}
	b.until = now.Add(asideFirst << min(b.times, asideDoublings))
	b.times++
	l.blocks = append(l.blocks[max(0, len(l.blocks)-maxAside+1):], b)
}

// done forgets a block that chain has: what lies beyond it is as good as any.
func (l *asideList) done(block chainhash.Hash) {
	if i := l.find(block); i >= 0 {
		l.blocks = slices.Delete(l.blocks, i, i+1)
	}
}

// came notes a copy that came too late: its server is slow, and will be waited
// for longer the next time.
func (l *asideList) came(block chainhash.Hash) {
	if i := l.find(block); i >= 0 {
		l.blocks[i].late++
	}
}

// late is how many copies of a block came too late.
func (l *asideList) late(block chainhash.Hash) int {
	if i := l.find(block); i >= 0 {
		return l.blocks[i].late
	}
	return 0
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
	hash  chainhash.Hash
	since time.Time // it was first asked for while it was that; zero: not yet
}

// headDue is when the block that all wait for is set aside if it does not come:
// two peers will have had the time of an order.
func (m *Machine) headDue() time.Time {
	if m.awaited.since.IsZero() {
		return time.Time{}
	}
	patience := m.cfg.OrderTimeout + m.cfg.UrgentAfter
	return m.awaited.since.Add(patience << min(m.aside.late(m.awaited.hash), patienceDoublings))
}

// setLateAside sets the block that all wait for aside when it is late and there
// is a branch without it, be that one set aside too: it may have been no worse. A
// branch that leads through a block that is set aside already is left at once.
func (m *Machine) setLateAside(now time.Time, out *actor.Outbox) {
	_, s := m.w.head()
	if s == nil || m.route.to.Hash != m.target.Hash {
		return
	}
	least := rankAside
	due := m.headDue()
	late := m.awaited.hash == s.at.Hash && !due.IsZero() && !now.Before(due)
	if m.aside.has(now, s.at.Hash) {
		late, least = true, rankUntried
	}
	if late && m.otherBranch(now, s.at.Height, least) {
		m.setAside(now, s.at, out)
	}
}

// otherBranch says whether somebody serves a better branch than ours, of a rank
// at least, that for all we know does not lead through the path's block at a
// height.
func (m *Machine) otherBranch(now time.Time, height int32, least rank) bool {
	return slices.ContainsFunc(m.ready, func(p *peerState) bool {
		return m.rank(now, p) >= least && !m.through(p, height)
	})
}

// through says whether the peer's point is known to lie beyond the path's block
// at a height.
func (m *Machine) through(p *peerState, height int32) bool {
	return p.best.Hash == m.route.to.Hash ||
		p.shared >= height && p.sharedTo == m.route.to.Hash && p.sharedOf == p.best.Hash
}

func (m *Machine) setAside(now time.Time, block chain.Point, out *actor.Outbox) {
	out.Log(actor.Info, "setting a block aside that nobody delivers", "block", block.Hash, "height", block.Height)
	m.aside.add(now, block.Hash)
	for _, p := range m.ready {
		if !p.leaving && m.through(p, block.Height) {
			p.behind = block.Hash
			m.aside.link(p.best.Hash, block.Hash)
		}
	}
}

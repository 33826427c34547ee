package netsync

import (
	"bytes"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// route is the way to the target: which blocks the window holds or will hold.
type route struct {
	to       chain.Point    // the window is on the path to this; zero: no path
	last     chainhash.Hash // the last block that was appended; zero: none yet
	complete bool           // the window reaches to
	stale    bool           // the path is to be asked for anew, from our best block
	retryAt  time.Time      // no question before then
	empty    int            // times in a row that nothing was missing

	ticket actor.Ticket // the open GetPath
	q      chain.GetPath
}

// rebuild has the path asked for anew.
func (r *route) rebuild(at time.Time) { r.stale, r.retryAt = true, at }

// forksQuestion is the open GetForks.
type forksQuestion struct {
	ticket  actor.Ticket
	to      chain.Point
	last    bool       // the first hash is the end of the window
	peers   []actor.ID // whose best points follow
	hashes  []chainhash.Hash
	retryAt time.Time
}

// better says whether a should be preferred to b as a target: by work, never by
// height, then by hash so that the choice does not depend on who came first.
func better(a, b chain.Point) bool {
	if c := a.Work.Cmp(b.Work); c != 0 {
		return c > 0
	}
	return a.Hash != b.Hash && (b.Hash == chainhash.Hash{} || bytes.Compare(a.Hash[:], b.Hash[:]) < 0)
}

// chooseTarget picks the point with the most work that a peer who is still here
// has proved; but what is set aside comes last. There is nothing to unlatch: when
// the peers that proved it are gone, it is not chosen any more.
func (m *Machine) chooseTarget(now time.Time) {
	var t chain.Point
	best := rankUseless
	for _, p := range m.ready {
		r := m.rank(now, p)
		if r > best || r == best && r > rankUseless && better(p.best, t) {
			t, best = p.best, r
		}
	}
	m.target = t
}

// rank is how willingly a peer's point is chosen as the target.
type rank int

const (
	rankUseless rank = iota // it has no more work than our best block, or no blocks come with it
	rankAside               // a block on the way to it is set aside
	rankUntried             // something is set aside, and the peer has not delivered anything yet
	rankGood
)

// rank ranks a peer's point. As long as blocks are withheld, those who have
// delivered some come first: a new branch costs a liar no more than the last.
func (m *Machine) rank(now time.Time, p *peerState) rank {
	switch {
	case !p.servesBlocks() || p.best.Work.Cmp(m.tips.Block.Work) <= 0:
		return rankUseless
	case len(m.aside.blocks) == 0:
		return rankGood
	case p.behind != chainhash.Hash{} && m.aside.has(now, p.behind):
		return rankAside
	case p.rate.blocks == 0 && m.aside.any(now):
		return rankUntried
	}
	return rankGood
}

// servesBlocks says whether the peer can serve any blocks at all: whole ones,
// with witness data (Bitcoin Core asks no others either).
func (p *peerState) servesBlocks() bool {
	return !p.leaving && (p.full || p.limited) && p.witness
}

// planRoute asks chain what it takes to know the path to the target.
func (m *Machine) planRoute(now time.Time, out *actor.Outbox) {
	if m.target == (chain.Point{}) {
		return
	}
	if m.route.to.Hash != m.target.Hash && m.w.len() == 0 {
		m.turnTo(m.target)
	}
	m.relate(now, out)
	m.askPath(now, out)
}

// turnTo makes the window lead to a new target. What it holds is on the way.
func (m *Machine) turnTo(to chain.Point) {
	m.route.to, m.route.complete, m.route.empty = to, false, 0
	m.unserved = time.Time{}
	if m.w.len() == 0 {
		m.route.last, m.route.stale, m.route.retryAt = chainhash.Hash{}, false, time.Time{}
	}
}

// relate finds out how far each peer's branch is the same as the path, and where
// the window leaves the way to a new target.
func (m *Machine) relate(now time.Time, out *actor.Outbox) {
	q := forksQuestion{to: m.target, last: m.route.to.Hash != m.target.Hash}
	ask := m.forks.ticket == 0 && !now.Before(m.forks.retryAt)
	if q.last && ask {
		q.hashes = append(q.hashes, m.w.slot(m.w.end()-1).at.Hash)
	}
	for _, p := range m.ready {
		switch {
		case p.leaving || p.best == chain.Point{}:
		case p.best.Hash == m.route.to.Hash:
			p.share(m.route.to.Height, m.route.to.Hash)
		case ask && (p.sharedTo != m.target.Hash || p.sharedOf != p.best.Hash) && len(q.hashes) < chain.MaxForks:
			q.peers = append(q.peers, p.id)
			q.hashes = append(q.hashes, p.best.Hash)
		}
	}
	if len(q.hashes) == 0 {
		return
	}
	t, ok := m.ports.Forks.Ask(out, 0, chain.GetForks{To: q.to.Hash, Hashes: q.hashes})
	if !ok {
		return
	}
	q.ticket = t
	m.forks = q
}

// share notes up to which height the peer has the blocks of a path.
func (p *peerState) share(height int32, to chainhash.Hash) {
	p.shared, p.sharedTo, p.sharedOf = height, to, p.best.Hash
}

// onForks turns the window to the target that was asked about and notes what
// the peers share with it.
func (m *Machine) onForks(now time.Time, in actor.Input, f chain.Forks) {
	q := m.forks
	m.forks = forksQuestion{}
	if in.Err != nil || len(f.Shared) != len(q.hashes) || len(f.Points) != len(q.hashes) {
		m.forks.retryAt = now.Add(m.cfg.Retry)
		return
	}
	if q.last {
		if m.w.len() > 0 && m.target != (chain.Point{}) && m.route.to.Hash != m.target.Hash {
			m.turnWindow(q, f)
		}
		f.Points, f.Shared, q.hashes = f.Points[1:], f.Shared[1:], q.hashes[1:]
	}
	for i, id := range q.peers {
		p := m.byID[id]
		switch {
		case p == nil || p.leaving || p.best.Hash != q.hashes[i] || m.route.to.Hash != q.to.Hash:
		case f.Points[i] == chain.Point{}:
			m.unprove(now, p) // chain was rebuilt and does not know it any more
		default:
			p.share(f.Shared[i].Height, q.to.Hash)
		}
	}
}

// turnWindow turns a window that is not empty: above the last block that is on
// the way to the new target too, it is dropped.
func (m *Machine) turnWindow(q forksQuestion, f chain.Forks) {
	end := m.w.slot(m.w.end() - 1).at.Hash
	if end != q.hashes[0] {
		return // it grew meanwhile: ask again
	}
	if f.Points[0] == (chain.Point{}) {
		m.leaveRoute() // chain was rebuilt and does not know the old path any more
		return
	}
	m.turnTo(q.to)
	if f.Shared[0].Hash == end {
		m.route.last = end
		return
	}
	m.w.cut(f.Shared[0].Height)
	m.route.last = chainhash.Hash{}
	if m.w.len() > 0 {
		m.route.last = m.w.slot(m.w.end() - 1).at.Hash
	}
}

// unprove takes back what a peer had proved and has it prove anew.
func (m *Machine) unprove(now time.Time, p *peerState) {
	p.best, p.common, p.more, p.ranOut = chain.Point{}, chain.Point{}, false, false
	p.behind = chainhash.Hash{}
	p.shared, p.sharedTo = noShared, chainhash.Hash{}
	if at := now.Add(m.cfg.Pause); at.Before(p.askAt) {
		p.askAt = at
	}
}

// askPath asks for the blocks that the window lacks.
func (m *Machine) askPath(now time.Time, out *actor.Outbox) {
	r := &m.route
	if r.ticket != 0 || r.to.Hash != m.target.Hash || now.Before(r.retryAt) {
		return
	}
	q := chain.GetPath{To: r.to.Hash, Max: m.cfg.Window}
	room := m.cfg.Window - m.w.len()
	switch {
	case r.stale:
	case !r.complete && room >= max(m.cfg.Window/4, 1):
		q.After, q.Max = r.last, room
	case r.complete && m.w.len() == 0 && len(m.submits) == 0:
		// All was delivered, and yet our best block has less work. Chain's
		// tips may be on their way; else ask again.
		r.rebuild(now.Add(m.cfg.Retry))
		return
	default:
		return
	}
	t, ok := m.ports.Path.Ask(out, 0, q)
	if !ok {
		return
	}
	r.ticket, r.q = t, q
}

// onPath extends or replaces the window.
func (m *Machine) onPath(now time.Time, in actor.Input, a chain.Path, out *actor.Outbox) {
	r := &m.route
	r.ticket, r.retryAt = 0, time.Time{}
	if in.Err != nil {
		r.retryAt = now.Add(m.cfg.Retry)
		return
	}
	if r.q.To != r.to.Hash {
		return // we have turned since
	}
	if !a.Known {
		m.abandon(now, "the target is not known to chain any more", out)
		return
	}
	anew := r.q.After == chainhash.Hash{}
	if r.stale != anew && m.w.len() > 0 || !anew && r.q.After != r.last {
		return // the window has been cut since
	}
	if anew {
		m.w.replace(a.Missing)
		r.stale, r.last = false, chainhash.Hash{}
	} else {
		m.w.extend(a.Missing)
	}
	r.complete = len(a.Missing) < r.q.Max
	if n := len(a.Missing); n > 0 {
		r.last, r.empty = a.Missing[n-1].Hash, 0
		r.complete = r.complete || r.last == r.to.Hash
	} else if m.w.len() == 0 {
		if r.empty++; r.empty >= 3 {
			m.abandon(now, "nothing is missing on the way to the target, but chain does not go there", out)
		}
	}
}

// abandon gives up the target: those that proved it have to prove it again.
func (m *Machine) abandon(now time.Time, why string, out *actor.Outbox) {
	out.Log(actor.Info, "giving up a target", "target", m.route.to.Hash, "height", m.route.to.Height, "reason", why)
	for _, p := range m.ready {
		if !p.leaving && p.best.Hash == m.route.to.Hash {
			m.unprove(now, p)
		}
	}
	m.leaveRoute()
}

// leaveRoute forgets the path and the window; blocks in flight become orders
// that nobody waits for.
func (m *Machine) leaveRoute() {
	ticket, q := m.route.ticket, m.route.q
	m.route = route{ticket: ticket, q: q}
	m.unserved = time.Time{}
	m.w.clear()
}

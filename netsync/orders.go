package netsync

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// assign orders blocks: the lowest first, each from the peer that will have
// delivered it soonest.
func (m *Machine) assign(now time.Time, out *actor.Outbox) {
	free, lowest, highest := m.freePeers(now)
	for q := m.w.firstFree(); q < m.w.end() && len(free) > 0 && m.w.unordered > 0; q++ {
		s := m.w.slot(q)
		if s.at.Height < lowest {
			continue
		}
		if s.at.Height > highest || !m.affordable(q) {
			break
		}
		if s.state != wanted || s.by[0] != 0 {
			continue
		}
		if p := soonest(free, s.at.Height); p != nil {
			m.order(now, p, q)
			if len(p.orders) >= p.window {
				free = slices.DeleteFunc(free, func(f *peerState) bool { return f == p })
			}
		}
	}
	m.hasten(now)
	m.watchHead(now, out)
}

// freePeers returns the peers that can take another order, and the heights
// between which one of them has blocks of the path.
//
// Peers that have not delivered anything yet are not among them as long as one
// that is known to be quick has room: they may be many, and all silent.
func (m *Machine) freePeers(now time.Time) (free []*peerState, lowest, highest int32) {
	if m.w.unordered == 0 {
		return nil, 0, noShared
	}
	first, last := m.w.slot(m.w.firstFree()).at.Height, m.w.slot(m.w.end()-1).at.Height
	quick := false
	for _, p := range m.ready {
		if len(p.orders) >= p.window || !m.onRoute(p) || p.shared < first || p.lowest() > last {
			continue
		}
		quick = quick || p.quick(now) && p.has(first)
		if p.mayOrder(now) {
			free = append(free, p)
		}
	}
	if quick {
		free = slices.DeleteFunc(free, func(p *peerState) bool { return p.rate.blocks == 0 })
	}
	lowest, highest = math.MaxInt32, noShared
	for _, p := range free {
		lowest, highest = min(lowest, p.lowest()), max(highest, p.shared)
	}
	return free, lowest, highest
}

// quick says whether the peer delivers blocks, quicker than one that was not
// measured is taken to, and may be given orders as soon as the Send under way has
// ended. If that does not end, its orders are late, and it is not quick any more.
func (p *peerState) quick(now time.Time) bool {
	return p.rate.blocks > 0 && p.rate.perBlock() < unmeasured && p.stalls == 0 &&
		!now.Before(p.pausedUntil) && (p.sending == 0 || len(p.orders) > 0)
}

// onRoute says whether the peer has proved to have blocks of the path.
func (m *Machine) onRoute(p *peerState) bool {
	return p.servesBlocks() && p.shared != noShared && p.sharedTo == m.route.to.Hash
}

// has says whether the peer has the path's block at a height: it proved a
// header that descends from it, and does not prune that deep.
func (p *peerState) has(height int32) bool {
	return p.lowest() <= height && height <= p.shared
}

// lowest is the height of the first block that the peer has not pruned.
func (p *peerState) lowest() int32 {
	if p.full {
		return 0
	}
	return p.best.Height - limitedBlocks + 1
}

// soonest returns the peer that has the block at a height and that would have
// delivered it first, judging by its queue and its rate.
func soonest(peers []*peerState, height int32) *peerState {
	var best *peerState
	var cost time.Duration
	for _, p := range peers {
		if !p.has(height) {
			continue
		}
		if c := time.Duration(len(p.orders)+1) * p.rate.perBlock(); best == nil || c < cost {
			best, cost = p, c
		}
	}
	return best
}

// affordable says whether a block may be ordered with regard to the bytes that
// are held and expected. What chain needs next always may. A block that has come
// from another meanwhile is not expected any more, though its order stands.
func (m *Machine) affordable(seq int) bool {
	expected := m.w.heldBytes + int(float64(m.w.ordered+1)*max(m.avgSize, 1024))
	return expected <= m.cfg.HeldBytes || m.w.isNext(seq)
}

func (m *Machine) order(now time.Time, p *peerState, seq int) {
	s := m.w.slot(seq)
	m.w.order(seq, p.id, now)
	if p.orderIndex(s.at.Hash) >= 0 {
		return // an earlier order is still on its way
	}
	if len(p.orders) == 0 {
		p.progress = now
	}
	p.orders = append(p.orders, order{hash: s.at.Hash, height: s.at.Height})
	p.fresh++
	m.inFlight++
	m.stats.dirty = true
}

func (p *peerState) orderIndex(h chainhash.Hash) int {
	return slices.IndexFunc(p.orders, func(o order) bool { return o.hash == h })
}

// hastened is for how many of the first wanted blocks a second peer may be asked
// at the same time. So many are skipped in a round trip when silent strangers
// have their orders; more would be downloaded twice from peers that are only slow.
const hastened = 16

// hasten asks a second peer for the block that all wait for when it is late, and
// for those behind it whose peer has not delivered anything meanwhile; but only
// when nothing else can be ordered.
func (m *Machine) hasten(now time.Time) {
	m.hastenAt = time.Time{}
	q, s := m.w.head()
	if s == nil {
		return
	}
	if q := m.w.firstFree(); q < m.w.end() && m.affordable(q) {
		return // there is other work to do
	}
	next := earliest{after: now}
	for n := 0; n < hastened && q < m.w.end(); q++ {
		s := m.w.slot(q)
		if s.state != wanted {
			continue
		}
		n++
		if s.by[0] == 0 || s.by[1] != 0 {
			continue
		}
		due := s.since.Add(m.cfg.UrgentAfter)
		if p := m.byID[s.by[0]]; n > 1 && p != nil && p.progress.After(s.since) {
			due = p.progress.Add(m.cfg.UrgentAfter)
		}
		next.add(due)
		if !now.Before(due) {
			m.orderSecond(now, q, n == 1)
		}
	}
	m.hastenAt = next.at
}

// orderSecond orders a block from a second peer. For the block that all wait for
// that may be anyone, and one order beyond its window is allowed; for others it
// must have delivered something before.
func (m *Machine) orderSecond(now time.Time, seq int, head bool) {
	s := m.w.slot(seq)
	var others []*peerState
	for _, p := range m.ready {
		room := len(p.orders) < p.window && p.rate.blocks > 0
		if head {
			room = len(p.orders) <= m.cfg.MaxInFlight
		}
		if room && p.id != s.by[0] && m.onRoute(p) && p.mayOrder(now) {
			others = append(others, p)
		}
	}
	if p := soonest(others, s.at.Height); p != nil {
		m.order(now, p, seq)
	}
}

// watchHead notes since when all wait for a block, and gives up the target when
// nobody here can serve it: the branch was proved by headers alone.
func (m *Machine) watchHead(now time.Time, out *actor.Outbox) {
	_, s := m.w.head()
	if s != nil && s.at.Hash != m.awaited.hash {
		m.awaited = awaited{hash: s.at.Hash}
	}
	if s != nil && s.by[0] != 0 && m.awaited.since.IsZero() {
		m.awaited.since = now
	}
	if s == nil || s.by[0] != 0 || m.servable(s.at.Height) {
		m.unserved = time.Time{}
		return
	}
	if m.unserved.IsZero() {
		m.unserved = now
	}
	if !now.Before(m.unserved.Add(m.cfg.OrderTimeout)) {
		m.setAside(now, s.at, out)
		m.abandon(now, "nobody serves its blocks", out)
	}
}

func (m *Machine) servable(height int32) bool {
	for _, p := range m.ready {
		if m.onRoute(p) && p.has(height) {
			return true
		}
	}
	return false
}

// onBlock takes the first copy of a wanted block from anybody who was asked for
// it, be the order still open or taken back since. An unasked copy takes nobody's
// place: its body may be anything, and until chain says so the good copies of
// those who were asked would be thrown away (as in CVE-2024-52921).
func (m *Machine) onBlock(now time.Time, b peer.BlockReceived) {
	p := m.active(b.Peer)
	if p == nil {
		return
	}
	m.stats.bytes += uint64(b.Size)
	m.stats.dirty = true
	memory := max(b.Size, b.Memory)
	asked := m.fulfil(now, p, b) || b.Asked
	s := m.w.find(b.Hash)
	switch {
	case !asked:
		if s == nil || s.at.Work.Cmp(p.best.Work) > 0 {
			m.onUnasked(now, p, b)
		}
		return
	case s != nil && s.state == wanted:
		p.stalls, p.late = 0, 0
		m.w.hold(b.Hash, b.Block, memory, p.id, m.cfg.HeldBytes)
	case s == nil:
		m.aside.came(b.Hash)
	}
	m.avgSize += (float64(memory) - m.avgSize) / 16
}

// fulfil removes the order that a block fulfils and learns from it how fast the
// peer is.
func (m *Machine) fulfil(now time.Time, p *peerState, b peer.BlockReceived) bool {
	i := p.orderIndex(b.Hash)
	if i < 0 {
		return false
	}
	if i >= len(p.orders)-p.fresh {
		p.fresh--
	}
	p.orders = slices.Delete(p.orders, i, i+1)
	m.inFlight--
	p.rate.add(b.Size, now.Sub(p.progress))
	p.progress = now
	p.stalls, p.late = 0, 0
	switch goal := m.goal(p); {
	case p.window < goal:
		p.window++ // doubles in a round trip
	case p.window > goal:
		p.window--
	}
	return true
}

// goal is how many blocks a peer should have in flight: what it delivers in the
// lookahead, but no more than while all peers together work off half of the
// window. A slow peer with more would hold the window up for the quick ones.
func (m *Machine) goal(p *peerState) int {
	perSecond := 0.0
	for _, q := range m.ready {
		if q.rate.blocks > 0 {
			perSecond += 1 / q.rate.perBlock().Seconds()
		}
	}
	share := float64(m.cfg.Window) / 2 / perSecond / p.rate.perBlock().Seconds()
	goal := min(p.rate.inFlight(), int(min(share, float64(m.cfg.MaxInFlight))))
	return min(max(goal, m.cfg.MinInFlight), m.cfg.MaxInFlight)
}

// onUnasked treats a block as an announcement: its header is judged, and the
// block is ordered if it turns out to be needed.
func (m *Machine) onUnasked(now time.Time, p *peerState, b peer.BlockReceived) {
	if p.batch.queued || p.ask == askWaiting {
		m.askSoon(now, p)
		return
	}
	h := b.Block.Header
	p.batch = receivedHeaders{headers: []*wire.BlockHeader{&h}, last: b.Hash, queued: true}
	m.headerQueue = append(m.headerQueue, p.id)
}

// onNotFound takes orders back that the peer cannot fulfil. It counts as a
// stall: a peer that never has what it proved is of no use.
func (m *Machine) onNotFound(now time.Time, n peer.NotFoundReceived, out *actor.Outbox) {
	p := m.active(n.Peer)
	if p == nil {
		return
	}
	lacks := make(map[chainhash.Hash]bool, len(n.Blocks))
	for _, h := range n.Blocks {
		lacks[h] = true
	}
	if m.takeBackIf(p, func(o order) bool { return lacks[o.hash] }) > 0 {
		m.stall(now, p, "does not have the blocks that it has proved", out)
	}
}

// orderDue is when the peer's next block is late: its time per block with a wide
// margin, and more after each stall, for it may just be slow.
func (m *Machine) orderDue(p *peerState) time.Time {
	return p.progress.Add(max(m.cfg.OrderTimeout, 4*p.rate.perBlock()) << min(p.stalls, 3))
}

// expireOrders takes back the orders of peers that are late.
func (m *Machine) expireOrders(now time.Time, out *actor.Outbox) {
	for _, p := range m.ready {
		if len(p.orders) == 0 || now.Before(m.orderDue(p)) {
			continue
		}
		if n := m.takeBackAll(p); n > 0 {
			m.stats.stalls += uint64(n)
			m.stall(now, p, "does not deliver blocks", out)
		}
	}
}

// stall halves what the peer may have in flight and gives others the first
// choice of what was taken back.
func (m *Machine) stall(now time.Time, p *peerState, why string, out *actor.Outbox) {
	p.stalls++
	p.stalled++
	p.window = max(p.window/2, m.cfg.MinInFlight)
	p.restUntil = now.Add(m.cfg.Pause)
	if p.stalls >= m.cfg.MaxStalls {
		m.drop(p, why, false, out)
	}
}

// takeBackAll takes back all orders of a peer and returns how many of them were
// still waited for.
func (m *Machine) takeBackAll(p *peerState) int {
	return m.takeBackIf(p, func(order) bool { return true })
}

// takeBackFresh takes back the orders that have not been sent.
func (m *Machine) takeBackFresh(p *peerState) {
	m.takeBackIf(p, func(o order) bool { return o.sent == 0 })
}

func (m *Machine) takeBackIf(p *peerState, late func(order) bool) (waitedFor int) {
	kept := p.orders[:0]
	p.fresh = 0
	for _, o := range p.orders {
		if !late(o) {
			kept = append(kept, o)
			p.fresh += btoi(o.sent == 0)
			continue
		}
		m.inFlight--
		if m.w.takeBack(o.hash, p.id) {
			waitedFor++
		}
	}
	p.orders = kept
	m.stats.dirty = true
	return waitedFor
}

// checkOrders verifies that the window and the peers agree on who was asked for
// what, and that the budgets hold.
func (m *Machine) checkOrders() error {
	sum, attached := 0, 0
	for _, p := range m.ready {
		sum += len(p.orders)
		fresh := 0
		for _, o := range p.orders {
			fresh += btoi(o.sent == 0)
			if s := m.w.find(o.hash); s != nil && (s.by[0] == p.id || s.by[1] == p.id) {
				attached++
			}
		}
		if fresh != p.fresh || len(p.orders) > m.cfg.MaxInFlight+1 || p.window < 1 || p.window > m.cfg.MaxInFlight {
			return fmt.Errorf("peer %v: window %d, %d orders, %d not sent, %d noted", p.id, p.window, len(p.orders), fresh, p.fresh)
		}
	}
	if sum != m.inFlight {
		return fmt.Errorf("%d orders, %d noted", sum, m.inFlight)
	}
	biggest := 0
	for i := range m.w.slots {
		s := &m.w.slots[i]
		if s.state == held {
			biggest = max(biggest, s.size)
		}
		for _, id := range s.by {
			if id == 0 {
				continue
			}
			attached--
			if p := m.byID[id]; p == nil || p.leaving {
				return fmt.Errorf("block %d is ordered from %v, who is not there", s.at.Height, id)
			}
		}
	}
	if attached != 0 {
		return fmt.Errorf("the window and the peers' orders differ by %d", attached)
	}
	// What chain could not judge yet comes back on top of the budget.
	if m.w.heldBytes > max(m.cfg.HeldBytes, biggest)+max(m.cfg.SubmitBytes, biggest) {
		return fmt.Errorf("%d bytes held", m.w.heldBytes)
	}
	if m.w.len() > m.cfg.Window {
		return fmt.Errorf("window of %d blocks", m.w.len())
	}
	return nil
}

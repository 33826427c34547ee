package netsync

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// statusEvery is the least time between two publications of the Status.
const statusEvery = time.Second

// stats are the figures of the Status that cannot be read off the state.
type stats struct {
	started time.Time
	blocks  uint64
	bytes   uint64
	stalls  uint64

	blockMeter, headers meter

	recent     [64]chainhash.Hash // the last blocks that chain has taken from us
	recentNext int

	dirty     bool // something that Status shows may have changed
	published time.Time
	last      Status
}

// took notes that chain has taken a block.
func (s *stats) took(now time.Time, h chainhash.Hash, connected bool) {
	s.recent[s.recentNext%len(s.recent)] = h
	s.recentNext++
	if connected {
		s.blocks++
		s.blockMeter.add(now, 1)
	}
}

// status is the Status as it is now.
func (m *Machine) status(now time.Time) Status {
	s := Status{
		Phase: m.phase(now), Tips: m.tips, Target: m.bestProved(),
		InFlight: m.inFlight, Held: m.w.held, HeldBytes: m.w.heldBytes,
		Blocks: m.stats.blocks, Bytes: m.stats.bytes, Stalls: m.stats.stalls,
		BlockRate: m.stats.blockMeter.rate(now), HeaderRate: m.stats.headers.rate(now),
		Started: m.stats.started,
	}
	for _, p := range m.ready {
		if !p.leaving {
			s.Peers++
		}
	}
	return s
}

// phase is derived from what the peers have answered and proved.
func (m *Machine) phase(now time.Time) Phase {
	peers, more, ranOut := 0, false, false
	for _, p := range m.ready {
		if !p.leaving {
			peers++
			more = more || p.more
			ranOut = ranOut || p.ranOut
		}
	}
	switch {
	case peers == 0:
		return Idle
	case more || !ranOut && !m.recent(now):
		return Headers
	case m.target != chain.Point{}:
		return Blocks
	}
	return Following
}

// bestProved is the point with the most work that a connected peer has proved.
func (m *Machine) bestProved() chain.Point {
	var best chain.Point
	for _, p := range m.ready {
		if better(p.best, best) {
			best = p.best
		}
	}
	return best
}

// peers answers GetPeers.
func (m *Machine) peers() Peers {
	var all Peers
	for _, p := range m.ready {
		if p.leaving {
			continue
		}
		s := PeerStatus{
			Peer: p.id, SyncedHeaders: -1, SyncedBlocks: -1,
			Window: p.window, BytesPerSecond: p.rate.bytesPerSecond(), Stalls: p.stalled,
		}
		if p.best != (chain.Point{}) {
			s.SyncedHeaders = p.common.Height
			s.SyncedBlocks = min(p.common.Height, m.tips.Block.Height)
		}
		for _, o := range p.orders {
			s.InFlight = append(s.InFlight, o.height)
		}
		all.Peers = append(all.Peers, s)
	}
	return all
}

// statusDue is when the next Status may be published; zero: nothing changed.
func (m *Machine) statusDue() time.Time {
	if !m.stats.dirty {
		return time.Time{}
	}
	return m.stats.published.Add(statusEvery)
}

// publishStatus publishes what has changed, at most once a second. As long as a
// rate is above zero it changes by itself.
func (m *Machine) publishStatus(now time.Time, out *actor.Outbox) {
	if !m.stats.dirty || now.Before(m.statusDue()) {
		return
	}
	s := m.status(now)
	m.stats.published = now
	m.stats.dirty = s.BlockRate > 0 || s.HeaderRate > 0
	if s != m.stats.last {
		m.stats.last = s
		m.topics.Status.Set(out, 0, s)
	}
}

package relay

import (
	"fmt"
	"slices"

	"acyclic/internal/kernel/actor"
)

// Check verifies what must hold between two steps.
func (m *Machine) Check() error {
	if len(m.order) != len(m.peers) {
		return fmt.Errorf("relay: %d peers, %d in order", len(m.peers), len(m.order))
	}
	if m.reads < 0 || m.reads > m.cfg.MaxReads {
		return fmt.Errorf("relay: %d reads outstanding, %d allowed", m.reads, m.cfg.MaxReads)
	}
	if len(m.ring) > 0 && m.reads < m.cfg.MaxReads {
		return fmt.Errorf("relay: %d peers wait for a read though %d of %d are outstanding", len(m.ring), m.reads, m.cfg.MaxReads)
	}
	if len(m.parked) > 0 && m.retryAt.IsZero() && !m.starved {
		return fmt.Errorf("relay: %d peers wait for a retry that is not due", len(m.parked))
	}
	if m.resync && m.tipsAsked == 0 && m.retryAt.IsZero() && !m.starved {
		return fmt.Errorf("relay: the tip is wanted and not asked for")
	}
	reading := 0
	for _, id := range m.order {
		p := m.peers[id]
		if p == nil {
			return fmt.Errorf("relay: %v is in order but unknown", id)
		}
		if err := m.checkPeer(p); err != nil {
			return fmt.Errorf("relay: peer %v: %w", id, err)
		}
		if p.read != noRead {
			reading++
		}
	}
	if reading > m.reads {
		return fmt.Errorf("relay: %d peers read, %d reads are outstanding", reading, m.reads)
	}
	return m.checkLists()
}

func (m *Machine) checkPeer(p *remote) error {
	w := &p.wants
	items := len(w.notFound)
	for _, run := range w.runs {
		items += len(run)
	}
	idle := p.phase == serving && p.out == nil && !p.parked
	switch {
	case p.ticket != 0 && p.out == nil, p.out != nil && p.ticket == 0 && !p.parked:
		return fmt.Errorf("a message that nobody sends")
	case items != w.items || items > m.cfg.MaxWanted:
		return fmt.Errorf("%d items wanted, counted %d", items, w.items)
	case len(w.headers) > m.cfg.MaxLocators || len(w.hashes) > m.cfg.MaxLocators:
		return fmt.Errorf("%d getheaders and %d getblocks wait", len(w.headers), len(w.hashes))
	case p.held != nil && (p.out == nil || p.read != noRead):
		return fmt.Errorf("an answer is held back for no reason")
	case p.held != nil && len(p.held.send.Payloads)+len(p.out.send.Payloads) > 1:
		return fmt.Errorf("two blocks in memory")
	case len(p.pending) > m.cfg.MaxAnnounce:
		return fmt.Errorf("%d blocks to announce", len(p.pending))
	case idle && len(p.pending) > 0 && m.roundAt.IsZero():
		return fmt.Errorf("blocks to announce and no round due")
	case p.phase == leaving && (p.parked || p.inRing || w.items > 0 || len(p.pending) > 0):
		return fmt.Errorf("leaving, and still to be served")
	case idle && p.read == noRead && w.next() != noRead && !p.inRing:
		return fmt.Errorf("a read that nobody begins")
	case len(p.known.ring) != len(p.known.has) || len(p.known.ring) > m.cfg.MaxKnown:
		return fmt.Errorf("%d known blocks, %d in the ring", len(p.known.has), len(p.known.ring))
	case slices.Contains(m.ring, p.id) != p.inRing || slices.Contains(m.parked, p.id) != p.parked:
		return fmt.Errorf("in ring %v, parked %v, and the lists disagree", p.inRing, p.parked)
	}
	for _, n := range p.pending {
		if p.known.contains(n.hash) {
			return fmt.Errorf("%v is to be announced and known", n.hash)
		}
	}
	return nil
}

// checkLists makes sure that no peer has two turns and that no list names a
// peer that is gone.
func (m *Machine) checkLists() error {
	for _, list := range [][]actor.ID{m.order, m.ring, m.parked} {
		seen := map[actor.ID]bool{}
		for _, id := range list {
			if seen[id] || m.peers[id] == nil {
				return fmt.Errorf("relay: peer %v stands twice in a list, or is gone", id)
			}
			seen[id] = true
		}
	}
	return nil
}

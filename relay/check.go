package relay

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Check verifies what must hold between two steps.
func (m *Machine) Check() error {
	reading := 0
	for _, p := range m.peers {
		if err := p.check(&m.cfg, !m.roundAt.IsZero(), m.starved); err != nil {
			return fmt.Errorf("relay: peer %v: %w", p.id, err)
		}
		if p.read != noRead {
			reading++
		}
		if p.readable() && m.reads < m.cfg.MaxReads && !m.starved {
			return fmt.Errorf("relay: peer %v waits for a read though %d of %d are outstanding", p.id, m.reads, m.cfg.MaxReads)
		}
	}
	switch {
	case !slices.IsSortedFunc(m.peers, func(p, q *remote) int { return cmp.Compare(p.id, q.id) }):
		return errors.New("relay: the peers are out of order")
	case reading > m.reads || m.reads > m.cfg.MaxReads:
		return fmt.Errorf("relay: %d peers read, %d reads are outstanding, %d are allowed", reading, m.reads, m.cfg.MaxReads)
	case m.resync.due() && !m.starved:
		return errors.New("relay: the tip is wanted and not asked for")
	}
	return nil
}

package server

import (
	"fmt"
	"net/netip"
)

// Check verifies the invariants.
func (m *Machine) Check() error {
	for _, check := range []func() error{
		m.checkSeats, m.checkOutbound, m.checkNamed, m.checkBans, m.checkBounds,
	} {
		if err := check(); err != nil {
			return fmt.Errorf("server: %w", err)
		}
	}
	return nil
}

func (m *Machine) checkSeats() error {
	if m.used() > m.cfg.MaxPeers {
		return fmt.Errorf("%d slots and %d dials, but only %d places", len(m.slots), len(m.dials), m.cfg.MaxPeers)
	}
	for i := 1; i < len(m.slots); i++ {
		if m.slots[i-1].id >= m.slots[i].id {
			return fmt.Errorf("slots of %v and %v are out of order", m.slots[i-1].id, m.slots[i].id)
		}
	}
	return nil
}

func (m *Machine) checkOutbound() error {
	if n := m.automatic(); n > m.cfg.OutboundTarget {
		return fmt.Errorf("%d automatic peers, but the target is %d", n, m.cfg.OutboundTarget)
	}
	dialled := map[netip.AddrPort]bool{}
	for _, d := range m.dials {
		if dialled[d.addr] {
			return fmt.Errorf("%v is dialled twice", d.addr)
		}
		dialled[d.addr] = true
		if m.connected(d.addr) {
			return fmt.Errorf("%v is dialled and connected", d.addr)
		}
	}
	var automatic []netip.AddrPort
	for _, s := range m.slots {
		if !s.in && !s.manual {
			automatic = append(automatic, s.remote)
		}
	}
	for _, d := range m.dials {
		if d.automatic {
			automatic = append(automatic, d.addr)
		}
	}
	groups := map[string]bool{}
	for _, addr := range automatic {
		g := groupOf(addr.Addr())
		if g != "" && groups[g] {
			return fmt.Errorf("two automatic peers of the group %s", g)
		}
		groups[g] = true
	}
	return nil
}

func (m *Machine) checkNamed() error {
	for _, n := range m.named {
		switch n.phase {
		case dialling:
			if m.findDial(n.ticket) < 0 {
				return fmt.Errorf("%v is dialling, but there is no dial", n.target)
			}
		case linked:
			if m.find(n.peer) < 0 {
				return fmt.Errorf("%v is linked to %v, which has no slot", n.target, n.peer)
			}
		case resolving:
			if n.ticket == 0 {
				return fmt.Errorf("%v is resolving without a ticket", n.target)
			}
		}
	}
	return nil
}

func (m *Machine) checkBans() error {
	if len(m.bans.until) != len(m.bans.order) || len(m.bans.order) > m.cfg.MaxBans {
		return fmt.Errorf("%d bans in order, %d by host, at most %d", len(m.bans.order), len(m.bans.until), m.cfg.MaxBans)
	}
	for i, host := range m.bans.order {
		until, ok := m.bans.until[host]
		if !ok || host.Addr().IsLoopback() || host != hostOf(host.Addr()) {
			return fmt.Errorf("the ban of %v is not as it should be", host)
		}
		if i > 0 && until.Before(m.bans.until[m.bans.order[i-1]]) {
			return fmt.Errorf("the bans are not in order at %v", host)
		}
	}
	return nil
}

func (m *Machine) checkBounds() error {
	g := &m.gossip
	for _, n := range []int{g.learned, len(g.note.Attempted), len(g.note.Connected), len(g.note.Good)} {
		if n > m.cfg.MaxNotes {
			return fmt.Errorf("%d addresses wait for the book, at most %d", n, m.cfg.MaxNotes)
		}
	}
	if n := m.added(); n > m.cfg.MaxAdded {
		return fmt.Errorf("%d peers added, at most %d", n, m.cfg.MaxAdded)
	}
	return nil
}

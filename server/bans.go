package server

import (
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// bans are the hosts (see hostOf) that we do not talk to. All bans last equally long, so
// the order of making is the order of ending.
type bans struct {
	until map[netip.Prefix]time.Time
	order []netip.Prefix
}

// ban bans the host of an address and disconnects whoever else is connected from
// it.
//
// Loopback is never banned: behind it are different peers (a tunnel, Tor, other
// nodes of this machine), and the fault of one must not lock out all. Bitcoin
// Core makes the same exception.
func (m *Machine) ban(now time.Time, addr netip.Addr, reason string, out *actor.Outbox) {
	if addr.IsLoopback() || m.cfg.MaxBans == 0 {
		return
	}
	b, host := &m.bans, hostOf(addr)
	if _, again := b.until[host]; again {
		i := slices.Index(b.order, host)
		b.order = slices.Delete(b.order, i, i+1)
	} else if len(b.order) >= m.cfg.MaxBans {
		b.drop()
	}
	b.until[host] = now.Add(m.cfg.BanDuration)
	b.order = append(b.order, host)
	out.Log(actor.Info, "host banned", "addr", addr, "host", host, "for", m.cfg.BanDuration, "reason", reason)

	for i := range m.slots {
		if s := &m.slots[i]; hostOf(s.remote.Addr()) == host && !s.manual {
			out.End(s.id, "its address was banned", false)
		}
	}
}

// drop ends the oldest ban.
func (b *bans) drop() {
	delete(b.until, b.order[0])
	b.order = b.order[1:]
}

// first is when the next ban ends.
func (b *bans) first() time.Time {
	if len(b.order) == 0 {
		return time.Time{}
	}
	return b.until[b.order[0]]
}

func (m *Machine) expireBans(now time.Time) {
	for len(m.bans.order) > 0 && !m.bans.first().After(now) {
		m.bans.drop()
	}
}

func (m *Machine) banned(now time.Time, addr netip.Addr) bool {
	until, ok := m.bans.until[hostOf(addr)]
	return ok && until.After(now)
}

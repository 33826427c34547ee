package server

import (
	"time"

	"acyclic/internal/kernel/actor"
)

// reporter publishes Status.
type reporter struct {
	refused     uint64
	last        Status
	publishedAt time.Time // zero: never
}

func (m *Machine) currentStatus() Status {
	s := Status{
		MaxPeers:    m.cfg.MaxPeers,
		Dialling:    len(m.dials),
		Known:       max(m.known, 0),
		Banned:      len(m.bans.order),
		Refused:     m.status.refused,
		Inbound:     m.inbound(),
		Outbound:    m.count(func(s *slot) bool { return !s.in }),
		Handshaking: m.count(func(s *slot) bool { return !s.shook }),
	}
	return s
}

// publishStatus publishes a change, but not more often than statusInterval:
// a storm of connections is not a storm of events.
func (m *Machine) publishStatus(now time.Time, out *actor.Outbox) {
	if due := m.statusDue(); due.IsZero() || due.After(now) {
		return
	}
	m.status.last = m.currentStatus()
	m.status.publishedAt = now
	m.topics.Status.Set(out, 0, m.status.last)
}

// statusDue is when Status is published next; zero when nothing has changed.
func (m *Machine) statusDue() time.Time {
	if m.status.publishedAt.IsZero() {
		return m.settled
	}
	if m.currentStatus() == m.status.last {
		return time.Time{}
	}
	return m.status.publishedAt.Add(statusInterval)
}

// peers lists the connections in order of ID.
func (m *Machine) peers() []Slot {
	list := make([]Slot, 0, len(m.slots))
	for i := range m.slots {
		s := &m.slots[i]
		list = append(list, Slot{
			Peer: s.id, Remote: s.remote, Inbound: s.in, Manual: s.manual, Ready: s.ready, Since: s.since,
		})
	}
	return list
}

package server

import (
	"time"

	"acyclic/internal/kernel/actor"
)

// reporter publishes Status.
type reporter struct {
	refused uint64 // connections not admitted
	last    Status
	at      time.Time // of last; zero: never
}

// due is when Status is published next, zero if nothing has changed.
func (r *reporter) due(s Status) time.Time {
	if s == r.last {
		return time.Time{}
	}
	return r.at.Add(statusInterval)
}

// publish publishes a change, but not more often than statusInterval: a storm of
// connections is not a storm of events.
func (r *reporter) publish(now time.Time, s Status, topic actor.State[Status], out *actor.Outbox) {
	if due := r.due(s); !due.IsZero() && !due.After(now) {
		r.last, r.at = s, now
		topic.Set(out, 0, s)
	}
}

// figures are what Status says at this moment.
func (m *Machine) figures(s *seats) Status {
	return Status{
		Inbound:     s.inbound,
		Outbound:    s.outbound,
		Handshaking: s.handshaking,
		MaxPeers:    s.all,
		Dialling:    len(m.dials.list),
		Known:       max(m.gossip.known, 0),
		Banned:      len(m.bans.order),
		Refused:     m.status.refused,
	}
}

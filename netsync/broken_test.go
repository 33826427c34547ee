package netsync

import (
	"math"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// A test that cannot fail proves nothing: these are machines with one law
// broken, and the world of TestL9OneHonestPeerIsEnough must find each of them.

// spoiled is a machine whose steps are interfered with.
type spoiled struct {
	*Machine
	before, after func(m *Machine, in actor.Input)
	deadline      func(m *Machine) time.Time
}

func (s *spoiled) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if s.before != nil {
		s.before(s.Machine, in)
	}
	s.Machine.Step(now, in, out)
	if s.after != nil {
		s.after(s.Machine, in)
	}
}

func (s *spoiled) Deadline() time.Time {
	if s.deadline != nil {
		return s.deadline(s.Machine)
	}
	return s.Machine.Deadline()
}

// Check is silent: it is the world that has to find out.
func (s *spoiled) Check() error { return nil }

func TestL9BrokenVariantsAreCaught(t *testing.T) {
	for name, broken := range map[string]breaker{
		"orders of a peer that is gone stay": forgetful,
		"no clock": func(m *Machine) actor.Machine {
			return &spoiled{Machine: m, deadline: func(*Machine) time.Time { return time.Time{} }}
		},
		"one sync peer":                 syncPeerLatch,
		"the target is never let go of": targetLatch,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(400) {
				if why := runWorld(t, seed, broken); why != "" {
					t.Logf("caught by seed %d: %s", seed, why)
					return
				}
			}
			t.Fatal("the world does not notice")
		})
	}
}

// forgetful does not take back what a peer was asked for when it is gone, and
// lets no second peer be asked.
func forgetful(m *Machine) actor.Machine {
	m.cfg.UrgentAfter = math.MaxInt64 / 4
	return &spoiled{Machine: m, before: func(m *Machine, in actor.Input) {
		if g, ok := in.Body.(peer.Gone); ok && m.find(g.Peer) != nil {
			p := m.find(g.Peer)
			p.orders.list = nil // the span still thinks that they are on their way
		}
	}}
}

// syncPeerLatch asks only the peer that was ready first for headers.
func syncPeerLatch(m *Machine) actor.Machine {
	var first actor.ID
	return &spoiled{Machine: m, before: func(m *Machine, in actor.Input) {
		if r, ok := in.Body.(peer.Ready); ok && first == 0 {
			first = r.Peer
		}
		for _, p := range m.ready {
			if p.id != first {
				p.headers.askAt = m.now.Add(24 * time.Hour)
			}
		}
	}, after: func(m *Machine, in actor.Input) {
		for _, p := range m.ready {
			if p.id != first && p.headers.ask == askIdle {
				p.headers.askAt = m.now.Add(24 * time.Hour)
			}
		}
	}}
}

// targetLatch keeps the first target that it has chosen until it is reached: it
// looks away from what anybody else proves.
func targetLatch(m *Machine) actor.Machine {
	var latched uint64 // its work
	return &spoiled{Machine: m, before: func(m *Machine, in actor.Input) {
		if latched == 0 {
			latched = m.route.target.Work.Lo
		}
		if latched <= m.tips.Block.Work.Lo {
			latched = 0
			return
		}
		for _, p := range m.ready {
			if p.best.Work.Lo != latched {
				p.best.Work.Lo = 0
			}
		}
	}}
}

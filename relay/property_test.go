package relay

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.IntRange(1, 120).Draw(rt, "steps")
		ints := rapid.IntRange(0, 1<<16)
		m, specs := connect(worldBounds(), 16)
		newWorld(t, func(n int) int { return ints.Draw(rt, "n") % n }, m, specs).run(steps)
	})
}

// broken is a relay with a fault, whose Check is silent, so that the world has
// to find the fault by itself.
type broken struct {
	*Machine
	before func(m *Machine, in actor.Input) (skip bool)
}

func (b broken) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if !b.before(b.Machine, in) {
		b.Machine.Step(now, in, out)
	}
}

func (broken) Check() error { return nil }

func TestTheJudgeCatchesBrokenRelays(t *testing.T) {
	for seed := range uint64(300) {
		whole := func(*Machine, actor.Input) bool { return false }
		if found := tryBroken(t, seed, whole); found != "" {
			t.Fatalf("seed %d: the judge finds fault with the real one: %s", seed, found)
		}
	}
	variants := map[string]func(m *Machine, in actor.Input) bool{
		"forgets what peers announce": func(_ *Machine, in actor.Input) bool {
			_, is := in.Body.(peer.Announced)
			return is
		},
		"announces the tip again and again": func(m *Machine, in actor.Input) bool {
			for _, p := range m.peers {
				if len(p.news) == 0 && m.tip.Height > 0 {
					p.news = append(p.news, newBlock{hash: m.tip.Hash})
				}
			}
			return false
		},
		"does not wait for Sent": func(m *Machine, in actor.Input) bool {
			for _, p := range m.peers {
				p.out, p.sending = nil, false
			}
			return false
		},
		"loses an announcement round": func(m *Machine, in actor.Input) bool {
			if _, is := in.Body.(actor.Tick); is {
				m.roundAt = m.roundAt.Add(1000 * time.Hour)
			}
			return false
		},
		"loses a failed read": func(m *Machine, in actor.Input) bool {
			if _, is := in.Body.(chain.Block); is && in.Err != nil {
				if p := m.peer(actor.ID(in.Key)); p != nil {
					p.wants.take()
				}
			}
			return false
		},
		"forgets what peers have announced of transactions": func(m *Machine, in actor.Input) bool {
			e, is := in.Body.(peer.TxsAnnounced)
			if is && m.caughtUp {
				for _, name := range e.Txs {
					m.want(steptest.Epoch, m.peer(e.Peer), name)
				}
			}
			return is
		},
		"forgets who sent a transaction": func(m *Machine, in actor.Input) bool {
			if e, is := in.Body.(chain.TxAccepted); is {
				e.Txs[0].Source = 0
			}
			return false
		},
		"does not hear that transactions have gone": func(m *Machine, in actor.Input) bool {
			_, is := in.Body.(chain.TxRemoved)
			return is
		},
		"asks everybody at once": func(m *Machine, in actor.Input) bool {
			if e, is := in.Body.(peer.TxsAnnounced); is {
				for _, name := range e.Txs {
					m.requests.ForgetTx(name.Hash)
				}
			}
			return false
		},
		"fetches what is in hand": func(m *Machine, in actor.Input) bool {
			clear(m.hand.names)
			return false
		},
		"announces a transaction again": func(m *Machine, in actor.Input) bool {
			for _, p := range m.peers {
				p.tells.known.Clear()
			}
			if _, is := in.Body.(actor.Lagged); is {
				for n := range m.pool.next {
					if e := m.pool.byNumber[n]; e != nil {
						m.tell(steptest.Epoch, e, 0)
					}
				}
			}
			return false
		},
		"never tells": func(m *Machine, in actor.Input) bool {
			for _, p := range m.peers {
				p.tells.due = false
			}
			if _, is := in.Body.(actor.Tick); is {
				for _, p := range m.peers {
					if !p.tells.at.IsZero() {
						p.tells.at = p.tells.at.Add(1000 * time.Hour)
					}
				}
			}
			return false
		},
	}
	for name, before := range variants {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(500) {
				if found := tryBroken(t, seed, before); found != "" {
					t.Logf("seed %d: %s", seed, found)
					return
				}
			}
			t.Error("500 seeds and nothing found")
		})
	}
}

func tryBroken(t *testing.T, seed uint64, before func(*Machine, actor.Input) bool) (found string) {
	defer func() {
		if p := recover(); p != nil {
			found, _ = p.(string) // a crash is not a finding
		}
	}()
	rng := rand.New(rand.NewPCG(seed, 0))
	m, specs := connect(worldBounds(), 16)
	newWorld(t, rng.IntN, broken{m, before}, specs).run(120)
	return ""
}

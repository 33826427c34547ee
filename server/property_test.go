package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
)

func trialConfig() Config {
	return Config{
		Bounds: Bounds{
			MaxPeers: 6, OutboundTarget: 2, MaxAdded: 3, MaxInboundPerIP: 2,
			BanDuration: 24 * time.Hour, MaxBans: 100, MaxNotes: 20,
		},
		DefaultPort: 18333, DNSSeeds: []string{"seed.example"}, AddPeers: []string{"4.4.4.4"},
	}
}

func honest(cfg Config, ports Ports) actor.Machine {
	return New(cfg, ports, Topics{}, rand.New(rand.NewPCG(3, 4)))
}

// Whatever happens in whatever order: never more seats taken than there are,
// every Admit answered once and by the rules, every connection owned or closed,
// nobody dialled twice, no banned address touched, no named peer forgotten.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }
		if err := trial(trialConfig(), 300, choose, honest); err != nil {
			t.Fatal(err)
		}
	})
}

// broken is a server with one flaw.
type broken struct {
	*Machine
	spoil func(m *Machine, in actor.Input) (swallow bool)
	after func(m *Machine)
}

func (b *broken) Step(now time.Time, in actor.Input, out *actor.Outbox) {
	if b.spoil != nil && b.spoil(b.Machine, in) {
		return
	}
	b.Machine.Step(now, in, out)
	if b.after != nil {
		b.after(b.Machine)
	}
}

func (b *broken) Check() error { return nil } // the judge must find it alone

// The judge must catch servers that are wrong in the ways that servers are.
func TestTheJudgeCatchesBrokenServers(t *testing.T) {
	flaws := map[string]func(cfg Config, ports Ports) actor.Machine{
		"one seat too many": func(cfg Config, ports Ports) actor.Machine {
			cfg.MaxPeers++
			return &broken{Machine: honest(cfg, ports).(*Machine)}
		},
		"a connection that is neither kept nor closed": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), spoil: func(m *Machine, in actor.Input) bool {
				d, is := in.Body.(Dialed)
				return is && d.Conn%3 == 1
			}}
		},
		"an Admit without an answer": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), spoil: func(m *Machine, in actor.Input) bool {
				q, is := in.Body.(Admit)
				return is && q.Conn%7 == 1
			}}
		},
		"dials that take no seat": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), spoil: func(m *Machine, in actor.Input) bool {
				if _, is := in.Body.(Admit); is {
					m.cfg.MaxPeers += len(m.dials.list)
				}
				return false
			}, after: func(m *Machine) { m.cfg.MaxPeers = cfg.MaxPeers }}
		},
		"seats that never come back": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), spoil: func(m *Machine, in actor.Input) bool {
				_, is := in.Body.(actor.Ended)
				return is
			}}
		},
		"forgotten bans": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), after: func(m *Machine) {
				m.bans = newBans(m.cfg.BanDuration, m.cfg.MaxBans)
			}}
		},
		"forgotten peers after a crash": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), spoil: func(m *Machine, in actor.Input) bool {
				_, is := in.Body.(actor.Alive)
				return is
			}}
		},
		"a back-off that waits for an event": func(cfg Config, ports Ports) actor.Machine {
			return &broken{Machine: honest(cfg, ports).(*Machine), after: func(m *Machine) {
				for i := range m.named.list {
					if p := &m.named.list[i]; p.phase == waiting && p.tries > 0 {
						p.at = time.Unix(2_000_000_000, 0)
					}
				}
			}}
		},
	}
	for name, build := range flaws {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(300) {
				if err := trial(trialConfig(), 300, dice(seed), build); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Fatal("300 trials found nothing")
		})
	}
}

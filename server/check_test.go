package server

import (
	"testing"
	"time"
)

// Check notices when a tracker breaks its rules, and when a list grows beyond its
// bound.
func TestCheckNoticesWhatIsWrong(t *testing.T) {
	flaws := map[string]func(m *Machine){
		"more connections than seats":   func(m *Machine) { m.cfg.MaxPeers = 3 },
		"more automatic than wanted":    func(m *Machine) { m.cfg.OutboundTarget = 0 },
		"remotes out of order":          func(m *Machine) { m.remotes[0], m.remotes[1] = m.remotes[1], m.remotes[0] },
		"ready without a handshake":     func(m *Machine) { m.remotes[0].shook = false },
		"more tokens than allowed":      func(m *Machine) { m.remotes[0].talk.tokens = maxTokens + 1 },
		"a message for a leaving peer":  func(m *Machine) { m.remotes[2].talk.getAddrs(); m.remotes[2].ready = false },
		"an address dialled twice":      func(m *Machine) { m.dials.list = append(m.dials.list, m.dials.list[0]) },
		"an address dialled, connected": func(m *Machine) { m.dials.list[0].addr = m.remotes[0].addr },
		"more peers added than allowed": func(m *Machine) { m.named.maxAdded = 0 },
		"more peers named than allowed": func(m *Machine) { m.named.configured = 0 },
		"more addresses of a name":      func(m *Machine) { m.named.list[1].addrs = addrs },
		"a dialling peer without dial":  func(m *Machine) { m.named.list[0].number++ },
		"a link to nobody":              func(m *Machine) { m.named.list[1].phase = linked },
		"lookups after a round":         func(m *Machine) { m.seeds.asking = false },
		"more seeds asked than there":   func(m *Machine) { m.seeds.next = 2 },
		"more candidates than wanted":   func(m *Machine) { m.outbound.most = 0 },
		"more notes than allowed":       func(m *Machine) { m.gossip.most = 0 },
		"miscounted addresses":          func(m *Machine) { m.gossip.learned++ },
		"more bans than allowed":        func(m *Machine) { m.bans.most = 0 },
		"bans out of order":             func(m *Machine) { m.bans.order[0], m.bans.order[1] = m.bans.order[1], m.bans.order[0] },
		"a ban in one list only":        func(m *Machine) { delete(m.bans.until, m.bans.order[0]) },
		"two automatic of a group":      func(m *Machine) { m.remotes[1].inbound, m.remotes[1].addr = false, at("1.1.9.9:1") },
	}
	for name, spoil := range flaws {
		m := busy(t)
		if spoil(m); m.Check() == nil {
			t.Errorf("%s: nothing is noticed", name)
		}
	}
}

// busy is a server with something in each of its lists.
func busy(t *testing.T) *Machine {
	cfg := seeded("a.example")
	cfg.AddPeers = []string{"10.0.0.1", "node.example"}
	b := newBench(t, cfg)
	b.wantDial("10.0.0.1:18333", "a named peer is dialled, another one looked up")
	b.done(AddNode{Command: "add", Addr: "10.0.0.2"}, "", "a peer of addnode")
	b.misbehave("7.7.7.7:1")
	b.Advance(time.Minute)
	b.misbehave("7.7.7.8:1")
	for _, addr := range []string{"8.8.8.1:1", "8.8.8.2:1", "8.8.8.3:1"} {
		b.ready(b.arrive(addr), addr)
	}
	b.pick(0, "1.1.1.1:18333", "2.2.2.2:18333")
	b.wantDial("10.0.0.2:18333", "the peer of addnode")
	auto := b.connect(b.wantDial("1.1.1.1:18333", "an automatic peer"), "1.1.1.1:18333")
	b.ready(auto, "1.1.1.1:18333")
	if len(b.m.outbound.candidates) == 0 || b.m.seeds.open == 0 || len(b.m.gossip.note.Good) == 0 {
		t.Fatalf("not busy: %+v", b.m)
	}
	b.Leave()
	return b.m
}

package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// TestCheckFindsWhatIsWrong is the control of Check: it finds every list that has
// grown beyond its bound, and what has lost count.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(m *Machine, p *remote){
		"peers out of order":           func(m *Machine, p *remote) { m.peers[0], m.peers[1] = m.peers[1], m.peers[0] },
		"more reads than allowed":      func(m *Machine, p *remote) { m.reads = m.cfg.MaxReads + 1 },
		"a read that is not counted":   func(m *Machine, p *remote) { m.reads = 0 },
		"the tip wanted and not asked": func(m *Machine, p *remote) { m.resync.wanted = true },
		"more known than allowed":      func(m *Machine, p *remote) { p.known.max = len(p.known.ring) - 1 },
		"known in one list only":       func(m *Machine, p *remote) { p.known.ring = nil },
		"too much news":                func(m *Machine, p *remote) { m.cfg.MaxAnnounce = len(p.news) - 1 },
		"news that it knows":           func(m *Machine, p *remote) { p.known.add(p.news[0].hash, true) },
		"more items than allowed":      func(m *Machine, p *remote) { m.cfg.MaxWanted = p.wants.items.n - 1 },
		"items miscounted":             func(m *Machine, p *remote) { p.wants.items.n++ },
		"items of no message":          func(m *Machine, p *remote) { *p.wants.runs.head()++ },
		"more messages than items":     func(m *Machine, p *remote) { p.wants.runs.push(0); p.wants.runs.push(0) },
		"missed of no message":         func(m *Machine, p *remote) { p.wants = wants{}; p.wants.missed.push(want{}) },
		"more locators than allowed":   func(m *Machine, p *remote) { m.cfg.MaxLocators = len(p.wants.headers) - 1 },
		"more getblocks than allowed":  func(m *Machine, p *remote) { m.cfg.MaxLocators = len(p.wants.hashes) - 1 },
		"a message that nobody sends":  func(m *Machine, p *remote) { p.out = send1(wire.NewMsgGetAddr()) },
		"nothing is sent":              func(m *Machine, p *remote) { p.sending = true },
		"an answer held for no reason": func(m *Machine, p *remote) { p.held = send1(wire.NewMsgGetAddr()) },
		"news without a round":         func(m *Machine, p *remote) { m.roundAt = time.Time{} },
		"a read that nobody has begun": func(m *Machine, p *remote) { p.read, m.reads = noRead, 0 },
		"two blocks in memory":         twoBlocks,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, alice, bob)
			r.Give(peer.DataWanted{Peer: alice, Items: items(wire.InvTypeBlock, 0, 1)})
			r.Give(peer.HeadersWanted{Peer: alice})
			r.Give(peer.HeadersWanted{Peer: alice})
			r.Give(peer.BlocksWanted{Peer: alice})
			r.Give(peer.Announced{Peer: alice, Blocks: []chainhash.Hash{number(1)}})
			for _, b := range grow(r, genesis, 2, 1) {
				r.Give(b)
			}
			m := r.M.(*Machine)
			if err := m.Check(); err != nil {
				t.Fatal(err)
			}
			r.Leave()
			spoil(m, m.peer(alice))
			if m.Check() == nil {
				t.Fatal("Check finds nothing")
			}
		})
	}
}

// twoBlocks has a block being sent and another one held back.
func twoBlocks(m *Machine, p *remote) {
	one := &message{send: peer.Send{Payloads: [][]byte{{1}}}, item: block, items: 1}
	p.out, p.sending, p.held, p.read, m.reads = one, true, one, noRead, 0
}

package peer

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
)

// TestCheckFindsWhatIsWrong is the control of Check: it finds every list that has
// grown beyond its bound, and states that do not go together.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(m *Machine){
		"ready and not opened":      func(m *Machine) { m.opened = false },
		"more flushed than written": func(m *Machine) { m.flushed.bytes = m.written.bytes + 1 },
		"more messages flushed":     func(m *Machine) { m.flushed.msgs = m.written.msgs + 1 },
		"too many Sends held": func(m *Machine) {
			m.written.bytes += uint64(m.cfg.QueueCap)
			m.held = make([]actor.Call[Sent], m.cfg.HeldSends+1)
		},
		"a Send held for no reason": func(m *Machine) { m.held = make([]actor.Call[Sent], 1) },
		"too much is queued":        func(m *Machine) { m.written.bytes += uint64(m.cfg.QueueMax) + 1 },
		"too many blocks": func(m *Machine) {
			for n := range m.cfg.AskedBlocks + 1 {
				m.blocks = append(m.blocks, hashOf(byte(n)))
			}
		},
		"a block twice":              func(m *Machine) { m.blocks = make([]chainhash.Hash, 2) },
		"figures of unknown names":   func(m *Machine) { fillNames(m.recvByCommand, len(messages)+2) },
		"... of what we send":        func(m *Machine) { fillNames(m.sentByCommand, len(messages)+1) },
		"a ping before the end":      func(m *Machine) { m.state, m.opened, m.pingSent = greeted, false, m.connected },
		"a state without a deadline": func(m *Machine) { m.lastRecv, m.cfg.Silence, m.nextPing = time.Time{}, 0, time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			b := readyBench(t, false, testConfig())
			if err := b.m.Check(); err != nil {
				t.Fatal(err)
			}
			b.Leave()
			if spoil(b.m); b.m.Check() == nil {
				t.Fatal("Check finds nothing")
			}
		})
	}
}

// fillNames makes a list of figures n long.
func fillNames(figures map[string]uint64, n int) {
	clear(figures)
	for i := range n {
		figures[fmt.Sprint(i)] = 1
	}
}

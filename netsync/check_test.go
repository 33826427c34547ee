package netsync

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// TestCheckFindsWhatIsWrong is the control of Check: it finds what a broken
// tracker would leave behind, and every list that has grown beyond its bound.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for name, spoil := range map[string]func(m *Machine, p *remote){
		"remotes out of order":           func(m *Machine, p *remote) { m.ready[0], m.ready[1] = m.ready[1], m.ready[0] },
		"a dropped peer stays":           func(m *Machine, p *remote) { m.drop(p, "it is late", false) },
		"asked without a deadline":       func(m *Machine, p *remote) { p.headers.ask = askWaiting },
		"headers wait outside the queue": func(m *Machine, p *remote) { p.headers.batch.headers = make([]*wire.BlockHeader, 1) },
		"a peer waits twice":             func(m *Machine, p *remote) { m.headers.queue = append(m.headers.queue, m.headers.queue[0]) },
		"a peer that is gone waits":      func(m *Machine, p *remote) { m.headers.queue = append(m.headers.queue, &remote{}) },
		"too many headers": func(m *Machine, p *remote) {
			m.headers.enqueue(p, receivedHeaders{headers: make([]*wire.BlockHeader, 2001)})
		},
		"a long locator":                   func(m *Machine, p *remote) { p.headers.locator = make([]*chainhash.Hash, peer.MaxLocator+1) },
		"a span that is too long":          func(m *Machine, p *remote) { m.cfg.Span = m.span.len() - 1 },
		"sums that are wrong":              func(m *Machine, p *remote) { m.span.unordered++ },
		"forks of too many points":         func(m *Machine, p *remote) { m.route.forks.hashes = make([]chainhash.Hash, chain.MaxForks+1) },
		"too many blocks set aside":        func(m *Machine, p *remote) { m.route.aside.blocks = make([]asideBlock, maxAside+1) },
		"too many points set aside":        func(m *Machine, p *remote) { m.route.aside.points = make([]asidePoint, maxAside+1) },
		"an order that the span knows not": func(m *Machine, p *remote) { p.orders.list = p.orders.list[1:] },
		"an order of a peer that is gone":  func(m *Machine, p *remote) { m.ready = m.ready[1:] },
		"an unsent order before a sent":    func(m *Machine, p *remote) { p.orders.list[0].sent = 0 },
		"too many orders": func(m *Machine, p *remote) {
			for range m.cfg.MaxInFlight + 1 {
				p.orders.list = append(p.orders.list, order{sent: 1})
			}
		},
		"no limit":                func(m *Machine, p *remote) { p.orders.limit = 0 },
		"too much is held":        func(m *Machine, p *remote) { m.cfg.HeldBytes, m.cfg.SubmitBytes = 0, 2*blockSize },
		"bytes that chain judges": func(m *Machine, p *remote) { m.submits.bytes++ },
		"too many submissions": func(m *Machine, p *remote) {
			m.submits.list = append(m.submits.list, make([]submission, maxSubmits)...)
		},
		"a handed block, not judged":  func(m *Machine, p *remote) { m.submits.bytes, m.submits.list = 0, nil },
		"more is judged than allowed": func(m *Machine, p *remote) { m.cfg.SubmitBytes = blockSize },
	} {
		t.Run(name, func(t *testing.T) {
			s, tip := synced(t, 20, nil, 1, 2)
			// Two blocks are being judged, four are held, two are ordered, and headers
			// wait.
			s.held = func(q any) bool { return is[chain.SubmitBlock](q) || is[chain.SubmitHeaders](q) }
			q := s.wantOrders(1, "the first blocks")
			s.deliver(1, slices.Concat(q[:2], q[3:7])...)
			for range 2 { // one message is judged, one waits
				s.give(peer.HeadersReceived{Peer: 2, Headers: tip.locate(nil)})
			}
			if err := s.m.Check(); err != nil {
				t.Fatal(err)
			}
			s.Leave()
			spoil(s.m, s.m.find(actor.ID(1)))
			if s.m.Check() == nil {
				t.Fatal("Check finds nothing")
			}
		})
	}
}

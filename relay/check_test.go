package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
	"acyclic/relay/track"
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
		"an inv that nobody asked for": func(m *Machine, p *remote) { p.wants = wants{continued: true} },
		"missed of no message":         func(m *Machine, p *remote) { p.wants = wants{}; p.wants.missed.push(want{}) },
		"more locators than allowed":   func(m *Machine, p *remote) { m.cfg.MaxLocators = len(p.wants.headers) - 1 },
		"more getblocks than allowed":  func(m *Machine, p *remote) { m.cfg.MaxLocators = len(p.wants.hashes) - 1 },
		"a message that nobody sends":  func(m *Machine, p *remote) { p.out = send1(wire.NewMsgGetAddr()) },
		"nothing is sent":              func(m *Machine, p *remote) { p.sending = true },
		"an answer held for no reason": func(m *Machine, p *remote) { p.held = send1(wire.NewMsgGetAddr()) },
		"news without a round":         func(m *Machine, p *remote) { m.roundAt = time.Time{} },
		"a read that nobody has begun": func(m *Machine, p *remote) { p.read, m.reads = noRead, 0 },
		"two blocks in memory":         twoBlocks,

		"too much wanted of all":        func(m *Machine, p *remote) { m.cfg.MaxWantedOfAll = 0 },
		"a batch of more than waits":    func(m *Machine, p *remote) { p.wants.batch = p.wants.items.n + 1 },
		"wtxid peers miscounted":        func(m *Machine, p *remote) { m.wtxidPeers++ },
		"more of the pool than allowed": func(m *Machine, p *remote) { m.pool.max = 1 },
		"a wtxid that names nothing":    func(m *Machine, p *remote) { m.pool.byWTxID[number(77)] = &pooled{} },
		"one without its wtxid":         func(m *Machine, p *remote) { delete(m.pool.byWTxID, aPooledID(2).WTxID) },
		"one without its number":        func(m *Machine, p *remote) { delete(m.pool.byNumber, 0) },
		"a number of the future":        func(m *Machine, p *remote) { m.pool.next = 0 },
		"more changes than allowed":     func(m *Machine, p *remote) { m.pending.max = 0 },
		"changes for no answer":         func(m *Machine, p *remote) { m.pending.asked = 0 },
		"names wanted, not asked":       func(m *Machine, p *remote) { m.pending = pending{max: 9, inquiry: inquiry{wanted: true}} },
		"the fee wanted, not asked":     func(m *Machine, p *remote) { m.fees.wanted, m.fees.asked = true, 0 },
		"more in hand than allowed":     func(m *Machine, p *remote) { m.cfg.MaxHand = m.hand.bytes - 1 },
		"bytes in hand miscounted":      func(m *Machine, p *remote) { m.hand.bytes++ },
		"bytes of a peer miscounted":    func(m *Machine, p *remote) { p.got.bytes++ },
		"what waits miscounted":         func(m *Machine, p *remote) { m.hand.waiting++ },
		"a name in hand of nobody":      func(m *Machine, p *remote) { m.hand.names[number(77)] = 1 },
		"too long a queue":              func(m *Machine, p *remote) { m.cfg.MaxQueued = 1 },
		"a queue out of order": func(m *Machine, p *remote) {
			q := p.tells.queue
			q[0], q[1] = q[1], q[0]
		},
		"a queue and no time":           func(m *Machine, p *remote) { p.tells.at = time.Time{} },
		"a queue of one who wants none": func(m *Machine, p *remote) { p.hears = false },
		"its time has come, not told":   func(m *Machine, p *remote) { quiet(p); p.tells.due = true },
		"a fee rate that is not told":   func(m *Machine, p *remote) { quiet(p); p.tellFee = true },
		"what nobody is asked for": func(m *Machine, p *remote) {
			quiet(p)
			m.requests.ReceivedInv(alice, peer.TxName{Hash: number(99)}, true, steptest.Epoch)
			m.requests.Advance(steptest.Epoch)
		},
		"the tracker of requests":        func(m *Machine, p *remote) { m.requests = spoiledRequests(m) },
		"a filter of no generation":      func(m *Machine, p *remote) { *m.rejected = track.Filter{} },
		"... of what a block had":        func(m *Machine, p *remote) { *m.confirmed = track.Filter{} },
		"... of what a peer knows":       func(m *Machine, p *remote) { *p.tells.known = track.Filter{} },
		"orphans over the bound":         func(m *Machine, p *remote) { m.orphans = spoiledOrphans(m) },
		"too many that nobody asked for": func(m *Machine, p *remote) { m.unbroadcast = spoiledUnbroadcast(m) },
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
			fillTxs(r)
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

// fillTxs has transactions in all places.
func fillTxs(r *steptest.Rig) {
	r.Give(chain.Tips{Block: chain.Point{Hash: number(1), Time: r.Now}})
	r.Give(peer.Ready{Peer: carol, WTxIDs: true})
	r.Give(chain.TxAccepted{Txs: []chain.PoolTx{aPooled(r, 1), aPooled(r, 2), aPooled(r, 3), aPooled(r, 4), aPooled(r, 5)}})
	for n := range uint32(5) {
		tx, _ := aTx(n)
		deliver(r, alice, tx)
	}
	r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
	r.Give(chain.TxRemoved{Txs: []chain.TxID{aPooledID(3)}})
}

func aPooledID(n int) chain.TxID { return chain.TxID{TxID: number(n), WTxID: number(n + 1<<24)} }

// quiet has nothing being sent to a peer.
func quiet(p *remote) { p.out, p.sending, p.held = nil, false, nil }

// A copy of a tracker shares its lists with it. So the copy is spoiled by what happens to
// the tracker.

func spoiledRequests(m *Machine) *track.Requests {
	c := *m.requests
	m.requests.ReceivedInv(alice, peer.TxName{Hash: number(99)}, false, time.Time{})
	return &c
}

func spoiledOrphans(m *Machine) *track.Orphans {
	m.orphans.Add(time.Time{}, aPooledID(70), bob, []chainhash.Hash{number(71)})
	c := *m.orphans
	m.orphans.ForgetPeer(bob)
	return &c
}

func spoiledUnbroadcast(m *Machine) *track.Unbroadcast {
	c := *m.unbroadcast
	m.unbroadcast.Remove(aPooledID(1))
	m.unbroadcast.Remove(aPooledID(2))
	return &c
}

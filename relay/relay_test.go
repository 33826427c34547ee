package relay

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

const (
	testTopic actor.TopicID = 7
	alice     actor.ID      = 1<<32 | 1
	bob       actor.ID      = 1<<32 | 2
	carol     actor.ID      = 1<<32 | 3
)

// connect wires a machine whose Send port has a slot for each of n peers.
func connect(b Bounds, n int) (*Machine, []actor.PortSpec) {
	var p actor.Ports
	ports := connectPorts(&p, windows{Reads: b.MaxReads, Peers: n, ReadTimeout: time.Minute, SendTimeout: time.Minute})
	return New(Config{Bounds: b}, ports, topics, rand.New(rand.NewPCG(1, 2))), p.Specs
}

// newRig puts a relay with some ready peers on the bench.
func newRig(t testing.TB, peers ...actor.ID) *steptest.Rig {
	t.Helper()
	m, specs := connect(DefaultBounds(), 16)
	r := steptest.New(t, m, specs)
	t.Cleanup(r.RunOut)
	for _, id := range peers {
		r.Give(peer.Ready{Peer: id})
	}
	r.WantNothing("a new peer is told nothing")
	return r
}

// grow returns n blocks on top of parent, stamped now; salt tells branches
// apart.
func grow(r *steptest.Rig, parent chain.BlockConnected, n int, salt byte) []chain.BlockConnected {
	var blocks []chain.BlockConnected
	for range n {
		h := wire.BlockHeader{PrevBlock: parent.Hash, Timestamp: r.Now, Nonce: uint32(parent.Height), MerkleRoot: chainhash.Hash{salt}}
		parent = chain.BlockConnected{
			Point:  chain.Point{Hash: h.BlockHash(), Height: parent.Height + 1, Time: r.Now},
			Header: h,
		}
		blocks = append(blocks, parent)
	}
	return blocks
}

var genesis = chain.BlockConnected{Point: chain.Point{Hash: chainhash.Hash{9}}}

// round lets the next announcement round come.
func round(r *steptest.Rig) { r.Advance(100 * time.Millisecond) }

// wantInv takes the next Send; it must be an inv of exactly these blocks.
func wantInv(t *testing.T, r *steptest.Rig, to actor.ID, why string, hashes ...chainhash.Hash) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	inv, ok := send.Msgs[0].(*wire.MsgInv)
	if !ok || asked.To != to || len(inv.InvList) != len(hashes) {
		t.Fatalf("%s: %T to %v, want an inv of %d to %v", why, send.Msgs[0], asked.To, len(hashes), to)
	}
	for i, v := range inv.InvList {
		if v.Hash != hashes[i] || v.Type != wire.InvTypeBlock {
			t.Fatalf("%s: item %d is %v %v, want %v", why, i, v.Type, v.Hash, hashes[i])
		}
	}
	return asked
}

// wantHeaders takes the next Send; it must be a headers message of exactly
// these blocks.
func wantHeaders(t *testing.T, r *steptest.Rig, to actor.ID, why string, blocks ...chain.BlockConnected) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	msg, ok := send.Msgs[0].(*wire.MsgHeaders)
	if !ok || asked.To != to || len(msg.Headers) != len(blocks) {
		t.Fatalf("%s: %T to %v, want headers of %d to %v", why, send.Msgs[0], asked.To, len(blocks), to)
	}
	for i, h := range msg.Headers {
		if h.BlockHash() != blocks[i].Hash {
			t.Fatalf("%s: header %d is %v, want %v", why, i, h.BlockHash(), blocks[i].Hash)
		}
	}
	return asked
}

func wantNotFound(t *testing.T, r *steptest.Rig, why string, hashes ...chainhash.Hash) steptest.Asked {
	t.Helper()
	send, asked := steptest.WantAsk[peer.Send](r, why)
	msg, ok := send.Msgs[0].(*wire.MsgNotFound)
	if !ok || len(msg.InvList) != len(hashes) {
		t.Fatalf("%s: %T, want notfound of %d", why, send.Msgs[0], len(hashes))
	}
	for i, v := range msg.InvList {
		if v.Hash != hashes[i] {
			t.Fatalf("%s: item %d is %v, want %v", why, i, v.Hash, hashes[i])
		}
	}
	return asked
}

func status(r *steptest.Rig) Status {
	return steptest.WantAnswer[Status](r, r.Ask(GetStatus{}), "the figures")
}

func unbroadcast(r *steptest.Rig) []chainhash.Hash {
	return steptest.WantAnswer[Unbroadcast](r, r.Ask(GetUnbroadcast{}), "what nobody has asked for").TxIDs
}

// windows bound what relay may have outstanding.
type windows struct {
	Reads       int           // questions of each kind at the readers: MaxReads
	Peers       int           // Sends: one for each peer
	ReadTimeout time.Duration // longer than any honest read takes
	SendTimeout time.Duration // longer than a peer cell keeps a stuck queue
}

// The cells and adapters that a relay on the bench asks.
const (
	chainID   actor.ID = 1
	readersID actor.ID = 2
)

// submits is how many transactions chain may be offered at a time.
const submits = 3

// topics tell the two streams apart.
var topics = chain.Topics{Blocks: actor.Stream[chain.Event]{ID: testTopic}, Txs: actor.Stream[chain.TxEvent]{ID: testTopic + 1}}

// connectPorts connects relay to chain, to the readers and to the peer cells.
func connectPorts(p *actor.Ports, w windows) Ports {
	const readers = actor.Ref[chain.Readers](readersID)
	return Ports{
		Headers: actor.Connect[chain.GetHeaders](p, "relay.headers", readers, w.Reads, w.ReadTimeout),
		Hashes:  actor.Connect[chain.GetHashes](p, "relay.hashes", readers, w.Reads, w.ReadTimeout),
		Block:   actor.Connect[chain.GetBlock](p, "relay.block", readers, w.Reads, w.ReadTimeout),
		Tips:    actor.Connect[chain.GetTips](p, "relay.tips", actor.Ref[chain.Chain](chainID), 1, w.ReadTimeout),

		Tx:       actor.Connect[chain.SubmitTx](p, "relay.tx", actor.Ref[chain.Chain](chainID), submits, w.ReadTimeout),
		PoolTxs:  actor.Connect[chain.GetPoolTxs](p, "relay.pooltxs", readers, w.Reads, w.ReadTimeout),
		Pool:     actor.Connect[chain.GetPool](p, "relay.pool", readers, 1, w.ReadTimeout),
		PoolInfo: actor.Connect[chain.GetPoolInfo](p, "relay.poolinfo", readers, 1, w.ReadTimeout),

		Send: actor.ConnectOf[peer.Send](p, "relay.send", w.Peers, w.SendTimeout),
	}
}

package peer

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// The names of the bench.
const (
	self    actor.ID = 77
	adapter actor.ID = 5
	conn    ConnID   = 12
)

var topics = Topics{
	Lifecycle: actor.Ledger[Ready, Gone]{ID: 1},
	Sync:      actor.Traffic[ForSync]{ID: 2},
	Relay:     actor.Traffic[ForRelay]{ID: 3},
	Server:    actor.Traffic[ForServer]{ID: 4},
}

var remote = netip.MustParseAddrPort("127.0.0.1:18333")

// testConfig has small bounds, so that tests reach them.
func testConfig() Config {
	return Config{
		Services:  wire.SFNodeNetwork | wire.SFNodeWitness,
		UserAgent: "/acyclic:test/",
		NonceKey:  [32]byte{1, 2, 3},
		Bounds: Bounds{
			Handshake:     30 * time.Second,
			PingEvery:     2 * time.Minute,
			PongWithin:    20 * time.Minute,
			Silence:       5 * time.Minute,
			Stuck:         time.Minute,
			HeadersWithin: 2 * time.Minute,
			QueueCap:      1000,
			QueueMax:      10_000,
			HeldSends:     3,
			AskedBlocks:   4,
			AskedTxs:      3,
		},
	}
}

// bench is a peer on the bench, and what the remote does to it.
type bench struct {
	*steptest.Rig
	t testing.TB
	m *Machine
}

func newBench(t testing.TB, arg Arg, cfg Config) *bench {
	t.Helper()
	arg.Conn, arg.Remote, arg.BestHeight = conn, remote, 4711
	m := New(self, arg, cfg, Ports{Adapter: adapter}, topics, rand.New(rand.NewPCG(1, 2)))
	b := &bench{Rig: steptest.New(t, m, nil), t: t, m: m}
	t.Cleanup(b.RunOut)
	return b
}

// readyBench is a peer whose handshake is done, in a direction. Its first ping
// has been answered after a round trip of 30 ms.
func readyBench(t testing.TB, inbound bool, cfg Config) *bench {
	t.Helper()
	b := newBench(t, Arg{Inbound: inbound}, cfg)
	b.receive(theirVersion())
	b.receive(&wire.MsgVerAck{})
	b.Advance(0)
	b.flushAll()
	b.Now = b.Now.Add(30 * time.Millisecond)
	b.receive(&wire.MsgPong{Nonce: b.m.pingNonce})
	b.Drop()
	return b
}

// theirVersion is the version message of an honest full node.
func theirVersion() *wire.MsgVersion {
	return &wire.MsgVersion{
		ProtocolVersion: 70016, Services: wire.SFNodeNetwork | wire.SFNodeWitness,
		Timestamp: steptest.Epoch.Add(3 * time.Second), Nonce: 99, UserAgent: "/other:1/", LastBlock: 1234,
	}
}

// receive gives the machine a message as the read pump would.
func (b *bench) receive(msg wire.Message) {
	b.t.Helper()
	b.GiveFrom(adapter, received(b.t, msg))
}

// received is what the transport makes of a message.
func received(t testing.TB, msg wire.Message) Received {
	payload := mustEncode(t, msg)
	r := Received{Conn: conn, Command: msg.Command(), Msg: msg, Bytes: len(payload)}
	if b, is := msg.(*wire.MsgBlock); is {
		r.Msg = &MsgBlock{MsgBlock: wire.MsgBlock{Header: b.Header}, Payload: payload}
	}
	if r.Bad = Skip(r.Command, true); r.Bad != "" {
		r.Msg = nil
	}
	return r
}

// flushAll is a remote that has read everything.
func (b *bench) flushAll() {
	b.flush(0)
}

// says wants exactly these effects, in this order, and nothing else: "bind",
// "write <command>", "ready", "gone", "<traffic type>", "close", "finish",
// "sent", "refuse".
func (b *bench) says(why string, want ...string) {
	b.t.Helper()
	var have []string
	for _, e := range b.Pending() {
		have = append(have, spell(b.t, e))
	}
	b.Drop()
	if !slices.Equal(have, want) {
		b.t.Fatalf("%s:\nwant %s\nhave %s", why, strings.Join(want, ", "), strings.Join(have, ", "))
	}
}

func spell(t testing.TB, e actor.Effect) string {
	switch body := e.Body.(type) {
	case Bind:
		return "bind"
	case Close:
		if !body.Drain {
			return "cut"
		}
		return "close"
	case Write:
		if body.Conn != conn || len(body.Payload) > MaxPayload {
			t.Fatalf("the machine writes to connection %d what no peer reads: %d bytes", body.Conn, len(body.Payload))
		}
		return "write " + body.Command
	case Ready:
		return "ready"
	case Gone:
		return "gone"
	}
	switch {
	case e.Kind == actor.Finish:
		return "finish"
	case e.Kind == actor.Answer && e.Err == actor.ErrBusy:
		return "refuse"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", e.Body), "peer.")
}

// wrote takes the next message that the machine writes.
func wrote[M wire.Message](b *bench, why string) M {
	b.t.Helper()
	w := steptest.Want[Write](b.Rig, why)
	msg, err := Decode(w.Command, w.Payload)
	if err != nil {
		b.t.Fatal(err)
	}
	m, ok := msg.(M)
	if !ok {
		b.t.Fatalf("%s: wrote a %T", why, msg)
	}
	return m
}

func hashOf(n byte) chainhash.Hash { return chainhash.Hash{n} }

func blockInvs(ns ...byte) []*wire.InvVect {
	var list []*wire.InvVect
	for _, n := range ns {
		h := hashOf(n)
		list = append(list, wire.NewInvVect(wire.InvTypeBlock, &h))
	}
	return list
}

// aBlock is a block of one empty transaction; n tells it from others.
func aBlock(n uint32) *wire.MsgBlock {
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(&wire.TxIn{})
	tx.AddTxOut(&wire.TxOut{})
	return &wire.MsgBlock{
		Header:       wire.BlockHeader{Nonce: n, Timestamp: steptest.Epoch},
		Transactions: []*wire.MsgTx{tx},
	}
}

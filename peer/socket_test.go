package peer_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"acyclic/internal/adapters/transport"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/live"
	"acyclic/peer"
	"acyclic/server"
)

// Two small nodes on loopback. Each has a host cell that stands for all
// components, real peers, the live driver and the TCP adapter.

const (
	hostID   actor.ID = 1
	tcpID    actor.ID = 2
	listenID actor.ID = 3
	testID   actor.ID = 4

	peerKind actor.Kind = 1

	// patience is how long what must happen may take; only a failure does.
	patience = 20 * time.Second
)

type (
	// open asks the host to spawn a peer, do to ask all its peers q.
	open struct {
		actor.Asks[opened, host]
		arg peer.Arg
	}
	opened struct{ id actor.ID }
	do     struct {
		actor.Asks[done, host]
		q any
	}
	done struct{}
)

// host spawns peers and passes on what they publish and answer.
type host struct {
	events chan<- any
	peers  []actor.ID
	send   actor.PortOf[peer.Send, peer.Sent, peer.Peer]
	info   actor.PortOf[peer.GetInfo, peer.Info, peer.Peer]
}

func (h *host) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch b := in.Body.(type) {
	case actor.Start, actor.Ended, peer.Announced:
	case actor.Stop:
		out.Finish("stopped")
	case open:
		id, _ := out.Spawn(peerKind, b.arg)
		h.peers = append(h.peers, id)
		b.Call(in).Answer(out, opened{id})
	case do:
		b.Call(in).Answer(out, done{})
		for _, id := range h.peers {
			switch q := b.q.(type) {
			case peer.Send:
				h.send.Ask(out, peer.To(id), 0, q)
			case actor.End:
				out.End(id, q.Reason, q.Fault)
			case peer.GetInfo:
				h.info.Ask(out, peer.To(id), 0, q)
			}
		}
	default:
		h.events <- b // the test's channel has room for all
	}
}

func (h *host) Deadline() time.Time { return time.Time{} }
func (h *host) Check() error        { return nil }

type silent struct{}

func (silent) Record(string, actor.ID, actor.Record) {}

// small is one of the nodes.
type small struct {
	*live.Node
	t      *testing.T
	tcp    *transport.Adapter
	events chan any
	open   actor.Port[open, opened]
	do     actor.Port[do, done]
}

func newSmall(t *testing.T, cfg peer.Config) *small {
	s := &small{t: t, events: make(chan any, 1000)}
	var hostPorts, listenPorts, testPorts actor.Ports
	h := &host{
		events: s.events,
		send:   actor.ConnectOf[peer.Send](&hostPorts, "send", 8, patience),
		info:   actor.ConnectOf[peer.GetInfo](&hostPorts, "info", 8, patience),
	}
	admit := actor.Connect[open](&listenPorts, "admit", actor.Ref[host](hostID), 1, patience)
	s.open = actor.Connect[open](&testPorts, "open", actor.Ref[host](hostID), 1, patience)
	s.do = actor.Connect[do](&testPorts, "do", actor.Ref[host](hostID), 1, patience)
	topic := func(id actor.TopicID, kind actor.TopicKind) bus.Topic {
		return bus.Topic{ID: id, Kind: kind, Subs: []actor.ID{hostID}}
	}
	life := topic(topics.Lifecycle.ID, actor.LedgerTopic)
	life.Closed = peer.Crashed
	s.Node = live.New(silent{})
	s.tcp = transport.New(transport.Config{
		Bounds: transport.DefaultBounds(4),
		Magic:  wire.TestNet3,
		Admit: func(ctx context.Context, _ int, id peer.ConnID, remote, local netip.AddrPort) bool {
			_, err := adapter.Ask(ctx, s.Asker(listenID), admit, open{arg: peer.Arg{Conn: id, Remote: remote, Local: local, Inbound: true}})
			return err == nil
		},
	}, tcpID, s.Node)
	s.Wire(&cell.Plan{
		Cells: []cell.Static{{ID: hostID, Name: "host", Ports: hostPorts.Specs, Stop: 2,
			Build: func(uint32) actor.Machine { return h }}},
		Kinds: []cell.Kind{{
			Kind: bus.Kind{ID: peerKind, Name: "peer", Seats: 4}, Parent: hostID, Control: 1, Latest: 1, Stop: 1,
			Questions: 8, Credit: cell.Credit{Msgs: 4, Bytes: 1 << 20},
			Build: func(id actor.ID, arg any) actor.Machine {
				return peer.New(id, arg.(peer.Arg), cfg, peer.Ports{Adapter: tcpID}, topics, rand.New(rand.NewPCG(uint64(id), 1)))
			},
		}},
		Adapters: []cell.Adapter{{ID: tcpID, Name: "tcp", Teller: s.tcp}},
		Askers:   []cell.Asker{{ID: listenID, Name: "listener", Ports: listenPorts.Specs}, {ID: testID, Name: "test", Ports: testPorts.Specs}},
		Topics:   []bus.Topic{life, topic(topics.Sync.ID, actor.TrafficTopic), topic(topics.Relay.ID, actor.TrafficTopic), topic(topics.Server.ID, actor.TrafficTopic)},
	})
	s.Start()
	return s
}

// dial connects to a listener and spawns the peer.
func (s *small) dial(addr netip.AddrPort) {
	s.t.Helper()
	d := s.tcp.Handle(context.Background(), actor.Input{Body: server.Dial{Addr: addr}}).(server.Dialed)
	if d.Err != "" {
		s.t.Fatalf("dial: %s", d.Err)
	}
	if _, err := adapter.Ask(context.Background(), s.Asker(testID), s.open, open{arg: peer.Arg{Conn: d.Conn, Remote: d.Remote, Local: d.Local, BestHeight: 17}}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *small) tell(q any) {
	s.t.Helper()
	if _, err := adapter.Ask(context.Background(), s.Asker(testID), s.do, do{q: q}); err != nil {
		s.t.Fatal(err)
	}
}

// next wants the next event of the node to be an E.
func next[E any](s *small, why string) E {
	s.t.Helper()
	select {
	case e := <-s.events:
		x, ok := e.(E)
		if !ok {
			s.t.Fatalf("%s: got %T %+v, want %T", why, e, e, x)
		}
		return x
	case <-time.After(patience):
		s.t.Fatalf("%s: nothing happened", why)
		panic("unreachable")
	}
}

func (s *small) stop() {
	s.t.Helper()
	if err := s.Stop(patience); err != nil {
		s.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.tcp.Stop(ctx); err != nil {
		s.t.Error(err)
	}
}

var topics = peer.Topics{
	Lifecycle: actor.Ledger[peer.Ready, peer.Gone]{ID: 1},
	Sync:      actor.Traffic[peer.ForSync]{ID: 2},
	Relay:     actor.Traffic[peer.ForRelay]{ID: 3},
	Server:    actor.Traffic[peer.ForServer]{ID: 4},
}

// socketConfig has bounds of the real size.
func socketConfig(key byte) peer.Config {
	return peer.Config{
		Services:  wire.SFNodeNetwork | wire.SFNodeWitness,
		UserAgent: "/acyclic:test/",
		NonceKey:  [32]byte{key},
		Bounds:    peer.DefaultBounds(2),
	}
}

func TestTwoPeersOverSockets(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b := newSmall(t, socketConfig(1)), newSmall(t, socketConfig(2))
	addr, err := a.tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.dial(addr)
	in, out := next[peer.Ready](a, "the handshake"), next[peer.Ready](b, "the handshake")
	if !in.Inbound || out.Inbound || !in.WTxIDs || !out.WantsAddr || in.Height != 17 || out.Remote != addr {
		t.Errorf("ready: %+v and %+v", in, out)
	}
	next[peer.WantsHeaders](a, "sendheaders")
	next[peer.WantsHeaders](b, "sendheaders")

	b.tell(peer.Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}})
	next[peer.Sent](b, "a peer that reads")
	next[peer.AddrsWanted](a, "getaddr")

	tx := wire.NewMsgTx(1)
	tx.AddTxIn(&wire.TxIn{SignatureScript: bytes.Repeat([]byte{7}, 3_000_000)})
	tx.AddTxOut(&wire.TxOut{})
	block := &wire.MsgBlock{Header: wire.BlockHeader{Timestamp: time.Unix(1, 0)}, Transactions: []*wire.MsgTx{tx}}
	var payload bytes.Buffer
	if err := block.Serialize(&payload); err != nil {
		t.Fatal(err)
	}
	a.tell(peer.Send{Payloads: [][]byte{payload.Bytes()}})
	next[peer.Sent](a, "three megabytes leave") // once the queue is below its cap
	if r := next[peer.BlockReceived](b, "and arrive, though larger than the credit"); !bytes.Equal(r.Payload, payload.Bytes()) || r.Hash != block.BlockHash() || r.Asked {
		t.Errorf("received %d bytes, %v, asked %v", len(r.Payload), r.Hash, r.Asked)
	}

	a.tell(peer.GetInfo{})
	if i := next[peer.Info](a, "the figures"); i.PingTime == 0 || i.SentByCommand["block"] != uint64(payload.Len()+wire.MessageHeaderSize) {
		t.Errorf("info: %+v", i)
	}

	b.tell(actor.End{Reason: "enough"})
	next[peer.Gone](b, "it has ended")
	if g := next[peer.Gone](a, "the other side sees it"); g.Peer != in.Peer || g.Fault || g.Reason != "closed by the other side" {
		t.Errorf("gone: %+v", g)
	}
	b.stop()
	a.stop()
}

// A node dials itself: both cells know it at once, and neither becomes Ready.
func TestSelfConnectionOverSockets(t *testing.T) {
	defer goleak.VerifyNone(t)
	a := newSmall(t, socketConfig(1))
	addr, err := a.tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a.dial(addr)
	for end := time.Now().Add(patience); a.tcp.Conns() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a connection to ourselves stays open")
		}
	}
	a.stop()
	if len(a.events) > 0 {
		t.Errorf("a component heard of it: %+v", <-a.events)
	}
}

// A node that stops says goodbye to its peers.
func TestStopWithOpenConnections(t *testing.T) {
	defer goleak.VerifyNone(t)
	a, b := newSmall(t, socketConfig(1)), newSmall(t, socketConfig(2))
	addr, err := a.tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.dial(addr)
	next[peer.Ready](a, "the handshake")
	next[peer.Ready](b, "the handshake")
	next[peer.WantsHeaders](a, "sendheaders")
	next[peer.WantsHeaders](b, "sendheaders")
	a.stop()
	if g := next[peer.Gone](a, "the node is stopping"); g.Fault {
		t.Errorf("gone: %+v", g)
	}
	next[peer.Gone](b, "the other side sees it")
	b.stop()
}

package fake

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
	"acyclic/server"
)

// owner is the peer cell that owns a connection.
const owner actor.ID = 5<<32 | 1

// node is a bench for one adapter. The test plays the rest of the node.
type node struct {
	*Adapter
	w      *pairWorld
	out    *actor.Outbox
	admits []server.Admit
	dialed []server.Dialed
	got    []any // what the owner was given
	msgs   int   // the owner's credit
	bytes  int
	key    uint64 // of the question that is open; zero: none
}

// pairWorld is two nodes and a clock.
type pairWorld struct {
	t    *testing.T
	net  *Net
	now  time.Time
	a, b *node
}

func newPair(t *testing.T, cfg NetConfig, seed uint64) *pairWorld {
	if cfg.Buffer == 0 {
		cfg.Buffer = 1000
	}
	w := &pairWorld{t: t, net: NewNet(cfg, rand.New(rand.NewPCG(seed, 0))), now: steptest.Epoch}
	w.a, w.b = w.node("10.0.0.1:18444"), w.node("10.0.0.2:18444")
	return w
}

func (w *pairWorld) node(addr string) *node {
	var p actor.Ports
	admit := actor.Connect[server.Admit](&p, "net.admit", actor.Ref[server.Server](7), 1, time.Second)
	n := &node{Adapter: w.net.Adapter(netip.MustParseAddrPort(addr), admit), w: w, msgs: 1 << 20, bytes: 1 << 30}
	n.Cells = n
	n.out = actor.NewOutbox(n)
	n.give(actor.Start{})
	return n
}

// Reserve takes the one slot that an adapter has.
func (n *node) Reserve(_ int, to actor.ID, key uint64, _ time.Time, _ any) (actor.RawCall, bool) {
	n.key = key
	return actor.RawCall{To: to}, true
}

// Free counts it.
func (n *node) Free(int) int {
	if n.key != 0 {
		return 0
	}
	return 1
}
func (n *node) Seat(actor.Kind) (actor.ID, bool) { return 0, false }
func (n *node) Seats(actor.Kind) int             { return 0 }
func (n *node) Credit(actor.ID) (int, int)       { return n.msgs, n.bytes }

// Deliver is what the owner is given.
func (n *node) Deliver(_, _ actor.ID, _ actor.Lane, body any, bytes int) bool {
	if _, ok := body.(peer.Received); ok {
		n.msgs--
		n.bytes -= bytes
	}
	n.got = append(n.got, body)
	return true
}

func (n *node) give(body any) { n.step(actor.Input{Body: body, From: owner}) }

func (n *node) step(in actor.Input) {
	n.out.Begin(n.w.now)
	n.Step(n.w.now, in, n.out)
	for _, e := range n.out.Effects() {
		switch b := e.Body.(type) {
		case server.Admit:
			n.admits = append(n.admits, b)
		case server.Dialed:
			n.dialed = append(n.dialed, b)
		default:
			n.got = append(n.got, b)
		}
	}
	if err := n.Check(); err != nil {
		n.w.t.Fatal(err)
	}
}

func (n *node) admit(peer actor.ID) {
	key := n.key
	n.key = 0
	n.step(actor.Input{Body: server.Admitted{Peer: peer}, Key: key})
}

// run lets time pass, with a Tick at each deadline.
func (w *pairWorld) run(d time.Duration) {
	end := w.now.Add(d)
	for range 1_000_000 {
		var next actor.Earliest
		next.Add(w.b.Deadline(), w.a.Deadline())
		at := next.At()
		if at.IsZero() || at.After(end) {
			w.now = end
			return
		}
		if at.After(w.now) {
			w.now = at
		}
		n := w.a
		if at != n.Deadline() {
			n = w.b
		}
		n.give(actor.Tick{})
	}
	w.t.Fatal("the deadline does not move on")
}

// connected dials from a to b and binds both ends.
func connected(t *testing.T, cfg NetConfig, seed uint64) (w *pairWorld, a, b peer.ConnID) {
	t.Helper()
	w = newPair(t, cfg, seed)
	w.a.give(server.Dial{Addr: w.b.addr})
	w.run(5 * time.Second)
	if len(w.b.admits) != 1 || len(w.a.dialed) != 1 || w.a.dialed[0].Err != "" {
		t.Fatalf("admits %v, dialed %v", w.b.admits, w.a.dialed)
	}
	a, b = w.a.dialed[0].Conn, w.b.admits[0].Conn
	if w.a.dialed[0].Remote != w.b.addr || w.b.admits[0].Remote.Addr() != w.a.addr.Addr() {
		t.Errorf("%+v %+v", w.a.dialed[0], w.b.admits[0])
	}
	w.b.admit(owner)
	w.a.give(peer.Bind{Conn: a})
	w.b.give(peer.Bind{Conn: b})
	for _, e := range slices.Concat(w.a.ends, w.b.ends) {
		e.shaken = true // what is sent here is no handshake
	}
	return w, a, b
}

// Before a verack has come, what is no part of the handshake is not decoded, as at the
// transport.
func TestNothingIsReadBeforeTheVerack(t *testing.T) {
	w, a, _ := connected(t, NetConfig{}, 1)
	for _, e := range w.b.ends {
		e.shaken = false
	}
	w.a.give(ping(a, 1))
	w.a.give(peer.Write{Conn: a, Command: wire.CmdVerAck})
	w.a.give(ping(a, 2))
	w.run(10 * time.Second)
	var read []string
	for _, g := range w.b.got {
		if r, ok := g.(peer.Received); ok && r.Msg != nil {
			read = append(read, r.Command)
		}
	}
	if !slices.Equal(read, []string{wire.CmdVerAck, wire.CmdPing}) {
		t.Errorf("read %v", read)
	}
}

// ping is what a cell tells the adapter to send a ping.
func ping(conn peer.ConnID, nonce uint64) peer.Write {
	return peer.Write{Conn: conn, Command: wire.CmdPing, Payload: binary.LittleEndian.AppendUint64(nil, nonce)}
}

// nonces lists the nonces of the pings that a node's owner was given.
func (n *node) nonces() (list []uint64) {
	for _, g := range n.got {
		if r, ok := g.(peer.Received); ok {
			list = append(list, r.Msg.(*wire.MsgPing).Nonce)
		}
	}
	return list
}

func first[E any](n *node) (e E, ok bool) {
	for _, g := range n.got {
		if e, ok = g.(E); ok {
			return e, true
		}
	}
	return e, false
}

var rough = NetConfig{
	MinLatency: 10 * time.Millisecond, MaxLatency: 300 * time.Millisecond, Jitter: 200 * time.Millisecond,
	Bandwidth: 10_000, Buffer: 200, StallChance: 100, StallFor: 2 * time.Second,
}

func TestMessagesArriveInOrder(t *testing.T) {
	for seed := range uint64(20) {
		w, a, _ := connected(t, rough, seed)
		for i := range uint64(100) {
			w.a.give(ping(a, i))
		}
		w.run(10 * time.Minute)
		got := w.b.nonces()
		if len(got) != 100 {
			t.Fatalf("seed %d: %d of 100 arrived", seed, len(got))
		}
		for i, n := range got {
			if n != uint64(i) {
				t.Fatalf("seed %d: message %d came as number %d", seed, n, i)
			}
		}
		f := w.a.got[len(w.a.got)-1].(peer.Flushed)
		if f.Msgs != 100 || f.Bytes != 800 {
			t.Errorf("seed %d: flushed %+v", seed, f)
		}
	}
}

func TestSameSeedSameRun(t *testing.T) {
	run := func() string {
		w, a, _ := connected(t, rough, 7)
		var log strings.Builder
		for i := range uint64(30) {
			w.a.give(ping(a, i))
			w.run(50 * time.Millisecond)
			fmt.Fprint(&log, len(w.b.nonces()), len(w.a.got), w.b.Deadline(), ";")
		}
		return log.String()
	}
	if run() != run() {
		t.Error("two runs with one seed differ")
	}
}

// An owner without credit is given nothing. The buffers fill, the other side is no longer
// told Flushed, and in the end it is told Broken.
func TestL5NoCreditStopsTheWriter(t *testing.T) {
	w, a, _ := connected(t, NetConfig{Buffer: 320}, 1)
	w.b.msgs = 3
	for i := range uint64(100) {
		w.a.give(ping(a, i))
	}
	w.run(10 * time.Second)
	f, _ := first[peer.Flushed](w.a)
	for _, g := range w.a.got {
		if g, ok := g.(peer.Flushed); ok {
			f = g
		}
	}
	if len(w.b.nonces()) != 3 || f.Msgs != 13 {
		t.Fatalf("%d received, %d flushed", len(w.b.nonces()), f.Msgs)
	}
	w.b.msgs = 50
	w.run(time.Second)
	if len(w.b.nonces()) != 53 {
		t.Fatalf("%d received when there is credit again", len(w.b.nonces()))
	}
	w.run(40 * time.Second)
	if _, ok := first[peer.Broken](w.a); !ok {
		t.Error("a side that does not read is never told Broken")
	}
}

func TestCloseAndDrain(t *testing.T) {
	for _, drain := range []bool{true, false} {
		w, a, b := connected(t, NetConfig{MinLatency: time.Second, MaxLatency: time.Second, Buffer: 64}, 1)
		for i := range uint64(5) {
			w.a.give(ping(a, i))
		}
		w.a.give(peer.Close{Conn: a, Drain: drain})
		w.run(5 * time.Second)
		eof, ok := first[peer.EOF](w.b)
		if !ok || eof.Fault || eof.Reason != "closed by the other side" {
			t.Fatalf("drain %v: %+v", drain, eof)
		}
		if n := len(w.b.nonces()); drain && n < 4 || !drain && n != 2 {
			t.Errorf("drain %v: %d of 5 arrived", drain, n)
		}
		w.b.give(peer.Close{Conn: b})
		if w.a.Conns() != 0 || w.b.Conns() != 0 {
			t.Errorf("%d and %d connections are left", w.a.Conns(), w.b.Conns())
		}
		w.a.give(peer.Bind{Conn: a})
		if _, ok := first[peer.Broken](w.a); !ok {
			t.Error("a connection that is closed can be bound")
		}
	}
}

func TestDialFails(t *testing.T) {
	w := newPair(t, NetConfig{}, 1)
	w.a.give(server.Dial{Addr: netip.MustParseAddrPort("10.0.0.9:1")})
	w.run(time.Minute)
	w.net.Cut(w.a.Adapter, w.b.Adapter, w.now, w.now.Add(time.Hour))
	w.a.give(server.Dial{Addr: w.b.addr})
	w.run(time.Minute)
	if len(w.a.dialed) != 2 || w.a.dialed[0].Err != "connection refused" || w.a.dialed[1].Err != "timed out" {
		t.Errorf("%+v", w.a.dialed)
	}
}

func TestNotAdmittedAndNotClaimed(t *testing.T) {
	w := newPair(t, NetConfig{}, 1)
	for range 2 {
		w.a.give(server.Dial{Addr: w.b.addr})
	}
	w.run(time.Second)
	if len(w.b.admits) != 1 {
		t.Fatalf("%d asked at once", len(w.b.admits))
	}
	w.a.give(peer.Bind{Conn: w.a.dialed[0].Conn})
	w.b.admit(0)
	w.run(time.Second)
	if _, ok := first[peer.EOF](w.a); !ok || len(w.b.admits) != 2 {
		t.Fatal("the first is not closed, or the second not asked for")
	}
	w.b.admit(owner)
	w.run(time.Minute)
	if w.a.Conns() != 0 || w.b.Conns() != 0 {
		t.Errorf("%d and %d connections are left without an owner", w.a.Conns(), w.b.Conns())
	}
}

func TestCutDelays(t *testing.T) {
	w, a, _ := connected(t, NetConfig{}, 1)
	w.net.Cut(w.a.Adapter, w.b.Adapter, w.now, w.now.Add(time.Minute))
	w.a.give(ping(a, 1))
	w.run(50 * time.Second)
	if len(w.b.nonces()) != 0 {
		t.Fatal("a cut network carries messages")
	}
	w.run(20 * time.Second)
	if len(w.b.nonces()) != 1 {
		t.Error("what was under way is lost")
	}
}

func TestReset(t *testing.T) {
	w, _, _ := connected(t, NetConfig{MeanLife: 5 * time.Minute}, 3)
	w.run(time.Hour)
	for _, n := range []*node{w.a, w.b} {
		if eof, ok := first[peer.EOF](n); !ok || eof.Reason != "connection reset by peer" {
			t.Errorf("%+v", eof)
		}
	}
}

// A cell that dies says no Close. The adapter finds out even when nothing arrives for the
// cell. It leaves a silent connection alone while a cell owns it.
func TestConnectionsOfTheDeadAreClosed(t *testing.T) {
	w, _, _ := connected(t, NetConfig{}, 1)
	w.run(time.Hour)
	if w.a.Conns() != 1 || w.b.Conns() != 1 {
		t.Errorf("after an hour of silence %d and %d connections are left", w.a.Conns(), w.b.Conns())
	}
	w.a.msgs = 0 // a cell that is no more has no credit
	w.run(3 * goneAfter)
	if n := w.a.Conns(); n != 0 {
		t.Errorf("%d connections of a dead cell are left", n)
	}
	if eof, ok := first[peer.EOF](w.b); !ok || eof.Fault {
		t.Errorf("the other side is told %+v", eof)
	}
}

func TestBrokenFramingIsAFault(t *testing.T) {
	w, a, _ := connected(t, NetConfig{}, 1)
	w.a.give(Garble{Conn: a})
	w.run(time.Second)
	if eof, ok := first[peer.EOF](w.b); !ok || !eof.Fault {
		t.Errorf("%+v", eof)
	}
}

func TestStopClosesEverything(t *testing.T) {
	w, _, _ := connected(t, NetConfig{}, 1)
	w.b.give(actor.Stop{})
	w.run(time.Second)
	if _, ok := first[peer.EOF](w.a); !ok {
		t.Error("the other side is not told")
	}
	w.a.give(server.Dial{Addr: w.b.addr})
	w.run(time.Second)
	if w.a.dialed[1].Err != "connection refused" {
		t.Errorf("%+v", w.a.dialed[1])
	}
}

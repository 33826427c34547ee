package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"
	"go.uber.org/goleak"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen. It is no measure: only
// a failure takes that long.
const patience = 20 * time.Second

const (
	adapterID actor.ID = 3
	ownerID   actor.ID = 40
)

// fakeCells stands for all cells. Each has credit that only the test refills.
type fakeCells struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	cells   map[actor.ID]*fakeCell
	// lawless is the broken variant: it always gives credit.
	lawless bool
}

type fakeCell struct {
	credit  int
	gone    bool
	waiting int // pumps in AwaitCredit
	asked   int // calls of AwaitCredit
	inbound []any
	flushed peer.Flushed
	broken  []peer.Broken
}

func newCells(credit int) *fakeCells {
	return &fakeCells{
		changed: make(chan struct{}),
		cells:   map[actor.ID]*fakeCell{ownerID: {credit: credit}},
	}
}

func (f *fakeCells) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fakeCells) Deliver(from, to actor.ID, lane actor.Lane, body any, bytes int) (ok bool) {
	f.change(func() {
		c := f.cells[to]
		if ok = c != nil && !c.gone && from == adapterID; !ok {
			return
		}
		switch b := body.(type) {
		case peer.Flushed:
			ok = lane == actor.Events
			c.flushed = b
		case peer.Broken:
			ok = lane == actor.Control
			c.broken = append(c.broken, b)
		default:
			if r, is := body.(peer.Received); is && r.Memory != bytes {
				panic(fmt.Sprintf("%d bytes are charged for %+v", bytes, r))
			}
			ok = lane == actor.Inbound
			c.credit--
			c.inbound = append(c.inbound, body)
		}
	})
	return ok
}

func (f *fakeCells) AwaitCredit(to actor.ID, stop <-chan struct{}) bool {
	var c *fakeCell
	enough := func() bool { return c.gone || c.credit > 0 || f.lawless }
	waits := false
	f.change(func() {
		if c = f.cells[to]; c != nil {
			c.asked++
			if waits = !enough(); waits {
				c.waiting++
			}
		}
	})
	if c == nil {
		return false
	}
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if waits {
			c.waiting--
		}
	}()
	for {
		f.mu.Lock()
		ok, alive, changed := enough(), !c.gone, f.changed
		f.mu.Unlock()
		if ok {
			return alive
		}
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}

// await waits until cond holds for the owner's cell.
func (f *fakeCells) await(t testing.TB, why string, cond func(c *fakeCell) bool) {
	t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		f.mu.Lock()
		ok, changed := cond(f.cells[ownerID]), f.changed
		f.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-timeout.C:
			f.mu.Lock()
			defer f.mu.Unlock()
			t.Fatalf("%s: did not happen; the cell has %+v", why, *f.cells[ownerID])
		}
	}
}

// inbound waits for n messages and returns them.
func (f *fakeCells) inbound(t testing.TB, why string, n int) []any {
	t.Helper()
	var have []any
	f.await(t, why, func(c *fakeCell) bool { have = c.inbound; return len(have) >= n })
	if len(have) > n {
		t.Fatalf("%s: %d inputs, want %d: %+v", why, len(have), n, have)
	}
	return have
}

// rig is an adapter on loopback with one owner.
type rig struct {
	*Adapter
	t     testing.TB
	cells *fakeCells
	addr  netip.AddrPort // of its listener
}

// newRig starts an adapter that listens and admits all connections; each admitted
// connection is bound by ownerID at once, and taken for one that has shaken hands. It is
// stopped with the test.
func newRig(t testing.TB, cfg Config, credit int) *rig {
	t.Helper()
	r := &rig{t: t, cells: newCells(credit)}
	cfg.Magic = magic
	cfg.Bounds = steptest.Fill(cfg.Bounds, DefaultBounds(32))
	if cfg.Admit == nil {
		cfg.Admit = func(_ context.Context, _ int, id peer.ConnID, _, _ netip.AddrPort) bool {
			r.Tell(ownerID, peer.Bind{Conn: id})
			return true
		}
	}
	r.Adapter = New(cfg, adapterID, r.cells)
	r.skip = func(command string, _ bool) string { return peer.Skip(command, true) }
	addr, err := r.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = addr
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		r.t.Errorf("stop: %v", err)
	}
	if n := r.Conns(); n != 0 {
		r.t.Errorf("%d connections are left after Stop", n)
	}
}

// remote is the other side of a connection.
type remote struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

// connect is a remote that dials the adapter's listener.
func (r *rig) connect() *remote {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.addr.String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	return &remote{Conn: nc, t: r.t, r: bufio.NewReader(nc)}
}

// first is the adapter's first connection; they are numbered from 1.
const first peer.ConnID = 1

func (p *remote) send(frames ...[]byte) {
	p.t.Helper()
	for _, f := range frames {
		if _, err := p.Write(f); err != nil {
			p.t.Fatalf("the remote cannot write: %v", err)
		}
	}
}

// reads wants exactly these bytes next.
func (p *remote) reads(why string, want []byte) {
	p.t.Helper()
	have := make([]byte, len(want))
	if n, err := io.ReadFull(p.r, have); err != nil {
		p.t.Fatalf("%s: read %d of %d bytes: %v", why, n, len(want), err)
	}
	if string(have) != string(want) {
		p.t.Fatalf("%s: read other bytes than were written", why)
	}
}

// ends wants the end of the stream next.
func (p *remote) ends(why string) {
	p.t.Helper()
	if n, err := p.r.Read(make([]byte, 1)); n != 0 || err == nil {
		p.t.Fatalf("%s: the connection is open", why)
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		p.t.Fatalf("%s: the connection is still open after %v", why, patience)
	}
}

const magic = wire.TestNet3

// raw is a payload in its frame.
func raw(command string, payload []byte) []byte {
	return append(appendHeader(nil, magic, command, payload), payload...)
}

// frameOf is a message in its frame.
func frameOf(t testing.TB, msg wire.Message) []byte {
	t.Helper()
	payload, err := peer.Encode(msg, wire.ProtocolVersion)
	if err != nil {
		t.Fatal(err)
	}
	return raw(msg.Command(), payload)
}

// writeOf is what a cell says to have a frame written.
func writeOf(conn peer.ConnID, frame []byte) peer.Write {
	return peer.Write{Conn: conn, Command: parseHeader(frame).command, Payload: frame[headerSize:]}
}

// bulk is a frame of n bytes of an unknown command.
func bulk(n int) []byte { return raw("bulk", make([]byte, n-headerSize)) }

func pingFrame(t testing.TB, n uint64) []byte { return frameOf(t, &wire.MsgPing{Nonce: n}) }

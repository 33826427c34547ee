package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/peer"
	"acyclic/server"
)

// Config is what the wiring gives the adapter.
type Config struct {
	Bounds

	// Magic is the network whose messages are read and written.
	Magic wire.BitcoinNet

	// Admit asks whether a connection may stay. listener is the number of the
	// listener that accepted it, counted from 0. Nil admits none. Admit runs on
	// the listener's goroutine. It may wait until ctx ends, and must bound its
	// wait itself.
	Admit func(ctx context.Context, listener int, conn peer.ConnID, remote, local netip.AddrPort) bool

	// Log takes records about the listeners. It must not wait. It may be nil.
	Log func(actor.Record)
}

// Adapter owns the sockets. It is an adapter.Teller and an adapter.Handler.
type Adapter struct {
	cfg     Config
	self    actor.ID
	cells   adapter.Cells
	decoder chan struct{} // has room for as many as may decode at once
	skip    func(command string, shaken bool) (why string)
	decode  func(command string, payload []byte) (wire.Message, error)

	draining atomic.Int64 // connections that drain

	// ctx ends when the adapter stops. Admit and the back-off of the listeners
	// end with it.
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex // a leaf: it guards tables and counters, and nothing is called under it
	stopping  bool
	lastID    peer.ConnID
	conns     map[peer.ConnID]*conn // until their socket is closed
	listeners []net.Listener
	accepting int           // accept loops that run
	idle      chan struct{} // closed when stopping and nothing is left
}

// New returns the adapter named self. It opens nothing until it is asked to.
func New(cfg Config, self actor.ID, cells adapter.Cells) *Adapter {
	if cfg.Log == nil {
		cfg.Log = func(actor.Record) {}
	}
	e := &Adapter{
		cfg: cfg, self: self, cells: cells,
		decoder: make(chan struct{}, cfg.Decoders),
		skip:    peer.Skip,
		decode:  peer.Decode,
		conns:   map[peer.ConnID]*conn{},
		idle:    make(chan struct{}),
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// Conns counts the connections, unclaimed and draining ones included.
func (e *Adapter) Conns() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}

// Handle answers Dial.
func (e *Adapter) Handle(ctx context.Context, in actor.Input) any {
	q, ok := in.Body.(server.Dial)
	if !ok {
		panic(fmt.Sprintf("transport: asked a %T", in.Body))
	}
	return e.dial(ctx, q.Addr)
}

func (e *Adapter) dial(ctx context.Context, addr netip.AddrPort) server.Dialed {
	d := net.Dialer{Timeout: e.cfg.DialTimeout, KeepAlive: keepAlive}
	//correctness: waits for the network for at most DialTimeout, holds
	//nothing, and runs on a worker that only dials.
	nc, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return server.Dialed{Remote: addr, Err: brief(err)}
	}
	c := e.register(nc)
	if c == nil {
		return server.Dialed{Remote: addr, Err: "the node is stopping"}
	}
	return server.Dialed{Conn: c.id, Local: c.local, Remote: addr}
}

// Tell takes Bind, Write and Close from peer cells, and Refuse from the server.
// It never waits.
func (e *Adapter) Tell(from actor.ID, body any) {
	switch b := body.(type) {
	case peer.Bind:
		e.bind(from, b.Conn)
	case peer.Write:
		if c := e.owned(b.Conn, from); c != nil {
			c.write(b)
		}
	case peer.Close:
		if c := e.owned(b.Conn, from); c != nil {
			c.end(b.Drain)
		}
	case server.Refuse:
		if c := e.find(b.Conn); c != nil {
			c.end(false)
		}
	default:
		panic(fmt.Sprintf("transport: told a %T", body))
	}
}

func (e *Adapter) find(id peer.ConnID) *conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conns[id]
}

// owned finds a connection for its owner: only the owner may write and close.
func (e *Adapter) owned(id peer.ConnID, cell actor.ID) *conn {
	c := e.find(id)
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owner != cell {
		return nil
	}
	return c
}

// bind starts the pumps of a connection for a cell, or tells the cell that the
// connection is lost.
func (e *Adapter) bind(cell actor.ID, id peer.ConnID) {
	if c := e.find(id); c == nil || !c.claim(cell) {
		e.cells.Deliver(e.self, cell, actor.Control, peer.Broken{Conn: id, Reason: "the connection was lost before it was used"}, 0)
	}
}

// register names a new connection, which is closed unless it is claimed in time. If the
// adapter is stopping, register closes nc and returns nil.
func (e *Adapter) register(nc net.Conn) *conn {
	c := newConn(e, nc)
	e.mu.Lock()
	stopping := e.stopping
	if !stopping {
		e.lastID++
		c.id = e.lastID
		e.conns[c.id] = c
	}
	e.mu.Unlock()
	if stopping {
		nc.Close()
		return nil
	}
	c.arm()
	return c
}

// forget drops a connection whose socket is closed.
func (e *Adapter) forget(c *conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, c.id)
	e.settle()
}

// settle closes idle if the adapter is stopping and nothing is left. The caller
// holds mu and has just removed something, or begun to stop.
func (e *Adapter) settle() {
	if e.stopping && len(e.conns) == 0 && e.accepting == 0 {
		close(e.idle)
	}
}

// mayDrain counts a connection that is about to drain. It returns false if too many
// drain already.
func (e *Adapter) mayDrain() bool {
	if e.draining.Add(1) <= int64(e.cfg.Draining) {
		return true
	}
	e.draining.Add(-1)
	return false
}

// Listen binds addr ("host:port", IPv4 or IPv6) and accepts from then on. It
// returns the address bound, with the port that the system chose for port 0.
func (e *Adapter) Listen(addr string) (netip.AddrPort, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	l, err := lc.Listen(e.ctx, "tcp", addr)
	if err != nil {
		hint := ""
		if errors.Is(err, syscall.EADDRINUSE) {
			hint = " (is another node running?)"
		}
		return netip.AddrPort{}, fmt.Errorf("cannot listen on %s: %s%s", addr, brief(err), hint)
	}
	e.mu.Lock()
	stopping, number := e.stopping, len(e.listeners)
	if !stopping {
		e.listeners = append(e.listeners, l)
		e.accepting++
	}
	e.mu.Unlock()
	if stopping {
		l.Close()
		return netip.AddrPort{}, fmt.Errorf("cannot listen on %s: the node is stopping", addr)
	}
	// goroutines: one for each listener.
	go e.acceptLoop(l, number)
	return addrPort(l.Addr()), nil
}

// acceptEnded is the last thing that an accept loop does.
func (e *Adapter) acceptEnded() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.accepting--
	e.settle()
}

// Stop ends everything. It waits until all sockets are closed, or ctx ends.
// Connections that drain have until then.
func (e *Adapter) Stop(ctx context.Context) error {
	e.mu.Lock()
	if !e.stopping {
		e.stopping = true
		e.settle()
	}
	listeners := slices.Clone(e.listeners)
	conns := slices.Collect(maps.Values(e.conns))
	e.mu.Unlock()
	e.cancel()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range conns {
		if c.in() != draining {
			c.end(false)
		}
	}
	//correctness: the caller's ctx bounds the wait. Draining connections end
	//by themselves within DrainTimeout.
	select {
	case <-e.idle:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	conns = slices.Collect(maps.Values(e.conns))
	e.mu.Unlock()
	for _, c := range conns {
		c.end(false)
	}
	return fmt.Errorf("%d connections were cut off: %w", len(conns), ctx.Err())
}

// keepAlive is the interval of TCP keep-alive probes. They find hosts that have
// vanished. The peer's pings find processes that hang.
const keepAlive = time.Minute

// brief is err without the addresses. The reader knows them.
func brief(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		if op.Timeout() {
			return "timed out"
		}
		err = op.Err
	}
	if no := syscall.Errno(0); errors.As(err, &no) {
		return no.Error()
	}
	return err.Error()
}

// addrPort is a in the program's form: IPv4 is never mapped into IPv6.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

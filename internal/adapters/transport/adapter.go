package transport

import (
	"context"
	"errors"
	"fmt"
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
)

// Config is what the wiring gives the adapter.
type Config struct {
	Bounds

	// Magic is the network whose messages are read.
	Magic wire.BitcoinNet

	// Admit asks whether an accepted connection may stay; nil admits none. It
	// is called on the listener's goroutine, one at a time for each, and may
	// wait until ctx ends; it must have a bound of its own.
	Admit func(ctx context.Context, conn ConnID, remote, local netip.AddrPort) bool

	// Log takes records about the listeners; it must not wait. May be nil.
	Log func(actor.Record)
}

// Adapter owns the sockets. It is an adapter.Teller and an adapter.Handler.
type Adapter struct {
	cfg     Config
	self    actor.ID
	cells   adapter.Cells
	decoder chan struct{} // as many places as messages may be decoded at once
	decode  func(frame []byte, magic wire.BitcoinNet) (wire.Message, error)

	draining atomic.Int64 // connections that drain

	// ctx ends when the adapter stops: Admit and the back-off of the listeners
	// end with it.
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex // a leaf: nothing is called or waited for under it
	stopping  bool
	lastID    ConnID
	conns     map[ConnID]*conn
	listeners []net.Listener
	running   int           // goroutines: pumps and accept loops
	idle      chan struct{} // closed when stopping and none runs
}

// The adapter's two faces.
var (
	_ adapter.Teller  = (*Adapter)(nil)
	_ adapter.Handler = (*Adapter)(nil)
)

// New returns the adapter named self. It opens nothing until it is asked to.
func New(cfg Config, self actor.ID, cells adapter.Cells) *Adapter {
	if cfg.Log == nil {
		cfg.Log = func(actor.Record) {}
	}
	e := &Adapter{
		cfg: cfg, self: self, cells: cells,
		decoder: make(chan struct{}, cfg.Decoders),
		decode:  Decode,
		conns:   map[ConnID]*conn{},
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
	q, ok := in.Body.(Dial)
	if !ok {
		panic(fmt.Sprintf("transport: asked a %T", in.Body))
	}
	return e.dial(ctx, q.Addr)
}

func (e *Adapter) dial(ctx context.Context, addr netip.AddrPort) Dialed {
	d := net.Dialer{Timeout: e.cfg.DialTimeout, KeepAlive: keepAlive}
	//correctness: waits for the network for at most DialTimeout, holds
	//nothing, and runs on a worker that only dials.
	nc, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return Dialed{Remote: addr, Err: brief(err)}
	}
	c := e.register(nc)
	if c == nil {
		return Dialed{Remote: addr, Err: "the node is stopping"}
	}
	return Dialed{Conn: c.id, Local: c.local, Remote: addr}
}

// Tell takes Bind, Write and Close from peer cells and Refuse from the server.
// It never waits.
func (e *Adapter) Tell(from actor.ID, body any) {
	switch b := body.(type) {
	case Bind:
		e.bind(from, b.Conn)
	case Write:
		if c := e.find(b.Conn); c != nil && c.ownedBy(from) {
			c.write(b.Frame)
		}
	case Close:
		if c := e.find(b.Conn); c != nil && c.ownedBy(from) {
			c.end(b.Drain)
		}
	case Refuse:
		if c := e.find(b.Conn); c != nil {
			c.end(false)
		}
	default:
		panic(fmt.Sprintf("transport: told a %T", body))
	}
}

func (e *Adapter) find(id ConnID) *conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conns[id]
}

// bind starts the pumps of a connection for its owner, who is told when there
// is nothing to own any more.
func (e *Adapter) bind(from actor.ID, id ConnID) {
	if c := e.find(id); c == nil || !c.claim(from) {
		e.cells.Deliver(e.self, from, actor.Control, Broken{Conn: id, Reason: "the connection was lost before it was used"}, 0)
	}
}

// register names a new connection, which is closed unless it is claimed in
// time. It returns nil, and nc is closed, when the adapter is stopping.
func (e *Adapter) register(nc net.Conn) *conn {
	e.mu.Lock()
	if e.stopping {
		e.mu.Unlock()
		nc.Close()
		return nil
	}
	e.lastID++
	c := newConn(e, e.lastID, nc)
	e.conns[c.id] = c
	e.mu.Unlock()
	c.reapAfter(e.cfg.ClaimTimeout)
	return c
}

func (e *Adapter) forget(c *conn) {
	e.mu.Lock()
	delete(e.conns, c.id)
	e.mu.Unlock()
}

// mayDrain counts a connection that is about to drain; false when there are too
// many.
func (e *Adapter) mayDrain() bool {
	if e.draining.Add(1) <= int64(e.cfg.Draining) {
		return true
	}
	e.draining.Add(-1)
	return false
}

// enter counts n goroutines that are about to start; false when stopping.
func (e *Adapter) enter(n int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopping {
		return false
	}
	e.running += n
	return true
}

// leave counts a goroutine that ends.
func (e *Adapter) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	if e.stopping && e.running == 0 {
		close(e.idle)
	}
}

// Listen binds addr ("host:port", IPv4 or IPv6) and accepts from then on. It
// returns the address bound, with the port that the kernel chose for port 0.
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
	if !e.enter(1) {
		l.Close()
		return netip.AddrPort{}, fmt.Errorf("cannot listen on %s: the node is stopping", addr)
	}
	e.mu.Lock()
	e.listeners = append(e.listeners, l)
	stopping := e.stopping
	e.mu.Unlock()
	if stopping {
		l.Close()
	}
	go e.acceptLoop(l)
	return addrPort(l.Addr()), nil
}

// Stop closes everything and waits until every goroutine of the adapter has ended,
// or ctx has. Connections that drain are given until ctx ends.
func (e *Adapter) Stop(ctx context.Context) error {
	e.mu.Lock()
	if !e.stopping {
		e.stopping = true
		if e.running == 0 {
			close(e.idle)
		}
	}
	listeners := slices.Clone(e.listeners)
	conns := e.snapshot()
	e.mu.Unlock()
	e.cancel()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range conns {
		if !c.draining() {
			c.end(false)
		}
	}
	//correctness: the caller's ctx bounds the wait; draining connections end
	//by themselves within DrainTimeout.
	select {
	case <-e.idle:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	conns, running := e.snapshot(), e.running
	e.mu.Unlock()
	for _, c := range conns {
		c.end(false)
	}
	return fmt.Errorf("%d connections were cut off while %d pumps ran: %w", len(conns), running, ctx.Err())
}

// snapshot lists the connections; the caller holds mu.
func (e *Adapter) snapshot() []*conn {
	conns := make([]*conn, 0, len(e.conns))
	for _, c := range e.conns {
		conns = append(conns, c)
	}
	return conns
}

// keepAlive is the interval of TCP keep-alive probes: the kernel finds out
// about hosts that vanished while the peer's own pings find out about
// processes that hang.
const keepAlive = time.Minute

// brief is err without the addresses that everybody knows already.
func brief(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		if op.Timeout() {
			return "timed out"
		}
		err = op.Err
	}
	var call interface{ Unwrap() error }
	if errors.As(err, &call) && call.Unwrap() != nil {
		if no, ok := call.Unwrap().(syscall.Errno); ok {
			return no.Error()
		}
	}
	return err.Error()
}

// addrPort is a as the rest of the program writes it: IPv4 never in IPv6's
// clothes.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

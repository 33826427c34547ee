package script

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/p2p"
)

// Config of a peer.
type Config struct {
	Net       wire.BitcoinNet
	Chain     *Chain
	Name      string           // in the user agent
	Services  wire.ServiceFlag // zero: full blocks with witnesses
	Behaviour Behaviour
}

// Peer is a scripted node. It is safe for concurrent use.
type Peer struct {
	cfg Config
	wg  sync.WaitGroup

	mu       sync.Mutex
	chain    *Chain
	closed   bool
	listener net.Listener
	conns    map[*conn]bool
	nonce    uint64
	stats    Stats
}

// Stats is what a peer has seen and done on all connections.
type Stats struct {
	Connections int            // begun
	Ready       int            // handshakes done
	Open        int            // now
	Headers     int            // sent
	Blocks      int            // sent in full
	Received    map[string]int // messages by command
	Ends        []string       // how the last connections ended
}

// New makes a peer. It must be closed.
func New(cfg Config) *Peer {
	cfg.Services = cmp.Or(cfg.Services, p2p.Services)
	return &Peer{
		cfg:   cfg,
		chain: cfg.Chain,
		conns: map[*conn]bool{},
		stats: Stats{Received: map[string]int{}},
	}
}

// Listen accepts connections on a free port of 127.0.0.1 and returns the
// address.
func (p *Peer) Listen() (addr string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener != nil {
		l.Close()
		return "", errors.New("script: the peer is closed or listens already")
	}
	p.listener = l
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.begin(c, true)
		}
	})
	return l.Addr().String(), nil
}

// Dial connects to a node. It returns before the handshake is done.
func (p *Peer) Dial(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	if !p.begin(c, false) {
		return errors.New("script: the peer is closed")
	}
	return nil
}

// Close ends all connections and waits until nothing of the peer runs.
func (p *Peer) Close() {
	p.mu.Lock()
	p.closed = true
	if p.listener != nil {
		p.listener.Close()
	}
	for c := range p.conns {
		c.end("closed by the test")
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// Switch serves another chain from now on and announces what is new in it. The
// announcement is by headers if the other side asked for that, else by an inv
// of the tip.
func (p *Peer) Switch(to *Chain) {
	p.mu.Lock()
	from := p.chain
	p.chain = to
	conns := slices.SortedFunc(maps.Keys(p.conns), func(a, b *conn) int { return cmp.Compare(a.nonce, b.nonce) })
	p.mu.Unlock()

	for _, c := range conns {
		c.announce(from, to)
	}
}

// Stats returns the figures as they are now.
func (p *Peer) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Open = len(p.conns)
	s.Received = maps.Clone(s.Received)
	s.Ends = append([]string(nil), s.Ends...)
	return s
}

func (s Stats) String() string {
	return fmt.Sprintf("%d connections (%d ready, %d open), sent %d headers and %d blocks, received %v, ends %q",
		s.Connections, s.Ready, s.Open, s.Headers, s.Blocks, s.Received, s.Ends)
}

func (p *Peer) current() *Chain {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chain
}

func (p *Peer) note(f func(*Stats)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.stats)
}

func (p *Peer) begin(socket net.Conn, inbound bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		socket.Close()
		return false
	}
	p.nonce++
	p.stats.Connections++
	if p.cfg.Behaviour.Deaf {
		p2p.DontRead(socket)
	}
	c := newConn(p, socket, inbound, p.nonce)
	p.conns[c] = true
	p.wg.Go(c.read)
	p.wg.Go(c.write)
	return true
}

// ended removes the connection. Each of its goroutines calls it before it
// returns.
func (p *Peer) ended(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.conns[c] {
		return
	}
	delete(p.conns, c)
	const most = 8
	p.stats.Ends = append(p.stats.Ends, context.Cause(c.ctx).Error())
	if n := len(p.stats.Ends); n > most {
		p.stats.Ends = p.stats.Ends[n-most:]
	}
}

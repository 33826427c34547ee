package rpc

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/adapter"
)

// Config is what Bind needs.
type Config struct {
	Bounds
	Listen     []string // host:port
	User, Pass string   // both, or none to use the cookie
	CookieFile string
	Log        *logrus.Entry
}

// maxHeader is Core's bound on a request's HTTP headers, in bytes.
const maxHeader = 8192

// Server serves JSON-RPC.
type Server struct {
	cfg    Config
	creds  credentials
	cookie string // what we wrote to the cookie file; "" without a cookie
	addrs  []string
	http   *http.Server

	listeners []net.Listener

	wg     sync.WaitGroup
	cancel context.CancelFunc // of all handlers

	warmup atomic.Pointer[string] // what the node is doing; nil once it is attached
	node   atomic.Pointer[attached]
}

// attached is the node, with the askers that no handler has.
type attached struct {
	Node
	free  chan adapter.Asker
	queue chan struct{} // holds a value for each request that waits or is worked on
	size  *dirSize
	polls chan struct{} // holds a value for each getblocktemplate that waits
}

// Bind takes the addresses and does nothing with them yet, so that a mistake in
// them is seen before anything is opened. It fails if none of the addresses can be
// bound. Some of several may fail, as ::1 does where there is no IPv6.
func Bind(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("rpc: no logger")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{cfg: cfg, cancel: cancel}
	s.Warmup("Starting…")
	s.http = &http.Server{
		Handler: s,
		// These count from a request's first byte. They hold for all
		// requests: net/http reads a body that we leave unread, and answers
		// some requests itself. respond sets new deadlines.
		ReadTimeout:    cfg.IOFor,
		WriteTimeout:   cfg.IOFor,
		IdleTimeout:    cfg.IOFor,
		MaxHeaderBytes: maxHeader,
		BaseContext:    func(net.Listener) context.Context { return ctx },
		ErrorLog:       log.New(complaints{cfg.Log}, "", 0),
	}
	var err error
	if s.listeners, err = s.listen(); err != nil {
		cancel()
		return nil, err
	}
	for _, l := range s.listeners {
		s.addrs = append(s.addrs, l.Addr().String())
	}
	return s, nil
}

// Serve writes the cookie and serves. It is called once, when the data directory is
// ours. Until Attach, the answer to every command is Core's warm-up error (-28).
func (s *Server) Serve() error {
	if err := s.credentials(); err != nil {
		return err
	}
	conns := make(chan struct{}, s.cfg.MaxConns)
	// goroutines: one for each listener. What they serve MaxConns bounds.
	for _, l := range s.listeners {
		//correctness: waits for clients, until Close closes the listener.
		s.wg.Go(func() { _ = s.http.Serve(&limited{Listener: l, conns: conns, closed: make(chan struct{})}) })
	}
	return nil
}

// listen binds the addresses. If all of them fail, it returns the first error. It
// logs the errors of some.
func (s *Server) listen() (listeners []net.Listener, err error) {
	var failed []error
	for _, addr := range s.cfg.Listen {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			listeners = append(listeners, l)
			continue
		}
		if errno := syscall.Errno(0); errors.As(err, &errno) {
			err = errno // without the address again
		}
		failed = append(failed, fmt.Errorf("--rpclisten=%s: cannot serve RPC there, %w; want a free address of this machine (is another node running?)", addr, err))
	}
	if len(listeners) == 0 && len(failed) > 0 {
		return nil, failed[0]
	}
	for _, f := range failed {
		s.cfg.Log.Warn(f)
	}
	return listeners, nil
}

func (s *Server) credentials() error {
	if s.cfg.User != "" {
		s.creds = newCredentials(s.cfg.User, s.cfg.Pass)
		return nil
	}
	pass, err := writeCookie(s.cfg.CookieFile)
	if err != nil {
		return fmt.Errorf("cannot write the RPC cookie: %w", err)
	}
	s.creds, s.cookie = newCredentials(cookieUser, pass), cookieUser+":"+pass
	return nil
}

// Addrs are the addresses that are served.
func (s *Server) Addrs() []string { return s.addrs }

// Warmup says what the node is busy with. From now on that is the answer to every
// request, until Attach. Requests under way go on.
func (s *Server) Warmup(doing string) { s.warmup.Store(&doing) }

// Attach hands the running node to the handlers, one per asker.
func (s *Server) Attach(n Node) {
	a := &attached{
		Node: n, free: make(chan adapter.Asker, len(n.Askers)),
		queue: make(chan struct{}, len(n.Askers)+s.cfg.MaxQueue), size: newDirSize(n.DataDir),
		polls: make(chan struct{}, len(n.Askers)/pollShare),
	}
	for _, asker := range n.Askers {
		a.free <- asker // correctness: there is room for all.
	}
	s.node.Store(a)
	s.warmup.Store(nil)
}

// Close stops serving and removes the cookie. Requests under way stop waiting for
// answers. They may reply until ctx ends, and are then cut off.
func (s *Server) Close(ctx context.Context) error {
	s.cancel()
	//correctness: ctx bounds it.
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	// correctness: the accept loops end now that their listeners are closed.
	s.wg.Wait()
	for _, l := range s.listeners {
		l.Close() // for one that was never served
	}
	// The cookie may be that of another node, started in our directory since.
	if text, err := os.ReadFile(s.cfg.CookieFile); s.cookie != "" && err == nil && string(text) == s.cookie {
		os.Remove(s.cfg.CookieFile)
	}
	return err
}

// complaints logs what net/http says about connections.
type complaints struct{ log *logrus.Entry }

func (c complaints) Write(line []byte) (int, error) {
	c.log.Debug(strings.TrimSpace(string(line)))
	return len(line), nil
}

// limited is a listener that accepts no more than cap(conns) connections at
// once.
//
// correctness: Accept waits for a connection to end and holds nothing. Only the
// HTTP server's accept loop waits for Accept. Close ends the wait: it ends Accept
// of the inner listener and closes closed.
type limited struct {
	net.Listener
	conns  chan struct{} // holds a value for each open connection
	closed chan struct{}
	once   sync.Once
}

// Accept waits until there may be one more connection, and then for it.
//
// correctness: as said at limited. It takes back only what it has put in.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.conns <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.conns
		return nil, err
	}
	return &limitedConn{Conn: c, conns: l.conns}, nil
}

func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) }) //correctness: a close waits for nothing.
	return l.Listener.Close()
}

// limitedConn counts as open until it is closed.
type limitedConn struct {
	net.Conn
	conns chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.conns }) // correctness: takes out what Accept put in, and so waits for nobody.
	return c.Conn.Close()
}

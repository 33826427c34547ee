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

// Config is what Start needs.
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
}

// Start is Bind and Serve.
func Start(cfg Config) (*Server, error) {
	s, err := Bind(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.Serve(); err != nil {
		return nil, errors.Join(err, s.Close(context.Background()))
	}
	return s, nil
}

// Bind takes the addresses and does nothing with them yet, so that a mistake
// in them is seen before anything is opened. When none of the addresses can be
// bound, that is an error; some of several may fail, as ::1 does where there is
// no IPv6.
func Bind(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		return nil, errors.New("rpc: no logger")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{cfg: cfg, cancel: cancel}
	s.Warmup("Starting…")
	s.http = &http.Server{
		Handler: s,
		// These count from a request's first byte and hold for all requests:
		// net/http reads a body that we leave unread, and answers some
		// requests itself. A request that takes longer (respond) gets new
		// deadlines.
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

// Serve writes the cookie and serves; call it once, when the data directory is
// ours. Until Attach, every command is answered with Core's warm-up error (-28).
func (s *Server) Serve() error {
	if err := s.credentials(); err != nil {
		return err
	}
	conns := make(chan struct{}, s.cfg.MaxConns)
	for _, l := range s.listeners {
		//correctness: for clients, until Close closes the listener.
		s.wg.Go(func() { _ = s.http.Serve(&limited{Listener: l, conns: conns, closed: make(chan struct{})}) })
	}
	return nil
}

// listen binds the addresses. It complains of those that failed only when
// others did not: else the error says it.
func (s *Server) listen() (listeners []net.Listener, err error) {
	var failed []error
	for _, addr := range s.cfg.Listen {
		l, err := net.Listen("tcp", addr)
		if err == nil {
			listeners = append(listeners, l)
			continue
		}
		var why error = err
		if errno := syscall.Errno(0); errors.As(err, &errno) {
			why = errno // without the address again
		}
		failed = append(failed, fmt.Errorf("--rpclisten=%s: cannot serve RPC there, %w; want a free address of this machine (is another node running?)", addr, why))
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

// Warmup says what the node is busy with: from now on every request is answered
// with that, until Attach. Those under way go on.
func (s *Server) Warmup(doing string) { s.warmup.Store(&doing) }

// Attach hands the running node to the handlers. There are as many handlers as
// n.Askers.
func (s *Server) Attach(n Node) {
	a := &attached{
		Node: n, free: make(chan adapter.Asker, len(n.Askers)),
		queue: make(chan struct{}, len(n.Askers)+s.cfg.MaxQueue), size: newDirSize(n.DataDir),
	}
	for _, asker := range n.Askers {
		a.free <- asker // correctness: there is room for all.
	}
	s.node.Store(a)
	s.warmup.Store(nil)
}

// Close stops serving: no new requests; those under way stop waiting for
// answers and are given until ctx ends to reply, then they are cut off. The
// cookie is removed.
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
	// Another node may have been started in our directory since: then the
	// cookie is its own.
	if text, err := os.ReadFile(s.cfg.CookieFile); s.cookie != "" && err == nil && string(text) == s.cookie {
		os.Remove(s.cfg.CookieFile)
	}
	return err
}

// complaints takes what net/http has to say about connections.
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
// correctness: as said at limited; it takes back only what it put in itself.
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
	l.once.Do(func() { close(l.closed) }) //correctness: a close does not wait.
	return l.Listener.Close()
}

// limitedConn counts as open until it is closed.
type limitedConn struct {
	net.Conn
	conns chan struct{}
	once  sync.Once
}

func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.conns }) // correctness: takes out what Accept put in.
	return c.Conn.Close()
}

package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// The counters of the admission tests.
type gate struct {
	asked, inside, worst atomic.Int32
	open                 chan struct{}
}

func (g *gate) admit(ctx context.Context, _ int, _ peer.ConnID, _, _ netip.AddrPort) bool {
	g.asked.Add(1)
	if n := g.inside.Add(1); n > g.worst.Load() {
		g.worst.Store(n)
	}
	defer g.inside.Add(-1)
	select {
	case <-g.open:
	case <-ctx.Done():
	}
	return false
}

func TestRefusedConnectionIsClosed(t *testing.T) {
	r := newRig(t, Config{Admit: func(context.Context, int, peer.ConnID, netip.AddrPort, netip.AddrPort) bool { return false }}, 1)
	p := r.connect()
	p.ends("the server does not want it")
	r.awaitConns("it is forgotten", 0)
}

func TestAdmitIsToldWho(t *testing.T) {
	type who struct{ remote, local netip.AddrPort }
	told := make(chan who, 1)
	r := newRig(t, Config{Admit: func(_ context.Context, _ int, _ peer.ConnID, remote, local netip.AddrPort) bool {
		told <- who{remote, local}
		return false
	}}, 1)
	p := r.connect()
	if w := <-told; w.local != r.addr || w.remote != addrPort(p.LocalAddr()) {
		t.Errorf("told %+v", w)
	}
}

// One at a time: what waits for admission waits in the kernel.
func TestAdmitOneAtATime(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	r := newRig(t, Config{Admit: g.admit}, 1)
	var all []*remote
	for range 10 {
		all = append(all, r.connect())
	}
	r.awaitConns("one is asked about", 1)
	close(g.open)
	for _, p := range all {
		p.ends("refused")
	}
	if g.asked.Load() != 10 || g.worst.Load() != 1 {
		t.Errorf("%d were asked about, up to %d at once", g.asked.Load(), g.worst.Load())
	}
}

// Stop ends an admission that hangs.
func TestStopDuringAdmission(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	r := newRig(t, Config{Admit: g.admit}, 1)
	p := r.connect()
	r.awaitConns("the server is asked, and does not answer", 1)
	r.stop()
	p.ends("the node has stopped")
}

func TestListenErrorsAreClear(t *testing.T) {
	r := newRig(t, Config{}, 1)
	_, err := r.Listen(r.addr.String())
	want := "cannot listen on " + r.addr.String() + ": address already in use (is another node running?)"
	if err == nil || err.Error() != want {
		t.Errorf("the port is taken: %v\nwant %s", err, want)
	}
	if _, err = r.Listen("127.0.0.1:notaport"); err == nil || !strings.Contains(err.Error(), "cannot listen on 127.0.0.1:notaport") {
		t.Errorf("nonsense: %v", err)
	}
}

func TestListenIPv6(t *testing.T) {
	r := newRig(t, Config{}, 1)
	addr, err := r.Listen("[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	r.addr = addr
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "IPv6 is like IPv4", 1)
}

// moody is a listener with errors in between.
type moody struct {
	net.Listener
	mu     sync.Mutex
	errors int
}

func (m *moody) Accept() (net.Conn, error) {
	m.mu.Lock()
	fail := m.errors > 0
	m.errors--
	m.mu.Unlock()
	if fail {
		return nil, errors.New("too many open files")
	}
	return m.Listener.Accept()
}

func TestAcceptSurvivesErrors(t *testing.T) {
	var mu sync.Mutex
	var said []actor.Record
	r := newRig(t, Config{Log: func(rec actor.Record) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, rec)
	}}, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.Adapter.mu.Lock()
	r.listeners = append(r.listeners, l)
	r.accepting++
	r.Adapter.mu.Unlock()
	go r.acceptLoop(&moody{Listener: l, errors: 3}, 0)
	r.addr = addrPort(l.Addr())
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "after three errors", 1)
	mu.Lock()
	defer mu.Unlock()
	if len(said) != 3 || said[0].Level != actor.Warn {
		t.Errorf("said %+v", said)
	}
}

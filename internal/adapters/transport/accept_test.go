package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// script is a listener that accepts (true) and fails (false) as it is told, and then
// fails for ever.
type script struct {
	net.Listener // nil: nothing else is called
	accepts      []bool
	closed       atomic.Bool // by the loop's end and by Stop
}

func (s *script) Accept() (net.Conn, error) {
	if len(s.accepts) > 0 && s.accepts[0] {
		s.accepts = s.accepts[1:]
		c, _ := net.Pipe()
		return c, nil
	}
	s.accepts = s.accepts[min(1, len(s.accepts)):]
	return nil, errors.New("too many open files")
}

func (s *script) Close() error   { s.closed.Store(true); return nil }
func (s *script) Addr() net.Addr { return &net.TCPAddr{} }

// L9: a listener that fails is tried again after a while that grows to a second and
// starts again at 5 ms with the first connection. L8: a stop does not wait for that.
func TestL9AListenerThatFailsIsTriedAgain(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var waits []time.Duration
		var admitted int
		cfg := Config{
			Bounds: steptest.Fill(Bounds{}, DefaultBounds(1)),
			Log:    func(r actor.Record) { waits = append(waits, r.Fields[5].(time.Duration)) },
			Admit: func(context.Context, int, peer.ConnID, netip.AddrPort, netip.AddrPort) bool {
				admitted++
				return false
			},
		}
		e := New(cfg, adapterID, nil)
		l := &script{accepts: []bool{false, false, true, false, false, false, false, false, false, false, false, false, false}}
		e.listeners, e.accepting = []net.Listener{l}, 1
		start := time.Now()
		ended := make(chan time.Duration, 1)
		go func() { e.acceptLoop(l, 0); ended <- time.Since(start) }()
		const ms = time.Millisecond
		want := []time.Duration{5 * ms, 10 * ms, 5 * ms, 10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second}
		var sum time.Duration
		for _, d := range want {
			sum += d
		}
		time.Sleep(sum - ms) // in the middle of the last wait
		synctest.Wait()
		if !slices.Equal(waits, want) || admitted != 1 {
			t.Errorf("%d connections, waits of %v, want %v", admitted, waits, want)
		}
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if took := <-ended; took != sum-ms || !l.closed.Load() {
			t.Errorf("the loop ended after %v, want %v; its listener is closed: %v", took, sum-ms, l.closed.Load())
		}
	})
}

// The server is told at which listener a connection came in: they may have different
// rights.
func TestAdmitIsToldWhichListener(t *testing.T) {
	told := make(chan int, 1)
	r := newRig(t, Config{Admit: func(_ context.Context, listener int, _ peer.ConnID, _, _ netip.AddrPort) bool {
		told <- listener
		return false
	}}, 1)
	second, err := r.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for number, addr := range []netip.AddrPort{r.addr, second} {
		r.addr = addr
		r.connect()
		if got := <-told; got != number {
			t.Errorf("listener %d is called %d", number, got)
		}
	}
}

// L8: a connection that is made or accepted while the node stops is closed and not
// kept. Nobody would end it.
func TestL8AConnectionThatComesAfterTheStopIsClosed(t *testing.T) {
	e := New(Config{Bounds: DefaultBounds(1)}, adapterID, nil)
	if err := e.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	if c := e.register(ours); c != nil || e.Conns() != 0 {
		t.Errorf("a connection is kept after the stop: %v, %d", c, e.Conns())
	}
	if err := ours.SetDeadline(time.Now()); err == nil {
		t.Error("it is open")
	}
}

// L8: so is a listener that is opened while the node stops: its address is free again.
func TestL8AListenerThatComesAfterTheStopIsClosed(t *testing.T) {
	e := New(Config{Bounds: DefaultBounds(1)}, adapterID, nil)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	e.stopping = true // the stop has begun, and has not come to ending what waits
	if _, err := e.Listen(addr); err == nil || err.Error() != "cannot listen on "+addr+": the node is stopping" {
		t.Errorf("listening while the node stops: %v", err)
	}
	again, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal("the address was not given back:", err)
	}
	again.Close()
}

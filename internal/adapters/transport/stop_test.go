package transport

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

// Two goroutines a connection, one a listener, and none after Stop.
func TestStopWithManyConnections(t *testing.T) {
	const n = 40
	r := newRig(t, Config{}, 1000)
	var all []*remote
	for i := range n {
		p := r.connect()
		p.send(pingFrame(t, uint64(i)))
		all = append(all, p)
	}
	r.cells.inbound(t, "all are bound", n)
	r.mu.Lock()
	running := r.accepting
	for _, c := range r.conns {
		c.mu.Lock()
		running += c.pumps
		c.mu.Unlock()
	}
	r.mu.Unlock()
	if want := 2*n + 1; running != want {
		t.Errorf("%d goroutines for %d connections, want %d", running, n, want)
	}
	for i := range peer.ConnID(n / 2) { // deaf ones
		r.Tell(ownerID, writeOf(first+i, bulk(3_000_000)))
	}
	r.stop()
	r.stop() // twice is once
	for _, p := range all {
		p.Close()
	}
	if d := r.Handle(context.Background(), actor.Input{Body: server.Dial{Addr: r.addr}}).(server.Dialed); d.Err == "" {
		t.Errorf("dialled after Stop: %+v", d)
	}
	if _, err := r.Listen("127.0.0.1:0"); err == nil {
		t.Error("listens after Stop")
	}
}

// Connections that drain have until the end of Stop's context.
func TestStopLetsDrainsFinish(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{DrainTimeout: patience}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	frame := bulk(3_000_000)
	for range 10 {
		r.Tell(ownerID, writeOf(first, frame))
	}
	r.Tell(ownerID, peer.Close{Conn: first, Drain: true})
	stopped := make(chan struct{})
	go func() { r.stop(); close(stopped) }()
	p.reads("all of it", bytes.Repeat(frame, 10))
	p.ends("then the end")
	p.Close()
	<-stopped
}

func TestStopIsBounded(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{DrainTimeout: time.Hour}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	for range 50 {
		r.Tell(ownerID, writeOf(first, bulk(1_000_000)))
	}
	r.Tell(ownerID, peer.Close{Conn: first, Drain: true})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := r.Stop(ctx); err == nil || !strings.Contains(err.Error(), "1 connections were cut off") {
		t.Errorf("stop: %v", err)
	}
	r.awaitConns("a deaf peer is cut off", 0)
}

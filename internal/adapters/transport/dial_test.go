package transport

import (
	"context"
	"net"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

func TestDial(t *testing.T) {
	r := newRig(t, Config{}, 100)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := addrPort(l.Addr())
	d := r.Handle(context.Background(), actor.Input{Body: server.Dial{Addr: addr}}).(server.Dialed)
	if d.Err != "" || d.Conn == 0 || d.Remote != addr || !d.Local.Addr().IsLoopback() {
		t.Fatalf("dialled: %+v", d)
	}
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if d.Local != addrPort(nc.RemoteAddr()) {
		t.Errorf("our side is %v, and the other side sees %v", d.Local, nc.RemoteAddr())
	}
	r.Tell(ownerID, peer.Bind{Conn: d.Conn})
	r.Tell(ownerID, writeOf(d.Conn, pingFrame(t, 3)))
	nc.SetDeadline(time.Now().Add(patience))
	p := &remote{Conn: nc, t: t}
	p.send(pingFrame(t, 4))
	if m := r.cells.inbound(t, "both ways", 1)[0].(peer.Received); m.Conn != d.Conn {
		t.Errorf("received %+v", m)
	}
}

func TestDialFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := addrPort(l.Addr())
	l.Close()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		why     string
		ctx     context.Context
		timeout time.Duration
		want    string
	}{
		{"nobody listens", context.Background(), time.Minute, "connection refused"},
		{"no time", context.Background(), time.Nanosecond, "timed out"},
		{"the node stops", cancelled, time.Minute, "operation was canceled"},
	} {
		r := newRig(t, Config{Bounds: Bounds{DialTimeout: c.timeout}}, 1)
		d := r.Handle(c.ctx, actor.Input{Body: server.Dial{Addr: free}}).(server.Dialed)
		if d.Err != c.want || d.Conn != 0 || d.Remote != free {
			t.Errorf("%s: %+v, want %q", c.why, d, c.want)
		}
	}
}

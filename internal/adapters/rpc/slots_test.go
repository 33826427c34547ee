package rpc

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// tidily is for connections of these tests: long past it a test that would hang
// fails instead.
const tidily = 20 * time.Second

// briefly is how long a client may take here: long enough for one that does its
// part.
const briefly = 250 * time.Millisecond

// dial opens a connection and sends what a client without a password would.
func (r *rig) dial(says string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.s.Addrs()[0])
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(tidily))
	if _, err := io.WriteString(c, says); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// L5: a client that takes all connections and then says nothing more gives them back;
// no password is needed to take them.
func TestL5SilentClientsGiveTheirConnectionsBack(t *testing.T) {
	for _, c := range []struct{ why, says string }{
		{"nothing at all", ""},
		{"half a header", "POST / HTTP/1.1\r\nHost: x\r\n"},
		{"no body, without a password", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"no body, to a path that is not there", "POST /wallet HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"no body, to the wrong method", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"no body, to health", "GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"no chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"no body, to what net/http answers itself", "OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"},
		{"no second request", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(c.why, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, Config{Bounds: Bounds{MaxConns: 2, IOFor: briefly}})
			for _, conn := range []net.Conn{r.dial(c.says), r.dial(c.says)} {
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Error("the server has not closed the connection")
				}
				conn.Close()
			}
			r.wantGet("health", 200, "alive\n")
		})
	}
}

// L5: so does a client that asks again and again and never takes a reply.
func TestL5ClientsThatTakeNoReplyGiveTheirConnectionsBack(t *testing.T) {
	for _, ask := range []string{
		"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(ask[:9], func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, Config{Bounds: Bounds{MaxConns: 1, IOFor: briefly}})
			conn := r.dial("")
			many := strings.Repeat(ask, 1000)
			var err error
			for err == nil { // ends when the server does not read any more
				_, err = io.WriteString(conn, many)
			}
			if isTimeout(err) {
				t.Error("the server has not closed the connection")
			}
			conn.Close()
			r.wantGet("health", 200, "alive\n")
		})
	}
}

func isTimeout(err error) bool {
	ne, ok := err.(net.Error)
	return ok && ne.Timeout()
}

// L9: what may take longer than a client may take is not cut off: a call whose
// answer is slow, and a request that waits in the queue and is then turned away.
func TestL9TheNodeMayTakeItsTime(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{IOFor: briefly, WaitFor: 2 * briefly}})
	entered, rejected := make(chan struct{}), make(chan struct{})
	r.f.hang = func(ctx context.Context) error {
		close(entered)
		select {
		case <-rejected:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	slow := make(chan string)
	go func() {
		status, body := r.post(`{"id":1,"method":"getblockcount"}`)
		slow <- fmt.Sprint(status, " ", body)
	}()
	<-entered
	if status, body := r.post(`{"id":2,"method":"uptime"}`); status != 503 || body != "Work queue depth exceeded" {
		t.Errorf("the request that waited: %d %q", status, body)
	}
	close(rejected)
	if got, want := <-slow, `200 {"result":170,"error":null,"id":1}`+"\n"; got != want {
		t.Errorf("the slow call:\n got %s\nwant %s", got, want)
	}
}

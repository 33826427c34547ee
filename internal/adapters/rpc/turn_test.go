package rpc

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/adapter"
	"acyclic/internal/proof/bubble"
)

// L4: a request gives its place in the queue and its handler back, however it ends.
func TestL4RequestsGiveTheirPlacesBack(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{MaxQueue: 1}})
	for _, body := range []string{`{"method":"uptime"}`, `{"method":"nonsense"}`, `not JSON`} {
		for range 3 { // more than there are places
			if status, text := r.post(body); status == http.StatusServiceUnavailable {
				t.Errorf("%.20s: %s", body, text)
			}
		}
	}
	node := r.s.node.Load()
	if len(node.queue) != 0 || len(node.free) != 1 {
		t.Errorf("%d places in the queue are taken, %d handlers are free", len(node.queue), len(node.free))
	}
}

// waiting is how long a call takes in a bubble whose client leaves after an hour, or
// at once.
func waiting(t *testing.T, leaves bool, call func(*Server, context.Context)) (took time.Duration) {
	t.Helper()
	bubble.Run(t, func(t *testing.T) {
		log := logrus.New()
		log.SetOutput(io.Discard)
		s := &Server{cfg: Config{Bounds: DefaultBounds(), Log: logrus.NewEntry(log)}, creds: newCredentials("me", "secret")}
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		start := time.Now()
		go func() { call(s, ctx); took = time.Since(start) }()
		synctest.Wait()
		if leaves {
			leave()
			synctest.Wait()
		}
		time.Sleep(time.Hour)
	})
	return took
}

// L9: the wait after a wrong password and the wait for a handler end in their time, or
// when the client leaves.
func TestL9WaitsOfARequestEnd(t *testing.T) {
	authorize := func(password string) func(*Server, context.Context) {
		return func(s *Server, ctx context.Context) {
			r := httptest.NewRequest(http.MethodPost, "/", nil).WithContext(ctx)
			if password != "" {
				r.SetBasicAuth("me", password)
			}
			s.authorized(httptest.NewRecorder(), r)
		}
	}
	acquire := func(s *Server, ctx context.Context) { s.acquire(ctx, &attached{free: make(chan adapter.Asker)}) }
	b := DefaultBounds()
	for _, c := range []struct {
		why    string
		call   func(*Server, context.Context)
		leaves bool
		want   time.Duration
	}{
		{"the right password", authorize("secret"), false, 0},
		{"no password: browsers ask first", authorize(""), false, 0},
		{"a wrong password costs time", authorize("wrong"), false, b.Penalty},
		{"who leaves does not wait", authorize("wrong"), true, 0},
		{"no handler comes free", acquire, false, b.WaitFor},
		{"no handler for who has left", acquire, true, 0},
	} {
		if took := waiting(t, c.leaves, c.call); took != c.want {
			t.Errorf("%s: %v, want %v", c.why, took, c.want)
		}
	}
}

// Package transport bounds what it does, with names and without.
package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// patience is told.
const patience = time.Minute

const hasty = time.Second

const (
	slow    = time.Hour // as long as a song
	unasked = 2 * slow
)

type config struct {
	Queue   int
	Timeout time.Duration
}

func queues(cfg config) {
	_ = make(chan int)
	_ = make(chan int, 1)
	_ = make(chan int, cfg.Queue)
	_ = make(chan int, 8)     // want "not from the limits"
	_ = make(chan int, depth) // want "not from the limits"
	_ = make([]int, 8)
}

// depth is told, but no limit.
const depth = 16

func times(ctx context.Context, cfg config, c net.Conn, r io.Reader, w http.ResponseWriter, b io.ReadCloser) {
	time.NewTimer(cfg.Timeout)
	time.NewTimer(patience)
	time.NewTimer(2 * patience)
	time.NewTimer(slow)
	time.NewTimer(hasty)                              // want "the bound hasty has no comment"
	time.NewTimer(unasked)                            // want "the bound unasked has no comment"
	time.NewTimer(3 * time.Second)                    // want "a bound without a name"
	time.NewTicker(time.Second)                       // want "a bound without a name"
	context.WithTimeout(ctx, time.Second)             // want "a bound without a name"
	context.WithTimeout(ctx, cfg.Timeout+time.Second) // want "a bound without a name"
	c.SetDeadline(time.Time{})
	io.LimitReader(r, 1<<20)                                       // want "a bound without a name"
	http.MaxBytesReader(w, b, 100)                                 // want "a bound without a name"
	_ = net.Dialer{Timeout: time.Second, KeepAlive: patience}      // want "a bound without a name"
	_ = http.Server{ReadTimeout: cfg.Timeout, MaxHeaderBytes: 100} // want "a bound without a name"
}

// computed has constants that are no numbers among the arguments.
func computed(ctx context.Context) {
	context.WithTimeout(ctx, parse("5s", true))
}

func parse(s string, _ bool) time.Duration {
	d, _ := time.ParseDuration(s)
	return d
}

// Package transport bounds what it does, with names and without.
package transport

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"time"
)

// patience is told.
const patience = time.Minute

// want +2 "the bound hasty has no comment"

const hasty = time.Second

// want +4 "the bound unasked has no comment"

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
	_ = make(chan int, depth)
	_ = make(chan int, 8)       // want "a bound without a name"
	_ = make(chan int, untold)  // want "a bound without a name"
	_ = make(chan int, foreign) // want "a bound without a name"
	_ = make([]int, 8)
	_ = make([]int, 0, 8)
	_ = make([]int, 0, depth)
	_ = make([]int, 0, 1000)   // want "a bound without a name"
	_ = make([]int, 0, untold) // want "a bound without a name"
}

// depth is told.
const depth = 16

const untold, foreign = 16, math.MaxInt8

func times(ctx context.Context, cfg config, c net.Conn, r io.Reader, w http.ResponseWriter, b io.ReadCloser) {
	time.NewTimer(cfg.Timeout)
	time.NewTimer(patience)
	time.NewTimer(2 * patience)
	time.NewTimer(slow)
	time.NewTimer(hasty) // flagged where it is declared
	time.NewTimer(unasked)
	time.NewTimer(3 * time.Second)                    // want "a bound without a name"
	time.NewTicker(time.Second)                       // want "a bound without a name"
	context.WithTimeout(ctx, time.Second)             // want "a bound without a name"
	context.WithTimeout(ctx, cfg.Timeout+time.Second) // want "a bound without a name"
	c.SetDeadline(time.Time{})
	io.LimitReader(r, 1<<20)                                  // want "a bound without a name"
	http.MaxBytesReader(w, b, 100)                            // want "a bound without a name"
	_ = net.Dialer{Timeout: time.Second, KeepAlive: patience} // want "a bound without a name"
	bufio.NewReaderSize(r, 1<<16)                             // want "a bound without a name"
	bufio.NewReaderSize(r, math.MaxInt16)                     // want "a bound without a name"
	bufio.NewReaderSize(r, depth)
}

// gone is a bound of a whole package.
var gone = 77 * time.Second // want "a bound without a name"

var backlog = 5000

const tick = time.Second // as a clock's

// longWays are bounds that come to where they bound by a way.
func longWays(ctx context.Context, conn *net.TCPConn, secure *tls.Conn, r io.Reader, w io.Writer) {
	d := 77 * time.Second // want "a bound without a name"
	context.WithTimeout(ctx, d)
	context.WithTimeout(ctx, gone)
	helper(33 * time.Second)                            // want "a bound without a name"
	context.WithTimeoutCause(ctx, 5*time.Second, nil)   // want "a bound without a name"
	conn.SetDeadline(time.Now().Add(time.Minute))       // want "a bound without a name"
	secure.SetReadDeadline(time.Now().Add(time.Minute)) // want "a bound without a name"
	secure.SetWriteDeadline(time.Now().Add(patience))
	s := &http.Server{}
	s.ReadTimeout = 5 * time.Second           // want "a bound without a name"
	_ = http.Client{Timeout: 5 * time.Second} // want "a bound without a name"
	//correctness: its size alone matters here.
	io.CopyN(w, r, 1<<20)              // want "a bound without a name"
	io.LimitReader(r, int64(1<<20))    // want "a bound without a name"
	io.LimitReader(r, int64(8*1000+1)) // want "a bound without a name"
	f := time.After
	f(time.Hour)                           // want "a bound without a name"
	time.NewTimer(3600*time.Second + tick) // want "a bound without a name"
	time.NewTimer(1000000 * tick)          // want "a bound without a name"
	time.NewTimer(tick * 8)
	time.NewTimer(-tick)
	time.NewTimer(time.Duration(3e9)) // want "a bound without a name"
	if d > time.Hour {                // want "a bound without a name"
		d = min(d, time.Minute) // want "a bound without a name"
	}
}

func helper(d time.Duration) { time.NewTimer(d) }

func longQueues(cfg config) {
	n := 5000
	_ = make(chan int, n)             // want "a bound without a name"
	_ = make(chan int, backlog)       // want "a bound without a name"
	_ = make(chan int, cfg.Queue+100) // want "a bound without a name"
	_ = make(chan int, cfg.Queue+1)
	_ = make(chan int, 2*cfg.Queue) // want "a bound without a name"
	_ = make(chan int, max(1, cfg.Queue))
	_ = make(chan int, len(os.Args))
	for i := range cfg.Queue {
		_ = make(chan int, i) // want "a bound without a name"
	}
	queue(6000) // what a parameter or a field is given is not seen
}

func queue(n int) { _ = make(chan int, n) }

// units count, and bound nothing.
func units(n int, d time.Duration) {
	time.NewTimer(time.Duration(n) * time.Second)
	_ = d.Round(time.Millisecond)
	_ = d % time.Minute / time.Second
	_ = float64(d) / float64(time.Second)
	d *= 2
	d = max(d/4, 1)
}

// computed has constants that are no numbers among the arguments.
func computed(ctx context.Context) {
	context.WithTimeout(ctx, parse("5s", true))
}

func parse(s string, _ bool) time.Duration {
	d, _ := time.ParseDuration(s)
	return d
}

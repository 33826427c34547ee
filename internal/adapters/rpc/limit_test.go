package rpc

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"

	"acyclic/internal/proof/bubble"
)

// fickle is a listener that fails some times and accepts ever after. Once it is
// closed it accepts nothing.
type fickle struct {
	failures int
	closed   bool
}

var errFickle = errors.New("too many open files")

func (f *fickle) Accept() (net.Conn, error) {
	if f.failures--; f.failures >= 0 {
		return nil, errFickle
	}
	c, _ := net.Pipe()
	return c, nil
}

func (f *fickle) Close() error   { f.closed = true; return nil }
func (f *fickle) Addr() net.Addr { return nil }

// newLimited makes a listener with a number of places. It is made in a bubble, so a
// test that waits for a place in vain fails at once.
func newLimited(inner net.Listener, places int) *limited {
	return &limited{Listener: inner, conns: make(chan struct{}, places), closed: make(chan struct{})}
}

// L9: an accept that fails costs no place, however often that happens: afterwards as
// many connections may be open as before.
func TestL9AFailedAcceptCostsNoPlace(t *testing.T) {
	const places = 3
	bubble.Run(t, func(t *testing.T) {
		l := newLimited(&fickle{failures: 2 * places}, places)
		for range 2 * places {
			if c, err := l.Accept(); c != nil || err != errFickle {
				t.Fatalf("a listener that fails: %v, %v", c, err)
			}
		}
		for range places {
			if _, err := l.Accept(); err != nil {
				t.Fatalf("a listener that works again: %v", err)
			}
		}
	})
}

// L4: one connection more than there are places waits until one is closed. A
// connection that is closed twice, as net/http does, gives back one place.
func TestL4ConnectionsWaitForAPlace(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		l := newLimited(&fickle{}, 2)
		first, _ := l.Accept()
		second, _ := l.Accept()
		accepted := 0
		go func() {
			for range 2 {
				if _, err := l.Accept(); err == nil {
					accepted++
				}
			}
		}()
		for _, c := range []struct {
			why  string
			end  net.Conn // nil: none
			want int
		}{
			{"all places are taken", nil, 0},
			{"one is given back", first, 1},
			{"it was given back before", first, 1},
			{"the other is given back", second, 2},
		} {
			if c.end != nil {
				c.end.Close()
			}
			synctest.Wait()
			if accepted != c.want {
				t.Errorf("%s: %d more were accepted, want %d", c.why, accepted, c.want)
			}
		}
	})
}

// L8: a stop ends an accept that waits for a place, and closes what it listens on.
func TestL8CloseEndsTheWaitForAPlace(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		inner := &fickle{}
		l := newLimited(inner, 1)
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			_, err := l.Accept()
			ended <- err
		}()
		synctest.Wait()
		l.Close()
		l.Close() // net/http closes it again
		if err := <-ended; !errors.Is(err, net.ErrClosed) || !inner.closed {
			t.Errorf("the accept that waited: %v; the inner listener is closed: %v", err, inner.closed)
		}
	})
}

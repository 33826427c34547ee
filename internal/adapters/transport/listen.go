package transport

import (
	"errors"
	"net"
	"time"

	"acyclic/internal/kernel/actor"
)

// The accept loop waits this long after an error (too many open files, a
// connection that was reset before it was accepted), and twice as long each time.
const (
	firstBackOff = 5 * time.Millisecond
	lastBackOff  = time.Second
)

// acceptLoop accepts connections until the listener is closed. It accepts one only when
// the server has decided about the last. Others wait in the system's backlog.
func (e *Adapter) acceptLoop(l net.Listener, number int) {
	defer e.acceptEnded()
	defer l.Close()
	backOff := firstBackOff
	for {
		//correctness: waits for the network, holding nothing. Stop closes
		//the listener.
		nc, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			e.cfg.Log(actor.Record{Level: actor.Warn, Msg: "cannot accept a connection",
				Fields: []any{"listener", l.Addr().String(), "error", brief(err), "again in", backOff}})
			if !e.pause(backOff) {
				return
			}
			backOff = min(2*backOff, lastBackOff)
			continue
		}
		backOff = firstBackOff
		if !e.admit(nc, number) {
			return
		}
	}
}

// admit asks the server about a connection. It returns false when the adapter is
// stopping.
func (e *Adapter) admit(nc net.Conn, listener int) bool {
	c := e.register(nc)
	if c == nil {
		return false
	}
	//correctness: Admit has its own bound and ends with ctx. Only this listener
	//waits, holding nothing.
	if e.cfg.Admit == nil || !e.cfg.Admit(e.ctx, listener, c.id, c.remote, c.local) {
		c.end(false)
	}
	return true
}

// pause waits for d. It returns false when the adapter is stopping.
func (e *Adapter) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	//correctness: bounded by d, holds nothing.
	select {
	case <-t.C:
		return true
	case <-e.ctx.Done():
		return false
	}
}

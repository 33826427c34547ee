package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// phase is where a connection is in its life; see the package's picture.
type phase uint8

const (
	unclaimed phase = iota
	open
	draining
	closed
)

// conn is one connection. All but the fields under mu is fixed before the pumps
// start.
type conn struct {
	e             *Adapter
	id            peer.ConnID
	nc            net.Conn
	remote, local netip.AddrPort
	owner         actor.ID      // zero until claimed
	stop          chan struct{} // closed when the owner (or Stop) ends it
	wake          chan struct{} // one slot: there is something to write

	mu     sync.Mutex // a leaf: nothing is called or waited for under it but deadlines of nc
	phase  phase
	pumps  int  // that run
	broken bool // nothing can be written any more
	queue  []peer.Write
	reaper *time.Timer
}

func newConn(e *Adapter, id peer.ConnID, nc net.Conn) *conn {
	return &conn{
		e: e, id: id, nc: nc,
		remote: addrPort(nc.RemoteAddr()), local: addrPort(nc.LocalAddr()),
		stop: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// claim makes from the owner and starts the pumps; false when somebody else is,
// or the connection is closed.
func (c *conn) claim(from actor.ID) bool {
	if !c.e.enter(2) {
		return false
	}
	c.mu.Lock()
	ok := c.phase == unclaimed
	if ok {
		c.phase, c.owner, c.pumps = open, from, 2
		c.reaper.Stop()
	}
	c.mu.Unlock()
	if !ok {
		c.e.leave()
		c.e.leave()
		return false
	}
	go c.readPump()
	go c.writePump()
	return true
}

// ownedBy says whether from is the owner: only it may write and close.
func (c *conn) ownedBy(from actor.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner == from
}

// reapAfter ends the connection after d: an unclaimed one that is not claimed
// till then, an open one whose stream has ended and whose owner does not say
// Close till then.
func (c *conn) reapAfter(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == closed {
		return
	}
	if c.reaper != nil {
		c.reaper.Stop()
	}
	was := c.phase
	c.reaper = time.AfterFunc(d, func() {
		c.mu.Lock()
		still := c.phase == was
		c.mu.Unlock()
		if still {
			c.end(false)
		}
	})
}

// write queues a message. It never waits.
func (c *conn) write(w peer.Write) {
	c.mu.Lock()
	ok := c.phase == open && !c.broken
	if ok {
		c.queue = append(c.queue, w)
	}
	c.mu.Unlock()
	if ok {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
}

// end ends the connection, with drain after what is queued has been written,
// unless too many drain already. It never waits. Both pumps end: at once, or within DrainTimeout.
func (c *conn) end(drain bool) {
	c.mu.Lock()
	was := c.phase
	if was == closed || drain && was == draining {
		c.mu.Unlock()
		return
	}
	if c.reaper != nil {
		c.reaper.Stop()
	}
	if was == draining {
		c.e.draining.Add(-1)
	} else {
		close(c.stop)
	}
	drain = drain && was == open && c.pumps > 0 && !c.broken && c.e.mayDrain()
	if drain {
		c.phase = draining
		c.nc.SetDeadline(time.Now().Add(c.e.cfg.DrainTimeout))
	} else {
		c.phase = closed
		c.queue = nil
	}
	gone := c.pumps == 0
	c.mu.Unlock()
	if !drain {
		c.nc.Close()
	}
	if gone {
		c.e.forget(c)
	}
}

// pumpEnded is the last thing that a pump does. The last one closes the socket.
func (c *conn) pumpEnded() {
	c.mu.Lock()
	c.pumps--
	last := c.pumps == 0
	c.mu.Unlock()
	if last {
		c.end(false)
		c.e.forget(c)
	}
	c.e.leave()
}

// draining says whether Close{Drain} was told and the socket is still open.
func (c *conn) draining() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == draining
}

// ended says whether the owner has no interest any more.
func (c *conn) ended() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase >= draining
}

// armRead sets the deadline of the next read, armWrite that of the next write.
// They go through mu so that they never override the deadline of a drain.
func (c *conn) armRead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == open {
		c.nc.SetReadDeadline(time.Now().Add(c.e.cfg.ProbeInterval))
	}
}

func (c *conn) armWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == open {
		c.nc.SetWriteDeadline(time.Now().Add(c.e.cfg.WriteTimeout))
	}
}

// take removes messages from the queue, about a chunk of them: only the last may
// go beyond. done says that nothing will follow.
func (c *conn) take() (msgs []peer.Write, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for size := 0; n < len(c.queue) && size < chunk; n++ {
		size += headerSize + len(c.queue[n].Payload)
	}
	msgs, c.queue = c.queue[:n:n], c.queue[n:]
	if len(c.queue) == 0 {
		c.queue = nil
	}
	return msgs, n == 0 && c.phase >= draining
}

// breakOff drops what is queued, for it can never be written.
func (c *conn) breakOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken, c.queue = true, nil
}

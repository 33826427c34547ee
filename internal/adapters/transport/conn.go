package transport

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// phase is a part of a connection's life, see the package's
// picture.
type phase uint8

const (
	unclaimed phase = iota
	open
	draining
	closed
)

// conn is one connection. The fields above mu do not change while the pumps run.
type conn struct {
	e             *Adapter
	id            peer.ConnID
	nc            net.Conn
	remote, local netip.AddrPort
	owner         actor.ID      // zero until claimed
	stop          chan struct{} // closed when the connection drains or is closed
	wake          chan struct{} // holds one signal: there is something to write
	shaken        bool          // a verack has come; the read pump's

	mu     sync.Mutex // a leaf: under it deadlines are set and signals are left
	phase  phase
	pumps  int  // that run
	broken bool // nothing can be written any more
	queue  []peer.Write
	reaper *time.Timer // ends the connection if its owner does not act
}

// newConn is a connection that has no name yet.
func newConn(e *Adapter, nc net.Conn) *conn {
	return &conn{
		e: e, nc: nc,
		remote: addrPort(nc.RemoteAddr()), local: addrPort(nc.LocalAddr()),
		stop: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// claim makes cell the owner and starts the pumps. It returns false if the
// connection is closed or already owned.
func (c *conn) claim(cell actor.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != unclaimed {
		return false
	}
	c.disarm()
	c.phase, c.owner, c.pumps = open, cell, 2
	// goroutines: two for each connection that a peer cell owns. Seats bound these.
	go c.readPump()
	go c.writePump() // goroutines: as many as read pumps.
	return true
}

// arm ends the connection after ClaimTimeout if it is in the same phase then. It may be
// unclaimed. Or it is open, its stream has ended, and its owner has not said Close.
func (c *conn) arm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == closed {
		return
	}
	c.disarm()
	was := c.phase
	// goroutines: at most one for each connection: disarm has stopped the last.
	c.reaper = time.AfterFunc(c.e.cfg.ClaimTimeout, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.phase == was {
			c.endLocked(false)
		}
	})
}

// disarm undoes arm. The caller holds mu.
func (c *conn) disarm() {
	if c.reaper != nil {
		c.reaper.Stop()
	}
}

// write queues a message. It never waits.
func (c *conn) write(w peer.Write) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != open || c.broken {
		return
	}
	c.queue = append(c.queue, w)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// end ends the connection. With drain what is queued is written first, within
// DrainTimeout, unless too many connections drain already. Cells call end, so it never
// waits, and closes nothing: net.Conn.Close can wait. Deadlines wake both pumps, and
// the last of them closes the socket.
func (c *conn) end(drain bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(drain)
}

// endLocked is end for a caller that holds mu.
func (c *conn) endLocked(drain bool) {
	was := c.phase
	if was == closed || drain && was == draining {
		return
	}
	c.disarm()
	if was == draining {
		c.e.draining.Add(-1)
	} else {
		close(c.stop)
	}
	if drain && was == open && !c.broken && c.e.mayDrain() {
		c.phase = draining
		c.nc.SetDeadline(time.Now().Add(c.e.cfg.DrainTimeout))
		return
	}
	c.phase, c.queue = closed, nil
	c.nc.SetDeadline(past)
	if was == unclaimed { // it has no pumps
		go c.closeSocket() // goroutines: one for each connection that nobody claimed.
	}
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// closeSocket is called once, when nothing reads or writes the socket any more.
func (c *conn) closeSocket() {
	c.nc.Close()
	c.e.forget(c)
}

// pumpEnded is the last thing that a pump does. The last one closes the socket.
func (c *conn) pumpEnded() {
	c.mu.Lock()
	c.pumps--
	last := c.pumps == 0
	c.mu.Unlock()
	if last {
		c.end(false)
		c.closeSocket()
	}
}

// in is the phase that the connection is in.
func (c *conn) in() phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase
}

// ended says whether the connection drains or is closed: its owner is told nothing
// more.
func (c *conn) ended() bool { return c.in() >= draining }

// within sets the deadline of the next read or write, by set. It does so under mu, so
// it never overrides the deadline that end has set.
func (c *conn) within(d time.Duration, set func(time.Time) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == open {
		set(time.Now().Add(d))
	}
}

// take removes about a chunk of messages from the queue. Only the last message may go
// beyond the chunk. done says that nothing will follow.
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

// breakOff drops what is queued: it can never be written.
func (c *conn) breakOff() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken, c.queue = true, nil
}

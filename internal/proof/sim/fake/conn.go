package fake

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// end is one end of a connection: what its node writes, and what is on the way
// to it.
type end struct {
	id            peer.ConnID
	adapter       *Adapter
	peer          *end // the other end
	local, remote netip.AddrPort
	delay         time.Duration // one way
	opened        time.Time     // when it stands at this end
	resetAt       time.Time     // when the network loses it; zero: never

	owner   actor.ID
	claimBy time.Time // when it is closed unless it is claimed; zero: never
	closed  bool      // by this side
	drainBy time.Time // closing, with what is queued written first
	reapBy  time.Time // the owner was told of the end and is to say Close
	broken  bool      // nothing can be written any more
	ended   bool      // EOF was delivered
	starved time.Time // since when the owner has no credit; zero: it has some
	retryAt time.Time // when to look for credit again
	probeAt time.Time // when to look whether there is still an owner

	queue   []peer.Write // by the owner, not yet taken by the operating system
	tookAt  time.Time    // when the kernel last took something, or the queue filled
	flushed peer.Flushed

	wire  []packet // on the way to this end, in order
	bytes int      // of wire
}

// packet is one message, or the end of the stream.
type packet struct {
	at    time.Time   // of arrival
	msg   *peer.Write // nil: the end
	why   string      // the end's reason
	fault bool        // it is a breach of the framing
}

// size is in bytes on the wire.
func (p packet) size() int {
	if p.msg == nil {
		return 0
	}
	return wire.MessageHeaderSize + len(p.msg.Payload)
}

// link makes a connection. It stands at to when the first packet gets there, and at
// from one way later.
func (n *Net) link(from, to *Adapter, now time.Time) *end {
	delay := n.latency()
	n.port++
	if n.port < 49152 {
		n.port = 49152
	}
	home := netip.AddrPortFrom(from.addr.Addr(), n.port)
	a := &end{adapter: from, local: home, remote: to.addr, delay: delay}
	b := &end{adapter: to, local: to.addr, remote: home, delay: delay}
	a.peer, b.peer = b, a
	n.last++
	a.id = n.last
	n.last++
	b.id = n.last
	a.opened, b.opened = now.Add(delay), now.Add(delay)
	if n.cfg.MeanLife > 0 {
		a.resetAt = now.Add(draw(n.rng, 2*n.cfg.MeanLife))
		b.resetAt = a.resetAt
	}
	from.ends = append(from.ends, a)
	to.ends = append(to.ends, b)
	i := len(to.backlog)
	for i > 0 && to.backlog[i-1].opened.After(b.opened) {
		i--
	}
	to.backlog = slices.Insert(to.backlog, i, b)
	n.wake(to)
	return a
}

func (c *end) write(now time.Time, w peer.Write) {
	if c.closed || c.broken || !c.drainBy.IsZero() {
		return
	}
	if len(c.queue) == 0 {
		c.tookAt = now
	}
	c.queue = append(c.queue, w)
}

// close is the owner's Close, or the process's end.
func (c *end) close(now time.Time, drain bool) {
	if c.closed {
		return
	}
	if drain && len(c.queue) > 0 && !c.broken {
		if c.drainBy.IsZero() {
			c.drainBy = now.Add(peer.DrainTimeout)
		}
		return
	}
	c.closed = true
	c.queue, c.wire, c.bytes = nil, nil, 0
	if !c.peer.closed {
		c.peer.arrive(now, packet{why: "closed by the other side"})
	}
}

// arrive puts a packet on the wire to this end.
func (c *end) arrive(now time.Time, p packet) {
	n := c.adapter.net
	at := n.reachable(c.adapter, c.peer.adapter, now).Add(c.delay + draw(n.rng, n.cfg.Jitter))
	if n.cfg.Bandwidth > 0 {
		at = at.Add(time.Duration(p.size()) * time.Second / time.Duration(n.cfg.Bandwidth))
	}
	if n.chance(n.cfg.StallChance) {
		at = at.Add(draw(n.rng, n.cfg.StallFor))
	}
	if k := len(c.wire); k > 0 && at.Before(c.wire[k-1].at) {
		at = c.wire[k-1].at
	}
	p.at = at
	c.wire = append(c.wire, p)
	c.bytes += p.size()
	n.wake(c.adapter)
}

// work does what is due at this end.
func (c *end) work(now time.Time) {
	switch {
	case c.closed:
		return
	case past(c.resetAt, now):
		c.reset(now)
	case past(c.claimBy, now) || past(c.drainBy, now) || past(c.reapBy, now):
		c.close(now, false)
		return
	}
	c.flush(now)
	c.receive(now)
	if !c.drainBy.IsZero() && len(c.queue) == 0 {
		c.close(now, true)
	}
}

// reset loses the connection: what is under way is lost, both ends learn it.
func (c *end) reset(now time.Time) {
	for _, e := range [...]*end{c, c.peer} {
		e.resetAt = time.Time{}
		if e.closed {
			continue
		}
		e.wire, e.bytes = nil, 0
		e.queue, e.broken = nil, true
		e.arrive(now, packet{why: "connection reset by peer"})
	}
}

// flush moves messages from the queue to the wire while the operating systems take them.
func (c *end) flush(now time.Time) {
	n := c.adapter.net
	told := c.flushed
	for c.canFlush() {
		if c.peer.closed {
			c.breakOff(now, "connection reset by peer")
			return
		}
		w := c.queue[0]
		c.queue = c.queue[1:]
		c.tookAt = now
		c.flushed.Conn = c.id
		c.flushed.Bytes += uint64(len(w.Payload))
		c.flushed.Msgs++
		c.peer.arrive(now, packet{msg: &w})
	}
	if c.flushed != told && c.owner != 0 {
		c.adapter.deliver(c.owner, actor.Events, c.flushed, 0)
	}
	if len(c.queue) > 0 && past(c.tookAt.Add(n.cfg.WriteTimeout), now) {
		c.breakOff(now, fmt.Sprintf("does not read: took nothing in %v", n.cfg.WriteTimeout))
	}
}

// canFlush says whether the operating systems take what is queued.
func (c *end) canFlush() bool {
	return len(c.queue) > 0 && (c.peer.bytes < c.adapter.net.cfg.Buffer || c.peer.bytes == 0)
}

func (c *end) breakOff(now time.Time, why string) {
	c.queue, c.broken = nil, true
	if c.owner != 0 && c.drainBy.IsZero() {
		c.reapBy = sooner(c.reapBy, now.Add(peer.ClaimTimeout))
		c.adapter.deliver(c.owner, actor.Control, peer.Broken{Conn: c.id, Reason: why}, 0)
	}
}

// receive hands what has arrived to the owner, as far as its credit goes (law
// L5). An owner that never has credit is a cell that has ended.
func (c *end) receive(now time.Time) {
	c.retryAt = time.Time{}
	if c.owner == 0 || c.ended || !c.drainBy.IsZero() {
		return
	}
	msgs, bytes := c.adapter.Cells.Credit(c.owner)
	if past(c.probeAt, now) {
		c.probe(now, msgs > 0)
	}
	took := false
	for !c.closed && len(c.wire) > 0 && !c.wire[0].at.After(now) {
		if msgs <= 0 || bytes <= 0 {
			c.starve(now)
			break
		}
		p := c.wire[0]
		c.wire = c.wire[1:]
		c.bytes -= p.size()
		msgs--
		bytes -= p.size()
		took = true
		c.starved = time.Time{}
		if !c.deliver(now, p) {
			break
		}
	}
	if took && len(c.peer.queue) > 0 {
		c.adapter.net.wake(c.peer.adapter) // it waits for room
	}
}

// probe looks whether the owner is still there. When nothing arrives, nothing else
// shows that it died and left the connection open.
func (c *end) probe(now time.Time, credit bool) {
	c.probeAt = now.Add(goneAfter)
	if credit {
		c.starved = time.Time{}
		return
	}
	c.starve(now)
}

// starve looks for credit again, less and less often, and not for ever.
func (c *end) starve(now time.Time) {
	if c.starved.IsZero() {
		c.starved = now
	}
	c.retryAt = now.Add(min(max(now.Sub(c.starved)/2, creditRetry), maxCreditRetry))
	if now.Sub(c.starved) >= goneAfter {
		c.close(now, false)
	}
}

// deliver hands one packet to the owner. It returns false after the last.
func (c *end) deliver(now time.Time, p packet) bool {
	if p.msg != nil {
		r := c.decode(p.msg)
		c.adapter.deliver(c.owner, actor.Inbound, r, r.Bytes)
		return true
	}
	c.ended = true
	c.wire, c.bytes = nil, 0
	c.reapBy = sooner(c.reapBy, now.Add(peer.ClaimTimeout))
	c.adapter.deliver(c.owner, actor.Inbound, peer.EOF{Conn: c.id, Reason: p.why, Fault: p.fault}, 0)
	return false
}

func (c *end) decode(w *peer.Write) peer.Received {
	r := peer.Received{Conn: c.id, Command: w.Command, Bytes: len(w.Payload)}
	msg, err := peer.Decode(w.Command, w.Payload)
	if err != nil {
		r.Bad = err.Error()
		return r
	}
	r.Msg = msg
	return r
}

// deadline is when something happens at this end by itself.
func (c *end) deadline() time.Time {
	if c.closed {
		return time.Time{}
	}
	at := sooner(sooner(c.claimBy, c.drainBy), sooner(c.reapBy, c.resetAt))
	switch {
	case c.canFlush():
		at = sooner(at, c.tookAt)
	case len(c.queue) > 0:
		at = sooner(at, c.tookAt.Add(c.adapter.net.cfg.WriteTimeout))
	}
	switch {
	case c.owner == 0 || c.ended || !c.drainBy.IsZero():
	case !c.retryAt.IsZero():
		at = sooner(sooner(at, c.retryAt), c.probeAt)
	case len(c.wire) > 0:
		at = sooner(sooner(at, c.wire[0].at), c.probeAt)
	default:
		at = sooner(at, c.probeAt)
	}
	return at
}

func (c *end) check() error {
	sum := 0
	for i, p := range c.wire {
		sum += p.size()
		if i > 0 && p.at.Before(c.wire[i-1].at) {
			return fmt.Errorf("fake: a packet of connection %d overtakes another", c.id)
		}
	}
	if sum != c.bytes {
		return fmt.Errorf("fake: connection %d has %d bytes on the wire, counted %d", c.id, sum, c.bytes)
	}
	return nil
}

func past(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

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
	other         *end
	local, remote netip.AddrPort
	delay         time.Duration // one way
	opened        time.Time     // when it stands at this end
	resetAt       time.Time     // when the network loses it; zero: never

	owner   actor.ID
	closeAt time.Time // when it is closed for want of Bind or Close; zero: never
	closed  bool      // by this side
	drainBy time.Time // what is queued is written first, up to this time; zero: it is not closing
	broken  bool      // nothing can be written any more
	shaken  bool      // a verack was delivered
	ended   bool      // EOF was delivered
	starved time.Time // since when the owner has no credit; zero: it has some
	retryAt time.Time // when to look for credit again
	probeAt time.Time // when to look for the owner again

	queue   []peer.Write // by the owner; the operating system has not taken it yet
	tookAt  time.Time    // when the operating system last took something, or the queue began
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

// link makes a connection. It stands at to when the first packet arrives there, and
// at from when the answer does.
func (n *Net) link(from, to *Adapter, now time.Time) *end {
	delay := n.latency()
	n.port = max(n.port+1, firstPort)
	home := netip.AddrPortFrom(from.addr.Addr(), n.port)
	opened, reset := now.Add(delay), time.Time{}
	if n.cfg.MeanLife > 0 {
		reset = now.Add(draw(n.rng, 2*n.cfg.MeanLife))
	}
	a := &end{id: n.last + 1, adapter: from, local: home, remote: to.addr, delay: delay, opened: opened, resetAt: reset}
	b := &end{id: n.last + 2, adapter: to, local: to.addr, remote: home, delay: delay, opened: opened, resetAt: reset}
	a.other, b.other = b, a
	n.last += 2
	from.ends = append(from.ends, a)
	to.ends = append(to.ends, b)
	to.backlog = append(to.backlog, b)
	slices.SortStableFunc(to.backlog, func(a, b *end) int { return a.opened.Compare(b.opened) })
	n.Wake(to)
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

// close does what the owner's Close says. With drain it waits for the queue.
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
	if !c.other.closed {
		c.other.arrive(now, packet{why: "closed by the other side"})
	}
}

// arrive puts a packet on the wire to this end.
func (c *end) arrive(now time.Time, p packet) {
	n := c.adapter.net
	at := n.reachable(c.adapter, c.other.adapter, now).Add(c.delay + draw(n.rng, n.cfg.Jitter))
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
	n.Wake(c.adapter)
}

// work does what is due at this end.
func (c *end) work(now time.Time) {
	switch {
	case c.closed:
		return
	case past(c.resetAt, now):
		c.reset(now)
	case past(c.closeAt, now) || past(c.drainBy, now):
		c.close(now, false)
		return
	}
	c.flush(now)
	c.receive(now)
	if !c.drainBy.IsZero() && len(c.queue) == 0 {
		c.close(now, true)
	}
}

// reset loses the connection. What is under way is lost, and both ends learn it.
func (c *end) reset(now time.Time) {
	for _, e := range [...]*end{c, c.other} {
		e.resetAt = time.Time{}
		if e.closed {
			continue
		}
		e.wire, e.bytes, e.queue, e.broken = nil, 0, nil, true
		e.arrive(now, packet{why: "connection reset by peer"})
	}
}

// flush moves messages from the queue to the wire while the operating systems take them.
func (c *end) flush(now time.Time) {
	told := c.flushed
	for c.canFlush() {
		if c.other.closed {
			c.breakOff(now, "connection reset by peer")
			return
		}
		w := c.queue[0]
		c.queue = c.queue[1:]
		c.tookAt = now
		c.flushed.Conn = c.id
		c.flushed.Bytes += uint64(len(w.Payload))
		c.flushed.Msgs++
		c.other.arrive(now, packet{msg: &w})
	}
	if c.flushed != told && c.owner != 0 {
		c.adapter.deliver(c.owner, actor.Events, c.flushed, 0)
	}
	if len(c.queue) > 0 && past(c.tookAt.Add(timeout), now) {
		c.breakOff(now, fmt.Sprintf("does not read: took nothing in %v", timeout))
	}
}

// canFlush says whether the operating systems take what is queued.
func (c *end) canFlush() bool {
	return len(c.queue) > 0 && (c.other.bytes < c.adapter.net.cfg.Buffer || c.other.bytes == 0)
}

func (c *end) breakOff(now time.Time, why string) {
	c.queue, c.broken = nil, true
	if c.owner != 0 && c.drainBy.IsZero() {
		c.reap(now)
		c.adapter.deliver(c.owner, actor.Control, peer.Broken{Conn: c.id, Reason: why}, 0)
	}
}

// reap closes a connection whose owner was told of its end and says no Close.
func (c *end) reap(now time.Time) {
	if c.closeAt.IsZero() {
		c.closeAt = now.Add(peer.ClaimTimeout)
	}
}

// receive hands to the owner what has arrived and fits into its credit (law L5).
// An owner that never has credit is a cell that has ended.
func (c *end) receive(now time.Time) {
	c.retryAt = time.Time{}
	if c.owner == 0 || c.ended || !c.drainBy.IsZero() {
		return
	}
	msgs, bytes := c.adapter.Cells.Credit(c.owner)
	if past(c.probeAt, now) {
		// While nothing arrives, nothing else shows that the owner has died.
		c.probeAt = now.Add(goneAfter)
		if msgs > 0 {
			c.starved = time.Time{}
		} else {
			c.starve(now)
		}
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
	if took && len(c.other.queue) > 0 {
		c.adapter.net.Wake(c.other.adapter) // it waits for room
	}
}

// starve plans the next look for credit, later each time. In the end it gives up.
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
	if w := p.msg; w != nil {
		r := peer.Received{Conn: c.id, Command: w.Command, Bytes: len(w.Payload)}
		if r.Bad = peer.Skip(w.Command, c.shaken); r.Bad == "" {
			var err error
			if r.Msg, err = peer.Decode(w.Command, w.Payload); err != nil {
				r.Bad, r.Fault = err.Error(), true
			}
			c.shaken = c.shaken || w.Command == wire.CmdVerAck
		}
		c.adapter.deliver(c.owner, actor.Inbound, r, r.Bytes)
		return true
	}
	c.ended = true
	c.wire, c.bytes = nil, 0
	c.reap(now)
	c.adapter.deliver(c.owner, actor.Inbound, peer.EOF{Conn: c.id, Reason: p.why, Fault: p.fault}, 0)
	return false
}

// deadline is when something happens at this end by itself.
func (c *end) deadline() time.Time {
	if c.closed {
		return time.Time{}
	}
	var next actor.Earliest
	next.Add(c.closeAt, c.drainBy, c.resetAt)
	switch {
	case c.canFlush():
		next.Add(c.tookAt)
	case len(c.queue) > 0:
		next.Add(c.tookAt.Add(timeout))
	}
	if c.owner == 0 || c.ended || !c.drainBy.IsZero() {
		return next.At()
	}
	next.Add(c.retryAt, c.probeAt)
	if c.retryAt.IsZero() && len(c.wire) > 0 {
		next.Add(c.wire[0].at)
	}
	return next.At()
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

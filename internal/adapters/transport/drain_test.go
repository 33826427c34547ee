package transport

import (
	"bytes"
	"testing"
	"time"

	"acyclic/peer"
)

// Close{Drain} writes what is queued, also when the remote's own words were not
// read: they must not reset the connection.
func TestCloseDrains(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{DrainTimeout: patience}}, 1)
	p := r.connect()
	p.send(pingFrame(t, 1), bulk(50_000), bulk(50_000))
	r.cells.inbound(t, "the first is read, then the credit is spent", 1)
	var all bytes.Buffer
	for range 40 {
		frame := bulk(100_000)
		all.Write(frame)
		r.Tell(ownerID, writeOf(first, frame))
	}
	r.Tell(ownerID, peer.Close{Conn: first, Drain: true})
	r.Tell(ownerID, writeOf(first, pingFrame(t, 6))) // too late
	p.reads("all that was queued", all.Bytes())
	p.ends("and then the end")
	p.Close()
	r.awaitConns("the other side has closed too", 0)
	r.cells.inbound(t, "nothing is delivered after Close", 1)
	if n := r.draining.Load(); n != 0 {
		t.Errorf("%d connections count as draining, and there are none", n)
	}
}

func TestDrainIsBounded(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{DrainTimeout: 50 * time.Millisecond}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	frame := bulk(1_000_000)
	for range 50 {
		r.Tell(ownerID, writeOf(first, frame))
	}
	r.Tell(ownerID, peer.Close{Conn: first, Drain: true})
	r.awaitConns("a deaf peer cannot keep a closing connection", 0)
}

// Connections that drain have no cell that counts them. The adapter bounds them
// itself, and forgets them when they are closed.
func TestDrainsAreBoundedInNumber(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{DrainTimeout: patience, Draining: 2}}, 100)
	frame := bulk(3_000_000)
	var all []*remote
	for i := range 6 {
		p := r.connect()
		all = append(all, p)
		p.send(pingFrame(t, 1))
		r.cells.inbound(t, "the connection is bound", i+1)
		for range 10 {
			r.Tell(ownerID, writeOf(first+peer.ConnID(i), frame))
		}
		r.Tell(ownerID, peer.Close{Conn: first + peer.ConnID(i), Drain: true})
		if n := r.draining.Load(); n != int64(min(i%3+1, 2)) {
			t.Errorf("%d connections drain, two may", n)
		}
		if i < 3 {
			r.awaitConns("the third deaf one is cut at once", min(i+1, 2))
		}
		if i == 2 {
			for _, p := range all {
				p.Close()
			}
			r.awaitConns("they hang up", 0)
		}
	}
	r.awaitConns("again two may drain", 2)
	for _, p := range all {
		p.Close()
	}
}

func TestCloseWithoutDrainCutsAtOnce(t *testing.T) {
	r := newRig(t, Config{}, 0) // the read pump waits for credit
	p := r.connect()
	r.cells.await(t, "the pump waits", func(c *fakeCell) bool { return c.waiting == 1 })
	r.Tell(ownerID, peer.Close{Conn: first})
	p.ends("cut")
	r.awaitConns("a pump that waits for credit ends too", 0)
}

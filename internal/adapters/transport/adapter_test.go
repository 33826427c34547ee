package transport

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

func TestWritesArriveAndAreCounted(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	var all bytes.Buffer
	want := peer.Flushed{Conn: first}
	write := func(frame []byte) {
		all.Write(frame)
		want.Bytes += uint64(len(frame) - headerSize)
		want.Msgs++
		r.Tell(ownerID, writeOf(first, frame))
	}
	for n := range uint64(3000) {
		write(pingFrame(t, n))
	}
	write(bulk(3_000_000))
	write(pingFrame(t, 1))
	p.reads("small ones, a big one, a small one, in order", all.Bytes())
	r.cells.await(t, "all is flushed", func(c *fakeCell) bool {
		return c.flushed == want
	})
}

func TestOnlyTheOwnerWritesAndCloses(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	r.Tell(ownerID+1, writeOf(first, pingFrame(t, 66)))
	r.Tell(ownerID+1, peer.Close{Conn: first})
	r.Tell(ownerID, writeOf(first+7, pingFrame(t, 66)))
	r.Tell(ownerID, writeOf(first, pingFrame(t, 5)))
	p.reads("a stranger's words are not heard", pingFrame(t, 5))
	r.Tell(actor.ID(9), server.Refuse{Conn: first})
	p.ends("the server may end every connection")
}

// L5: a peer that never reads is Broken by the write deadline, and Close ends it.
func TestL5DeafPeerIsBroken(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{WriteTimeout: 200 * time.Millisecond, DrainTimeout: time.Hour}}, 100)
	p, frame := r.deaf(), bulk(1_000_000)
	r.cells.mu.Lock()
	b := r.cells.cells[ownerID].broken[0]
	r.cells.mu.Unlock()
	if b.Conn != first || !strings.Contains(b.Reason, "does not read") {
		t.Errorf("broken: %+v", b)
	}
	p.send(pingFrame(t, 2))
	r.cells.inbound(t, "what it says is still heard", 2)
	r.Tell(ownerID, writeOf(first, frame)) // is dropped
	r.Tell(ownerID, peer.Close{Conn: first, Drain: true})
	r.awaitConns("a broken connection has nothing to drain", 0)
}

// deaf connects a remote that reads nothing, and waits until its owner is told.
func (r *rig) deaf() *remote {
	r.t.Helper()
	p := r.connect()
	p.send(pingFrame(r.t, 1))
	r.cells.inbound(r.t, "the connection is bound", 1)
	frame := bulk(1_000_000)
	for range 50 { // more than any kernel buffers
		r.Tell(ownerID, writeOf(first, frame))
	}
	r.cells.await(r.t, "the write deadline passes", func(c *fakeCell) bool { return len(c.broken) == 1 })
	return p
}

// An owner is told that its connection is broken, and never says Close.
func TestOwnerThatKeepsABrokenConnection(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{WriteTimeout: 50 * time.Millisecond, ClaimTimeout: 100 * time.Millisecond}}, 100)
	r.deaf()
	r.awaitConns("the adapter does not wait for ever", 0)
}

// awaitConns waits for a number of connections. It looks now and then: there is no
// signal.
func (r *rig) awaitConns(why string, n int) {
	r.t.Helper()
	for end := time.Now().Add(patience); r.Conns() != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s: %d connections, want %d", why, r.Conns(), n)
		}
	}
}

func TestUnclaimedConnectionIsClosed(t *testing.T) {
	admit := func(context.Context, int, peer.ConnID, netip.AddrPort, netip.AddrPort) bool { return true }
	r := newRig(t, Config{Bounds: Bounds{ClaimTimeout: 20 * time.Millisecond}, Admit: admit}, 1)
	p := r.connect()
	p.ends("no cell bound it")
	r.awaitConns("it is forgotten", 0)
	r.Tell(ownerID, peer.Bind{Conn: first})
	r.cells.await(t, "a cell that comes too late is told", func(c *fakeCell) bool { return len(c.broken) == 1 })
}

func TestBindTwice(t *testing.T) {
	r := newRig(t, Config{}, 1)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	r.Tell(ownerID, peer.Bind{Conn: first})
	r.cells.await(t, "a second owner is told that there is nothing", func(c *fakeCell) bool { return len(c.broken) == 1 })
}

// The owner crashed, and the remote stays silent: the reader notices.
func TestOwnerGoneWhileTheRemoteIsSilent(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{ProbeInterval: 10 * time.Millisecond}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	r.cells.change(func() { r.cells.cells[ownerID].gone = true })
	p.ends("a connection without an owner")
	r.awaitConns("it is forgotten", 0)
}

// The same, and no probe is due: the writer notices.
func TestOwnerGoneWhileSomethingIsWritten(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{ProbeInterval: time.Hour}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	r.cells.change(func() { r.cells.cells[ownerID].gone = true })
	frame := bulk(1000)
	r.Tell(ownerID, writeOf(first, frame))
	p.reads("what was queued", frame)
	p.ends("a connection without an owner")
	r.awaitConns("it is forgotten", 0)
}

func TestOwnerGoneWhileTheRemoteTalks(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	r.cells.inbound(t, "the connection is bound", 1)
	r.cells.change(func() { r.cells.cells[ownerID].gone = true })
	p.send(pingFrame(t, 2))
	p.ends("no cell takes the message")
}

// After the end of the stream the owner says Close; if it cannot, the
// connection ends all the same.
func TestOwnerThatNeverCloses(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{ClaimTimeout: 30 * time.Millisecond}}, 100)
	p := r.connect()
	p.send(pingFrame(t, 1))
	p.Conn.(*net.TCPConn).CloseWrite()
	r.cells.inbound(t, "a message and the end", 2)
	p.ends("the adapter does not wait for ever")
	r.awaitConns("it is forgotten", 0)
}

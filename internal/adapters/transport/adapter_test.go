package transport

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

func TestMessagesComeInOrderAndThenEOF(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	block := frameOf(t, realBlock(t))
	p.send(frameOf(t, &wire.MsgVersion{UserAgent: "/x/"}), pingFrame(t, 1), block, pingFrame(t, 2))
	p.Close()
	have := r.cells.inbound(t, "four messages and the end", 5)
	for i, command := range []string{"version", "ping", "block", "ping"} {
		m := have[i].(peer.Received)
		if m.Command != command || m.Msg == nil || m.Bad != "" || m.Msg.Command() != command || m.Conn != first {
			t.Errorf("input %d is %+v, want %s", i, m, command)
		}
	}
	if m := have[2].(peer.Received); m.Bytes != len(block)-headerSize {
		t.Errorf("%d bytes of a block are counted, it has %d", m.Bytes, len(block)-headerSize)
	}
	if eof := have[4].(peer.EOF); eof.Fault || eof.Reason != "closed by the other side" || eof.Conn != first {
		t.Errorf("the end is %+v", eof)
	}
}

// A message that cannot be decoded is skipped, and the stream goes on after it.
func TestBadMessagesAreSkipped(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	checksum := pingFrame(t, 1)
	checksum[20]++
	long, short := raw("ping", make([]byte, 100_000)), raw("inv", []byte{5})
	p.send(bulk(200_000), checksum, long, short, pingFrame(t, 7))
	have := r.cells.inbound(t, "four bad messages and a good one", 5)
	for i, want := range []string{"unknown command", "checksum", "at most 8", "EOF"} {
		if m := have[i].(peer.Received); m.Msg != nil || !strings.Contains(m.Bad, want) {
			t.Errorf("input %d is %+v, want %q", i, m, want)
		}
	}
	if m := have[4].(peer.Received); m.Msg.(*wire.MsgPing).Nonce != 7 {
		t.Errorf("the good one is %+v", m)
	}
}

// Hostile bytes that make the decoder panic cost one message.
func TestDecoderPanicIsABadMessage(t *testing.T) {
	var said atomic.Int32
	r := newRig(t, Config{Bounds: Bounds{Decoders: 1}, Log: func(rec actor.Record) { said.Add(1) }}, 100)
	r.Adapter.decode = func(command string, payload []byte) (wire.Message, error) {
		if payload[0] == 13 {
			panic("unlucky")
		}
		return peer.Decode(command, payload)
	}
	p := r.connect()
	p.send(pingFrame(t, 13), pingFrame(t, 14))
	have := r.cells.inbound(t, "the stream goes on", 2)
	if m := have[0].(peer.Received); m.Msg != nil || !strings.Contains(m.Bad, "unlucky") {
		t.Errorf("first %+v", m)
	}
	if m := have[1].(peer.Received); m.Msg == nil || said.Load() != 1 {
		t.Errorf("then %+v; said %d times", m, said.Load())
	}
}

func TestBrokenFramingIsAFault(t *testing.T) {
	other := appendHeader(nil, wire.MainNet, "verack", nil)
	huge := pingFrame(t, 1)
	huge[19] = 0xff
	for _, c := range []struct {
		why    string
		bytes  []byte
		fault  bool
		reason string
	}{
		{"another network", other, true, "another network"},
		{"not Bitcoin at all", []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"), true, "another network"},
		{"an impossible length", huge, true, "at most"},
		{"half a header", pingFrame(t, 1)[:10], false, "in the middle"},
		{"half a payload", pingFrame(t, 1)[:30], false, "in the middle"},
		{"half of what is skipped", bulk(1000)[:500], false, "in the middle"},
	} {
		r := newRig(t, Config{}, 100)
		p := r.connect()
		p.send(pingFrame(t, 1), c.bytes)
		p.Conn.(*net.TCPConn).CloseWrite()
		have := r.cells.inbound(t, c.why, 2)
		if eof, ok := have[1].(peer.EOF); !ok || eof.Fault != c.fault || !strings.Contains(eof.Reason, c.reason) {
			t.Errorf("%s: %+v", c.why, have[1])
		}
	}
}

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

// L5: a cell without credit has a socket that is not read, so that the remote
// stalls. The same check must notice an adapter that reads on.
func TestL5NoCreditNoReading(t *testing.T) {
	const credit, size, offered = 3, 100_000, 1000 // 100 MB: more than any kernel buffers
	flood := func(lawless bool) (got int, stalled bool) {
		r := newRig(t, Config{}, credit)
		r.cells.change(func() { r.cells.lawless = lawless })
		p := r.connect()
		frame := bulk(size)
		done := make(chan int, 1)
		go func() { // ends when the flood stalls, or is over
			n := 0
			stall := time.Second
			if lawless {
				stall = patience // it should not stall
			}
			for n < offered {
				p.SetWriteDeadline(time.Now().Add(stall))
				if _, err := p.Write(frame); err != nil {
					break
				}
				n++
			}
			done <- n
		}()
		sent := <-done
		if sent == offered {
			r.cells.await(t, "all has arrived", func(c *fakeCell) bool { return len(c.inbound) == offered })
		} else {
			r.cells.await(t, "the pump waits for credit", func(c *fakeCell) bool { return c.waiting == 1 })
		}
		r.cells.mu.Lock()
		defer r.cells.mu.Unlock()
		return len(r.cells.cells[ownerID].inbound), sent < offered
	}
	if got, stalled := flood(false); got != credit || !stalled {
		t.Errorf("%d messages were read on a credit of %d; the sender stalled: %v", got, credit, stalled)
	}
	if got, stalled := flood(true); got == credit || stalled {
		t.Errorf("reading without credit was not noticed: %d messages, stalled %v", got, stalled)
	}
}

func TestCreditLetsReadingGoOn(t *testing.T) {
	r := newRig(t, Config{}, 2)
	p := r.connect()
	for n := range uint64(5) {
		p.send(pingFrame(t, n))
	}
	r.cells.await(t, "two are read", func(c *fakeCell) bool { return c.waiting == 1 && len(c.inbound) == 2 })
	r.cells.change(func() { r.cells.cells[ownerID].credit = 3 })
	have := r.cells.inbound(t, "and the other three", 5)
	for n, m := range have {
		if got := m.(peer.Received).Msg.(*wire.MsgPing).Nonce; got != uint64(n) {
			t.Errorf("message %d is ping %d", n, got)
		}
	}
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

// A message in pieces with pauses is one message: the probe does not tear it.
func TestSlowMessage(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{ProbeInterval: time.Millisecond}}, 100)
	p := r.connect()
	frame := frameOf(t, realBlock(t))
	for n := 0; n < len(frame); n += 300 {
		p.send(frame[n:min(n+300, len(frame))])
		var before int
		r.cells.await(t, "the pump is there", func(c *fakeCell) bool { before = c.asked; return before > 0 })
		if n+300 < len(frame) {
			r.cells.await(t, "the pump probes in the middle", func(c *fakeCell) bool { return c.asked >= before+2 })
		}
	}
	if m := r.cells.inbound(t, "in the end", 1)[0].(peer.Received); m.Bad != "" || m.Bytes != len(frame)-headerSize {
		t.Errorf("received %+v", m.Bad)
	}
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

package transport

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/fixture"
	"acyclic/peer"
)

func TestMessagesComeInOrderAndThenEOF(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	block := frameOf(t, fixture.Testnet3Block())
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

// L5: a message costs the credit of what it holds in memory, which can be many times its
// bytes. So a few small ones of empty witness items stop the reading.
func TestL5AMessageCostsWhatItHolds(t *testing.T) {
	const items = 1000
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{Witness: make(wire.TxWitness, items)})
	tx.AddTxOut(&wire.TxOut{})
	r := newRig(t, Config{}, 100)
	r.connect().send(frameOf(t, tx), pingFrame(t, 1))
	have := r.cells.inbound(t, "a transaction and a ping", 2)
	if m := have[0].(peer.Received); m.Memory != m.Bytes+perTx+perInput+perOutput+items*perWitness || m.Bytes > 2*items {
		t.Errorf("a transaction of %d bytes with %d witness items costs %d", m.Bytes, items, m.Memory)
	}
	if m := have[1].(peer.Received); m.Memory != m.Bytes {
		t.Errorf("a ping of %d bytes costs %d", m.Bytes, m.Memory)
	}
}

// A message that nobody reads, or that was damaged on its way, is skipped. One that is
// malformed is a fault of who sent it. In any case the stream goes on after it: what to do
// is for its owner to say.
func TestBadMessagesAreSkipped(t *testing.T) {
	r := newRig(t, Config{}, 100)
	p := r.connect()
	checksum := pingFrame(t, 1)
	checksum[20]++
	r.skip = peer.Skip
	early, short := raw("inv", make([]byte, 37)), raw("version", make([]byte, 5))
	verack, long := raw("verack", nil), raw("inv", []byte{5})
	p.send(bulk(200_000), checksum, early, short, verack, long, pingFrame(t, 7))
	have := r.cells.inbound(t, "five bad messages and two good ones", 7)
	for i, want := range []struct {
		bad   string
		fault bool
	}{{"nobody reads", false}, {"before the verack", false}, {"before the verack", false}, {"EOF", true}, {"", false}, {"claims 5 parts", true}} {
		if m := have[i].(peer.Received); (m.Msg == nil) != (want.bad != "") || !strings.Contains(m.Bad, want.bad) || m.Fault != want.fault {
			t.Errorf("input %d is %+v, want %+v", i, m, want)
		}
	}
	if m := have[6].(peer.Received); m.Msg.(*wire.MsgPing).Nonce != 7 {
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

// A message in pieces with pauses is one message: the probe does not tear it.
func TestSlowMessage(t *testing.T) {
	r := newRig(t, Config{Bounds: Bounds{ProbeInterval: time.Millisecond}}, 100)
	p := r.connect()
	frame := frameOf(t, fixture.Testnet3Block())
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

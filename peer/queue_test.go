package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/adapters/transport"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// payload is a Send of one block message of n bytes on the wire.
func payload(n int) Send { return Send{Payloads: [][]byte{make([]byte, n-transport.HeaderSize)}} }

// flush is a remote that has read all but the last left bytes.
func (b *bench) flush(left uint64) {
	b.GiveFrom(adapter, transport.Flushed{Conn: conn, Bytes: b.m.written - left})
}

func TestSendIsAnsweredAtOnceWhileTheQueueIsShort(t *testing.T) {
	b := readyBench(t, true, testConfig())
	block := b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}, &wire.MsgInv{}}, Payloads: [][]byte{{1, 2, 3}}})
	w := steptest.Want[transport.Write](b.Rig, "messages in their order")
	if h := transport.ParseHeader(w.Frame); h.Command != "getaddr" || w.Conn != conn {
		t.Errorf("first %q to connection %d", h.Command, w.Conn)
	}
	if h := transport.ParseHeader(steptest.Want[transport.Write](b.Rig, "the second").Frame); h.Command != "inv" {
		t.Errorf("second %q", h.Command)
	}
	if h := transport.ParseHeader(steptest.Want[transport.Write](b.Rig, "then the payloads").Frame); h.Command != "block" || h.Length != 3 {
		t.Errorf("third %q of %d bytes", h.Command, h.Length)
	}
	steptest.WantAnswer[Sent](b.Rig, block, "the queue is short")
	b.says("that is all")
}

func TestSendBeforeReadyIsRefused(t *testing.T) {
	b := newBench(t, Arg{}, testConfig())
	b.Drop()
	b.RefusedBy(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}}, "nobody has seen Ready yet")
}

// RefusedBy asks and wants a refusal and nothing else.
func (b *bench) RefusedBy(q any, why string) {
	b.t.Helper()
	b.WantRefused(b.Ask(q), why)
	b.says(why)
}

// L5: the answer of a Send waits while the remote does not read.
func TestL5SlowReaderHoldsSends(t *testing.T) {
	b := readyBench(t, true, testConfig())
	steptest.WantAnswer[Sent](b.Rig, b.Ask(payload(999)), "one byte below the cap")
	b.Drop()
	first := b.Ask(payload(500))
	second := b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}})
	b.says("both are taken, in order, neither is answered", "write block", "write getaddr")
	b.receive(&wire.MsgPing{Nonce: 1})
	b.receive(&wire.MsgPing{Nonce: 2})
	b.says("pongs wait too")
	third := b.Ask(Send{})
	b.RefusedBy(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}}, "there are three places to wait in")

	b.flush(1000)
	b.says("still at the cap")
	b.flush(999)
	if p := wrote[*wire.MsgPong](b, "below the cap again"); p.Nonce != 2 {
		t.Errorf("pong %d, want the last ping's", p.Nonce)
	}
	steptest.WantAnswer[Sent](b.Rig, first, "below the cap again")
	steptest.WantAnswer[Sent](b.Rig, second, "with the first")
	steptest.WantAnswer[Sent](b.Rig, third, "with the first")
	b.says("that is all")
}

// L5: a caller that keeps one Send outstanding never has more queued at a peer
// that does not read than the cap and that one Send.
func TestL5QueueOfADeafPeerIsBounded(t *testing.T) {
	const size = 700
	worst := func(cfg Config) int {
		b := readyBench(t, true, cfg)
		most := 0
		for range 100 {
			call := b.Ask(payload(size))
			most = max(most, b.m.queued())
			if b.m.state == gone || len(b.m.held) > 0 {
				break // it is not answered, so the caller does not ask again
			}
			steptest.WantAnswer[Sent](b.Rig, call, "below the cap")
			b.Drop()
		}
		return most
	}
	cfg := testConfig()
	if n := worst(cfg); n >= cfg.QueueCap+size {
		t.Errorf("%d bytes are queued", n)
	}
	broken := testConfig()
	broken.QueueCap = 1 << 30 // as if Sends were always answered
	if n := worst(broken); n < cfg.QueueCap+size {
		t.Errorf("a queue without a cap was not noticed: %d bytes", n)
	}
}

// L5: somebody who pings without end and reads nothing has no more queued than
// the cap and one pong.
func TestL5PingsOfADeafPeerAreBounded(t *testing.T) {
	worst := func(cfg Config) int {
		b := readyBench(t, true, cfg)
		most := 0
		for i := range 1_000 {
			b.receive(&wire.MsgPing{Nonce: uint64(i)})
			most = max(most, b.m.queued())
			b.Drop()
		}
		if b.m.state != ready {
			t.Errorf("gone with %d bytes queued", most)
		}
		return most
	}
	const pong = transport.HeaderSize + 8
	cfg := testConfig()
	if n := worst(cfg); n < cfg.QueueCap || n >= cfg.QueueCap+pong {
		t.Errorf("%d bytes are queued", n)
	}
	broken := testConfig()
	broken.QueueCap, broken.QueueMax = 1<<30, 1<<30 // as if pongs passed a full queue
	if n := worst(broken); n < cfg.QueueCap+pong {
		t.Errorf("a queue without a cap was not noticed: %d bytes", n)
	}
}

// A Send that overflows the queue ends the peer; its call is settled by the
// driver, and nothing is said after Finish.
func TestSendOverTheHardCap(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.Ask(Send{Payloads: [][]byte{make([]byte, 9_000), make([]byte, 9_000), make([]byte, 10)}})
	b.says("the second does not fit", "write block", "gone", "close", "finish")
}

func TestStuckQueueEndsThePeer(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.Ask(payload(900))
	b.Drop()
	b.Advance(59 * time.Second)
	b.flush(100)
	b.Advance(59 * time.Second)
	b.receive(&wire.MsgMemPool{})
	b.says("it goes on slowly")
	b.Advance(time.Second)
	if g := steptest.Want[Gone](b.Rig, "a minute without progress"); !strings.Contains(g.Reason, "does not read") {
		t.Errorf("gone: %+v", g)
	}
}

// Flushed is cumulative, so the latest alone matters; nonsense is ignored.
func TestFlushedIsCumulative(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.Ask(payload(500))
	b.Drop()
	w := b.m.written
	for _, c := range []struct {
		bytes uint64
		want  int
	}{{w - 400, 400}, {w - 450, 400}, {w + 1, 400}, {w - 100, 100}, {w, 0}} {
		b.GiveFrom(adapter, transport.Flushed{Bytes: c.bytes})
		if got := b.m.queued(); got != c.want {
			t.Errorf("after Flushed{%d} of %d: %d queued, want %d", c.bytes, w, got, c.want)
		}
	}
}

// What cannot be encoded is our own bug: it is said, and the rest is sent.
func TestUnsendableMessage(t *testing.T) {
	b := readyBench(t, true, testConfig())
	long := &wire.MsgVersion{UserAgent: strings.Repeat("x", 1000)}
	call := b.Ask(Send{Msgs: []wire.Message{long, &wire.MsgGetAddr{}}})
	wrote[*wire.MsgGetAddr](b, "the rest is sent")
	steptest.WantAnswer[Sent](b.Rig, call, "one question, one answer")
	said := false
	for _, r := range b.Records {
		said = said || r.Level == actor.Error
	}
	if !said {
		t.Error("nothing was said")
	}
}

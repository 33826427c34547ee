package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// payload is a Send of one block message of n bytes on the wire.
func payload(n int) Send { return Send{Payloads: [][]byte{make([]byte, n-perMessage)}} }

// flush is a remote that has read all but the last left bytes.
func (b *bench) flush(left uint64) {
	b.GiveFrom(adapter, Flushed{Conn: conn, Bytes: b.m.written.bytes - left, Msgs: b.m.written.msgs})
}

func TestSendIsAnsweredAtOnceWhileTheQueueIsShort(t *testing.T) {
	b := readyBench(t, true, testConfig())
	stored := []byte{1, 2, 3}
	block := b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}, &wire.MsgInv{}}, Payloads: [][]byte{stored}})
	w := steptest.Want[Write](b.Rig, "messages in their order")
	if w.Command != "getaddr" || w.Conn != conn {
		t.Errorf("first %q to connection %d", w.Command, w.Conn)
	}
	if w := steptest.Want[Write](b.Rig, "the second"); w.Command != "inv" {
		t.Errorf("second %q", w.Command)
	}
	if w := steptest.Want[Write](b.Rig, "then the payloads"); w.Command != "block" || len(w.Payload) != 3 || &w.Payload[0] != &stored[0] {
		t.Errorf("third %q of %d bytes, or a copy of them", w.Command, len(w.Payload))
	}
	steptest.WantAnswer[Sent](b.Rig, block, "the queue is short")
	b.says("that is all")
}

func TestSendBeforeReadyIsRefused(t *testing.T) {
	b := newBench(t, Arg{}, testConfig())
	b.Drop()
	b.RefusedBy(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}}, "there was no Ready yet")
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
	b.RefusedBy(Send{Msgs: []wire.Message{&wire.MsgGetAddr{}}}, "three Sends may wait")

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

// L5: a peer that pings without end and reads nothing has no more queued than
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
	const pong = perMessage + 8
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
	b.receive(&wire.MsgInv{})
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
		bytes, msgs uint64
		want        int
	}{
		{w.bytes - 400, w.msgs - 1, 400 + perMessage}, // its header counts until all of it is out
		{w.bytes - 450, w.msgs - 1, 400 + perMessage},
		{w.bytes + 1, w.msgs - 1, 400 + perMessage},
		{w.bytes, w.msgs + 1, 400 + perMessage},
		{w.bytes - 100, w.msgs - 1, 100 + perMessage},
		{w.bytes, w.msgs, 0},
	} {
		b.GiveFrom(adapter, Flushed{Bytes: c.bytes, Msgs: c.msgs})
		if got := b.m.queued(); got != c.want {
			t.Errorf("after Flushed of %d and %d, told %+v: %d queued, want %d", c.bytes, c.msgs, w, got, c.want)
		}
	}
}

// A message that cannot be encoded is our own bug: it is logged, and the rest is sent.
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

// A stored block that every peer would refuse is our own bug too.
func TestUnsendablePayload(t *testing.T) {
	cfg := testConfig()
	cfg.QueueMax = 2 * MaxPayload
	b := readyBench(t, true, cfg)
	b.Ask(Send{Payloads: [][]byte{make([]byte, MaxPayload+1), {1}}})
	b.says("the rest is sent", "write block", "Sent")
	if r := b.Records[len(b.Records)-1]; r.Level != actor.Error {
		t.Errorf("said %+v", r)
	}
}

// The bounds of the queue, to the byte.
func TestL5QueueToTheByte(t *testing.T) {
	cfg := testConfig()
	b := readyBench(t, true, cfg)
	call := b.Ask(payload(cfg.QueueCap))
	b.says("a queue at its cap holds the answer", "write block")
	b.receive(&wire.MsgPing{Nonce: 1})
	b.says("and the pong")
	b.flush(uint64(cfg.QueueCap - 1))
	wrote[*wire.MsgPong](b, "one byte less")
	steptest.WantAnswer[Sent](b.Rig, call, "one byte less")
	b.flushAll()
	b.says("a Send is answered once")

	b.Ask(payload(cfg.QueueMax))
	b.says("as much as a queue may have", "write block")
	b.Ask(payload(perMessage))
	b.says("one message more ends the peer", "gone", "close", "finish")
}

// A Flushed that says nothing new is no progress.
func TestRepeatedFlushedIsNoProgress(t *testing.T) {
	cfg := testConfig()
	b := readyBench(t, true, cfg)
	b.Ask(payload(900))
	b.flush(100)
	b.Drop()
	b.Advance(cfg.Stuck - time.Second)
	b.flush(100)
	b.Advance(time.Second)
	steptest.Want[Gone](b.Rig, "nothing has moved for a minute")
}

// The largest message that there may be is sent; one byte more is our own bug.
func TestTheLargestPayload(t *testing.T) {
	cfg := testConfig()
	cfg.QueueMax = 2 * (MaxPayload + perMessage)
	b := readyBench(t, true, cfg)
	b.Ask(Send{Payloads: [][]byte{make([]byte, MaxPayload), make([]byte, MaxPayload+1)}})
	b.says("one of two", "write block")
}

// The default queue takes what all components may have waiting at a peer that reads
// slowly: from just below the cap a Send of each, and one more that is being answered.
func TestL5TheDefaultQueueHoldsEverybodysSend(t *testing.T) {
	cfg := testConfig()
	cfg.Bounds = DefaultBounds(8)
	b := readyBench(t, true, cfg)
	b.Ask(payload(cfg.QueueCap - 1))
	largest := make([]byte, wire.MaxBlockPayload)
	for range cfg.HeldSends {
		b.Ask(Send{Payloads: [][]byte{largest}})
	}
	b.GiveFrom(actor.ID(1), Flushed{Conn: conn})
	if b.m.state != ready || b.m.queued()+wire.MaxBlockPayload > cfg.QueueMax {
		t.Errorf("%v, with %d of %d bytes", b.m.state, b.m.queued(), cfg.QueueMax)
	}
	if b.m.queued()+2*wire.MaxBlockPayload <= cfg.QueueMax {
		t.Errorf("with %d of %d bytes there is room for two more: a peer that does not read costs too much", b.m.queued(), cfg.QueueMax)
	}
}

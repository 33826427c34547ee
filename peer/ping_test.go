package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestPingMeasuresTheRoundTrip(t *testing.T) {
	b := newBench(t, Arg{Inbound: true}, testConfig())
	b.receive(theirVersion())
	b.receive(&wire.MsgVerAck{})
	b.Drop()
	b.Advance(0)
	first := wrote[*wire.MsgPing](b, "the first ping goes at once")
	if first.Nonce == 0 {
		t.Error("a ping with nonce zero is answered by anything")
	}
	b.flushAll()
	b.Advance(80 * time.Millisecond)
	if i := b.m.info(b.Now); i.PingWait != 80*time.Millisecond || i.PingTime != 0 {
		t.Errorf("while it waits: %v, %v", i.PingWait, i.PingTime)
	}
	b.receive(&wire.MsgPong{Nonce: first.Nonce})

	b.Advance(2 * time.Minute)
	second := wrote[*wire.MsgPing](b, "the next one two minutes after the pong")
	if second.Nonce == first.Nonce {
		t.Error("the nonce is the same")
	}
	b.flushAll()
	b.Advance(200 * time.Millisecond)
	b.receive(&wire.MsgPong{Nonce: first.Nonce})
	if i := b.m.info(b.Now); i.PingWait == 0 {
		t.Error("a pong to an old ping closed the new one")
	}
	b.receive(&wire.MsgPong{Nonce: second.Nonce})
	i := b.m.info(b.Now)
	if i.PingTime != 200*time.Millisecond || i.PingMin != 80*time.Millisecond || i.PingWait != 0 {
		t.Errorf("last %v, min %v, waiting %v", i.PingTime, i.PingMin, i.PingWait)
	}
	b.receive(&wire.MsgPong{Nonce: 5})
	b.says("a pong without a ping is ignored")
}

// A peer that talks but never answers a ping has a hanging half.
func TestMissingPong(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.Advance(2 * time.Minute)
	b.Drop()
	b.flushAll()
	for range 19 {
		b.Advance(time.Minute)
		b.receive(&wire.MsgInv{}) // it is not silent
	}
	b.says("twenty minutes are granted")
	b.Advance(time.Minute)
	if g := steptest.Want[Gone](b.Rig, "no pong for twenty minutes"); !strings.Contains(g.Reason, "no pong") {
		t.Errorf("gone: %+v", g)
	}
}

func TestPingIsAnswered(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.receive(&wire.MsgPing{Nonce: 4242})
	if p := wrote[*wire.MsgPong](b, "a ping wants its nonce back"); p.Nonce != 4242 {
		t.Errorf("pong %d", p.Nonce)
	}
	b.says("that is all")
}

// Peers up to version 60000 know no pong (BIP31): they are pinged to keep the
// line open and are not waited for.
func TestAncientPeerIsNotAskedForPongs(t *testing.T) {
	b := newBench(t, Arg{Inbound: true}, testConfig())
	v := theirVersion()
	v.ProtocolVersion = 60000
	b.receive(v)
	b.receive(&wire.MsgVerAck{})
	b.Advance(0)
	b.flushAll()
	b.Drop()
	for range 5 {
		b.Advance(2 * time.Minute)
		b.flushAll()
		b.receive(&wire.MsgInv{})
	}
	if n := len(b.Pending()); n != 5 || b.m.state != ready {
		t.Errorf("%d pings in ten minutes, and it is %v", n, b.m.state)
	}
	if !b.m.pongDue().IsZero() {
		t.Error("a pong is waited for")
	}
	b.Drop()
	b.receive(&wire.MsgPing{})
	b.says("it does not want one either")
}

// BIP31 came with version 60001. A peer of version 60000 gets pings without a nonce, and
// no pongs.
func TestPingsAreOfThePeersVersion(t *testing.T) {
	for _, c := range []struct {
		protocol int32
		bytes    int
		pong     bool
	}{{60000, 0, false}, {60001, 8, true}} {
		b := newBench(t, Arg{Inbound: true}, testConfig())
		v := theirVersion()
		v.ProtocolVersion = c.protocol
		b.receive(v)
		b.receive(&wire.MsgVerAck{})
		b.Drop()
		b.Advance(0)
		if w := steptest.Want[Write](b.Rig, "the first ping"); w.Command != wire.CmdPing || len(w.Payload) != c.bytes {
			t.Errorf("version %d: %s of %d bytes", c.protocol, w.Command, len(w.Payload))
		}
		b.receive(&wire.MsgPing{Nonce: 7})
		if c.pong {
			wrote[*wire.MsgPong](b, "it wants its nonce back")
		}
		b.says("that is all")
		for _, r := range b.Records {
			if r.Level <= actor.Error {
				t.Errorf("version %d: %s %v", c.protocol, r.Msg, r.Fields)
			}
		}
	}
}

// The shortest round trip is kept, zero means none yet, and a pong counts once.
func TestTheShortestRoundTripIsKept(t *testing.T) {
	cfg := testConfig()
	b := readyBench(t, true, cfg) // after a round trip of 30 ms
	for _, c := range []struct{ took, last, shortest time.Duration }{
		{80 * time.Millisecond, 80 * time.Millisecond, 30 * time.Millisecond},
		{50 * time.Millisecond, 50 * time.Millisecond, 30 * time.Millisecond}, // shorter than the last one alone
		{20 * time.Millisecond, 20 * time.Millisecond, 20 * time.Millisecond},
		{0, 1, 1},
	} {
		b.Advance(b.m.nextPing.Sub(b.Now))
		b.flushAll()
		b.Now = b.Now.Add(c.took)
		nonce := b.m.pingNonce
		b.receive(&wire.MsgPong{Nonce: nonce})
		due := b.m.nextPing
		b.Now = b.Now.Add(time.Second)
		b.receive(&wire.MsgPong{Nonce: nonce})
		if i := b.m.info(b.Now); i.PingTime != c.last || i.PingMin != c.shortest || !b.m.nextPing.Equal(due) {
			t.Errorf("after %v: last %v, shortest %v; the next ping moved by %v", c.took, i.PingTime, i.PingMin, b.m.nextPing.Sub(due))
		}
	}
}

// A pong with nonce zero, or without a nonce, ends the open ping, as in Bitcoin Core. The
// round trip is not known then. A pong to another ping ends nothing.
func TestAPongWithoutANonce(t *testing.T) {
	zero, err := Decode(wire.CmdPong, make([]byte, 8))
	if err != nil {
		t.Fatal(err)
	}
	short, err := Decode(wire.CmdPong, []byte{1, 2, 3})
	if err != nil {
		t.Fatalf("a short pong is a fault: %v", err)
	}
	for _, c := range []struct {
		why  string
		pong wire.Message
		ends bool
	}{{"nonce zero", zero, true}, {"three bytes", short, true}, {"another nonce", &wire.MsgPong{Nonce: 2}, false}} {
		b := readyBench(t, true, testConfig())
		b.Advance(2 * time.Minute)
		b.flushAll()
		b.Drop()
		before := b.m.pings
		b.Advance(time.Second)
		b.receive(c.pong)
		if i := b.m.info(b.Now); (i.PingWait == 0) != c.ends || i.PingTime != before.pingTime || i.PingMin != before.pingMin {
			t.Errorf("%s: waiting %v, round trip %v, %v", c.why, i.PingWait, i.PingTime, i.PingMin)
		}
		if c.ends && !b.m.nextPing.Equal(b.Now.Add(b.m.cfg.PingEvery)) {
			t.Errorf("%s: the next ping is due at %v", c.why, b.m.nextPing)
		}
	}
}

// A busy node sends a ping later than it was due. What follows counts from when it was sent.
func TestALatePingCountsFromWhenItWasSent(t *testing.T) {
	cfg := testConfig()
	b := readyBench(t, true, cfg)
	b.Now = b.m.Deadline().Add(5 * time.Second)
	b.Advance(0)
	sent, ping := b.Now, wrote[*wire.MsgPing](b, "late")
	b.flushAll()
	b.Advance(80 * time.Millisecond)
	if i := b.m.info(b.Now); i.PingWait != 80*time.Millisecond || !b.m.pongDue().Equal(sent.Add(cfg.PongWithin)) {
		t.Errorf("it has waited for %v, and the pong is due %v after the ping", i.PingWait, b.m.pongDue().Sub(sent))
	}
	b.receive(&wire.MsgPong{Nonce: ping.Nonce})
	if i := b.m.info(b.Now); i.PingTime != 80*time.Millisecond {
		t.Errorf("the round trip took %v", i.PingTime)
	}
}

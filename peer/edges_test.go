package peer

import (
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// A getheaders that was not answered in time is forgotten, so what answers the next one
// is one answer, and what comes after that was not asked for.
func TestAnExpiredGetheadersIsForgotten(t *testing.T) {
	cfg := testConfig()
	cfg.PingEvery = time.Hour
	b := readyBench(t, false, cfg)
	ask := func() {
		b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetHeaders{}}})
		b.flushAll()
		b.Drop()
	}
	asked := func() bool {
		b.receive(&wire.MsgHeaders{Headers: []*wire.BlockHeader{{Nonce: 1}}})
		return steptest.Want[HeadersReceived](b.Rig, "headers").Asked
	}
	ask()
	b.Advance(cfg.HeadersWithin)
	if !asked() {
		t.Error("within two minutes it is the answer")
	}
	ask()
	b.Advance(cfg.HeadersWithin + 1)
	if asked() {
		t.Error("after two minutes it is an announcement")
	}
	ask()
	if !asked() || asked() {
		t.Error("one question, one answer: the old one is forgotten")
	}
}

// What a block takes in memory is never said to be less than its bytes.
func TestABlockWeighsItsMemory(t *testing.T) {
	b := readyBench(t, false, testConfig())
	in := received(t, aBlock(1))
	for _, memory := range []int{0, in.Bytes, 10 * in.Bytes} {
		in.Memory = memory
		b.GiveFrom(adapter, in)
		if got := steptest.Want[BlockReceived](b.Rig, "a block"); got.Size != in.Bytes || got.Memory != max(in.Bytes, memory) {
			t.Errorf("%d bytes that take %d: size %d, memory %d", in.Bytes, memory, got.Size, got.Memory)
		}
		b.Drop()
	}
}

// A notfound may name as much as can have been asked for: four blocks and three
// transactions. A longer one is noise
// as a whole.
func TestALongNotFoundIsNoise(t *testing.T) {
	b := readyBench(t, false, testConfig())
	b.Ask(Send{Msgs: []wire.Message{&wire.MsgGetData{InvList: blockInvs(1, 2)}}})
	b.Drop()
	b.receive(&wire.MsgNotFound{InvList: blockInvs(1, 7, 8, 9, 10, 11, 12, 13)})
	b.says("eight")
	b.receive(&wire.MsgNotFound{InvList: blockInvs(1, 7, 8, 9, 10, 11, 12)})
	if n := steptest.Want[NotFoundReceived](b.Rig, "seven"); len(n.Blocks) != 1 {
		t.Errorf("%d blocks", len(n.Blocks))
	}
}

// getpeerinfo says how many messages nobody read. What belongs to the handshake is read,
// and what cannot be decoded is counted apart.
func TestWhatIsIgnoredIsCounted(t *testing.T) {
	b := newBench(t, Arg{Inbound: true}, testConfig())
	for _, c := range []struct {
		why string
		in  Received
		add uint64
	}{
		{"too early", received(t, &wire.MsgVerAck{}), 1},
		{"version", received(t, theirVersion()), 0},
		{"undecodable in the handshake", Received{Conn: conn, Command: "inv", Bad: "too many"}, 0},
		{"still too early", received(t, &wire.MsgGetAddr{}), 1},
		{"a feature", received(t, &wire.MsgSendAddrV2{}), 0},
		{"another one", received(t, &wire.MsgSendHeaders{}), 0},
		{"verack", received(t, &wire.MsgVerAck{}), 0},
		{"a second verack", received(t, &wire.MsgVerAck{}), 0},
		{"undecodable later", Received{Conn: conn, Command: "inv", Bad: "too many"}, 0},
		{"nobody reads it", received(t, &wire.MsgFilterClear{}), 1},
		{"an inv of nothing", received(t, &wire.MsgInv{}), 1},
		{"a pong without a ping", received(t, &wire.MsgPong{Nonce: 1}), 1},
		{"a notfound of what nobody asked for", received(t, &wire.MsgNotFound{InvList: blockInvs(1)}), 1},
		{"a notfound that is too long", received(t, &wire.MsgNotFound{InvList: blockInvs(1, 2, 3, 4, 5, 6, 7, 8)}), 1},
		{"a getaddr", received(t, &wire.MsgGetAddr{}), 0},
	} {
		before := b.m.ignored
		b.GiveFrom(adapter, c.in)
		if got := b.m.ignored - before; got != c.add {
			t.Errorf("%s: %d more are ignored, want %d", c.why, got, c.add)
		}
	}
	if b.m.skipped != 2 {
		t.Errorf("%d were skipped", b.m.skipped)
	}
}

// What a peer says of itself is told to all with Ready. It is asked for headers if its
// version knows how to announce them (BIP130).
func TestReadyTellsWhatThePeerSays(t *testing.T) {
	for _, c := range []struct {
		protocol int32
		noTxs    bool
		asks     bool
	}{
		{int32(wire.SendHeadersVersion), true, true},
		{int32(wire.SendHeadersVersion) - 1, false, false},
	} {
		b := newBench(t, Arg{Inbound: true}, testConfig())
		v := theirVersion()
		v.ProtocolVersion, v.DisableRelayTx = c.protocol, c.noTxs
		b.receive(v)
		b.Drop()
		b.receive(&wire.MsgVerAck{})
		if r := steptest.Want[Ready](b.Rig, "the handshake is done"); r.NoTxs != c.noTxs || r.Protocol != uint32(c.protocol) {
			t.Errorf("version %d: %+v", c.protocol, r)
		}
		if c.asks {
			wrote[*wire.MsgSendHeaders](b, "it can announce headers")
		}
		b.says("that is all")
	}
}

// A second version message ends the connection, whatever else is wrong with it.
func TestASecondVersionThatIsUnwantedTooEndsItOnce(t *testing.T) {
	b := readyBench(t, true, testConfig())
	v := theirVersion()
	v.ProtocolVersion = 1
	b.receive(v)
	b.says("once", "gone", "close", "finish")
}

// The log says how far a connection had come when it ended.
func TestTheLogSaysHowFarAConnectionCame(t *testing.T) {
	for inbound, want := range map[bool]state{true: accepted, false: dialled} {
		cfg := testConfig()
		b := newBench(t, Arg{Inbound: inbound}, cfg)
		b.flushAll()
		b.Advance(cfg.Handshake)
		last := b.Records[len(b.Records)-1]
		if i := slices.Index(last.Fields, any("state")); i < 0 || last.Fields[i+1] != want {
			t.Errorf("inbound %v: %s %v, want state %v", inbound, last.Msg, last.Fields, want)
		}
	}
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
}

package peer

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

// TestStory is a connection's life in short: read it first. An input goes in, and
// says lists everything that the machine wants done about it, in order.
func TestStory(t *testing.T) {
	b := newBench(t, Arg{}, testConfig())
	b.says("the side that dials speaks first", "bind", "write version")

	// The handshake.
	b.receive(theirVersion())
	b.says("features are negotiated between version and verack", "write wtxidrelay", "write sendaddrv2", "write verack")
	b.receive(&wire.MsgVerAck{})
	b.says("now the other components may know this peer", "ready", "write sendheaders")

	// A ping. Time is an input too: Advance gives a Tick at each deadline.
	b.Advance(0)
	ping := wrote[*wire.MsgPing](b, "the first ping goes at once")
	b.flushAll()
	b.Advance(80 * time.Millisecond)
	b.receive(&wire.MsgPong{Nonce: ping.Nonce})
	if took := b.m.info(b.Now).PingTime; took != 80*time.Millisecond {
		t.Errorf("the round trip took %v", took)
	}

	// A block that was asked for. Send is netsync's question, Sent its answer.
	block, getdata := aBlock(1), wire.NewMsgGetData()
	hash := block.BlockHash()
	getdata.AddInvVect(wire.NewInvVect(wire.InvTypeWitnessBlock, &hash))
	send := b.Ask(Send{Msgs: []wire.Message{getdata}})
	steptest.WantAnswer[Sent](b.Rig, send, "a peer that reads is written to at once")
	b.says("the question goes out", "write getdata")
	b.receive(block)
	if got := steptest.Want[BlockReceived](b.Rig, "netsync gets the block"); !got.Asked || got.Hash != hash {
		t.Errorf("the block that was asked for came as %+v", got)
	}
	b.says("relay need not announce it back", "Announced")

	// The end.
	b.Give(actor.End{Reason: "a header without work", Fault: true})
	if gone := steptest.Want[Gone](b.Rig, "each subscriber that saw Ready sees Gone"); !gone.Fault {
		t.Error("the server is to ban a peer at fault")
	}
	b.says("what is queued is still written", "close", "finish")
	if !b.m.Deadline().IsZero() {
		t.Error("a peer that is gone has a deadline")
	}
}

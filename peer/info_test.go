package peer

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
)

func TestUndecodableMessagesAreCounted(t *testing.T) {
	b := readyBench(t, true, testConfig())
	before := b.m.info(b.Now)
	b.GiveFrom(adapter, Received{Conn: conn, Command: "sendcmpct", Bad: "unknown command", Bytes: 33 - perMessage})
	b.GiveFrom(adapter, Received{Conn: conn, Command: "\xff\x00", Bad: "unknown command", Bytes: 100 - perMessage})
	b.GiveFrom(adapter, Received{Conn: conn, Command: "inv", Bad: "too many", Bytes: 27 - perMessage})
	b.says("the stream goes on")
	i := b.m.info(b.Now)
	if i.Skipped-before.Skipped != 3 || i.BytesRecv-before.BytesRecv != 160 {
		t.Errorf("skipped %d, bytes %d", i.Skipped, i.BytesRecv-before.BytesRecv)
	}
	if i.RecvByCommand["*other*"] != 133 || i.RecvByCommand["inv"] != 27 {
		t.Errorf("by command: %v", i.RecvByCommand)
	}
}

func TestGetInfo(t *testing.T) {
	b := newBench(t, Arg{Inbound: true, Manual: true}, testConfig())
	i := steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "at any stage")
	if i.Ready || !i.Inbound || !i.Manual || i.Conn != conn || !i.LastRecv.IsZero() || !i.Connected.Equal(steptest.Epoch) {
		t.Errorf("at the start: %+v", i)
	}
	b.Advance(time.Second)
	b.receive(theirVersion())
	b.receive(&wire.MsgVerAck{})
	b.Advance(time.Second)
	b.flush(0)
	b.receive(aBlock(1))
	b.Drop()
	i = steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "when ready")
	version, verack := received(t, theirVersion()), received(t, &wire.MsgVerAck{})
	block := received(t, aBlock(1))
	if !i.Ready || i.Version.Height != 1234 || i.TimeOffset != 2*time.Second || i.Queued != 0 ||
		!i.Connected.Equal(steptest.Epoch) || i.SendHeaders || !i.LastRecv.Equal(b.Now) || !i.LastSend.Equal(b.Now) || !i.LastBlock.Equal(b.Now) ||
		i.BytesRecv != uint64(version.Bytes+verack.Bytes+block.Bytes+3*perMessage) {
		t.Errorf("when ready: %+v", i)
	}
	sum := uint64(0)
	for _, n := range i.SentByCommand {
		sum += n
	}
	if sum != i.BytesSent || i.SentByCommand["verack"] != 24 || i.RecvByCommand["block"] != uint64(block.Bytes+perMessage) {
		t.Errorf("%d bytes sent, by command %v, received %v", i.BytesSent, i.SentByCommand, i.RecvByCommand)
	}
	i.SentByCommand["verack"], i.RecvByCommand["verack"] = 0, 0
	if b.m.sentByCommand["verack"] != 24 || b.m.recvByCommand["verack"] != 24 {
		t.Error("the maps are not copies")
	}
}

// getpeerinfo says how many messages nobody read. What belongs to the handshake is read,
// and what cannot be decoded is counted apart.
func TestWhatIsIgnoredIsCounted(t *testing.T) {
	cfg := testConfig()
	cfg.WantTxs = true
	b := newBench(t, Arg{Inbound: true}, cfg)
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
		{"nobody reads it", received(t, &wire.MsgReject{Cmd: "x"}), 0},
		{"an inv of nothing", received(t, &wire.MsgInv{}), 1},
		{"an inv of a block", received(t, &wire.MsgInv{InvList: blockInvs(1)}), 0},
		{"an inv of a transaction", received(t, &wire.MsgInv{InvList: []*wire.InvVect{inv(wire.InvTypeTx, 1)}}), 0},
		{"a notfound of a transaction", received(t, &wire.MsgNotFound{InvList: []*wire.InvVect{inv(wire.InvTypeTx, 1)}}), 0},
		{"a pong without a ping", received(t, &wire.MsgPong{Nonce: 1}), 1},
		{"a notfound of what nobody asked for", received(t, &wire.MsgNotFound{InvList: blockInvs(1)}), 1},
		{"a notfound that is too long", received(t, &wire.MsgNotFound{InvList: blockInvs(1, 2, 3, 4, 5, 6, 7, 8)}), 1},
		{"a getaddr", received(t, &wire.MsgGetAddr{}), 0},
		{"a feefilter", received(t, &wire.MsgFeeFilter{MinFee: 1}), 0},
		{"a feefilter that is no amount", received(t, &wire.MsgFeeFilter{MinFee: -1}), 1},
	} {
		before := b.m.ignored
		b.GiveFrom(adapter, c.in)
		if got := b.m.ignored - before; got != c.add {
			t.Errorf("%s: %d more are ignored, want %d", c.why, got, c.add)
		}
	}
	if b.m.skipped != 3 {
		t.Errorf("%d were skipped", b.m.skipped)
	}
}

// What waits for a remote that does not read has not been sent. It is shown as queued.
// By command it counts at once, as in Bitcoin Core.
func TestInfoOfARemoteThatDoesNotRead(t *testing.T) {
	b := readyBench(t, true, testConfig())
	before := steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "all is written")
	b.Advance(time.Second)
	b.Ask(payload(500))
	b.Drop()
	i := steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "it has not read the block")
	if i.BytesSent != before.BytesSent || i.Queued != 500 || i.SentByCommand["block"] != 500 || i.LastSend != before.LastSend {
		t.Errorf("sent are %d bytes until %v, before %d until %v; queued %d; by command %v",
			i.BytesSent, i.LastSend, before.BytesSent, before.LastSend, i.Queued, i.SentByCommand)
	}
	b.flush(0)
	i = steptest.WantAnswer[Info](b.Rig, b.Ask(GetInfo{}), "now it has")
	if i.BytesSent != before.BytesSent+500 || i.Queued != 0 || !i.LastSend.Equal(b.Now) {
		t.Errorf("sent are %d bytes until %v, want 500 more than %d; queued %d", i.BytesSent, i.LastSend, before.BytesSent, i.Queued)
	}
}

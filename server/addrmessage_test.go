package server

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// A peer may tell one address in ten seconds, however its messages are spread.
func TestTokensAreGivenOnce(t *testing.T) {
	now := steptest.Epoch
	talk := newTalk(now)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {0, 0}, {100 * time.Second, 10}, {0, 0}, {9 * time.Second, 0}, {time.Second, 1}, {time.Second, 0}} {
		now = now.Add(c.after)
		if got := talk.take(now, 50); got != c.want {
			t.Errorf("%v later it may tell %d addresses, want %d", c.after, got, c.want)
		}
	}
}

// An address that was seen ten minutes ahead of our clock is believed: clocks differ.
// One from further ahead is not, and what has no address is not passed on.
func TestWhatIsCredible(t *testing.T) {
	now := steptest.Epoch
	for ahead, want := range map[time.Duration]time.Duration{
		-time.Hour: -time.Hour, maxFuture: maxFuture, maxFuture + time.Second: -staleAge,
	} {
		got := credible(now, netAddrs(now.Add(ahead), "1.1.1.1:1"))
		if len(got) != 1 || !got[0].Timestamp.Equal(now.Add(want)) {
			t.Errorf("seen %v ahead: %+v, want a time %v ahead", ahead, got, want)
		}
	}
	unknown := &wire.NetAddressV2{Timestamp: now} // of a network that this build does not know
	if got := credible(now, []*wire.NetAddressV2{nil, unknown, netAddrs(now, "1.1.1.1:1")[0]}); len(got) != 1 || got[0].Addr == nil {
		t.Errorf("passed on %+v", got)
	}
}

// What a peer is sent fits into one message, and into its form.
func TestAddressMessages(t *testing.T) {
	now := steptest.Epoch
	var many []string
	for range wire.MaxV2AddrPerMsg + 1 {
		many = append(many, "1.1.1.1:1")
	}
	tor := wire.NetAddressV2FromBytes(now, 0, make([]byte, wire.TorV3Size), 1)
	for _, c := range []struct {
		why    string
		addrs  []*wire.NetAddressV2
		v1, v2 int // addresses in the message; 0: there is no message
	}{
		{"one address", netAddrs(now, "1.1.1.1:1"), 1, 1},
		{"more than a message holds", netAddrs(now, many...), wire.MaxV2AddrPerMsg, wire.MaxV2AddrPerMsg},
		{"one that the old form cannot say", []*wire.NetAddressV2{tor}, 0, 1},
		{"nothing", nil, 0, 0},
	} {
		v1, v2 := 0, 0
		if msg, is := addrMessage(c.addrs, false).(*wire.MsgAddr); is {
			v1 = len(msg.AddrList)
		}
		if msg, is := addrMessage(c.addrs, true).(*wire.MsgAddrV2); is {
			v2 = len(msg.AddrList)
		}
		if v1 != c.v1 || v2 != c.v2 {
			t.Errorf("%s: addr with %d, addrv2 with %d, want %d and %d", c.why, v1, v2, c.v1, c.v2)
		}
	}
}

// A sample that comes when its peer is leaving is dropped.
func TestASampleThatComesTooLateIsDropped(t *testing.T) {
	b := newBench(t, seeking())
	id := b.arrive("8.8.8.8:1")
	b.ready(id, "8.8.8.8:1")
	b.Give(peer.AddrsWanted{Peer: id})
	_, ask := steptest.WantAsk[Sample](b.Rig, "a getaddr is answered from the book")
	b.Give(peer.Gone{Peer: id, Remote: at("8.8.8.8:1")})
	b.Reply(ask, Sampled{Addrs: netAddrs(b.Now, "1.1.1.1:1")})
	if n := pendingAsks[peer.Send](b); n != 0 {
		t.Error("a leaving peer is written to")
	}
}

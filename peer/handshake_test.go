package peer

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/steptest"
)

func TestOutboundHandshake(t *testing.T) {
	b := newBench(t, Arg{}, testConfig())
	b.says("the side that dials speaks first", "bind", "write version")
	b.receive(theirVersion())
	b.says("features are negotiated between version and verack (BIP339, BIP155)",
		"write wtxidrelay", "write sendaddrv2", "write verack")
	b.receive(&wire.MsgWTxIdRelay{})
	b.receive(&wire.MsgSendAddrV2{})
	b.says("features need no answer")
	b.receive(&wire.MsgVerAck{})
	r := steptest.Want[Ready](b.Rig, "both have said verack")
	if want := (Ready{Peer: self, Remote: remote, Services: wire.SFNodeNetwork | wire.SFNodeWitness, Protocol: 70016,
		UserAgent: "/other:1/", Height: 1234, WantsAddr: true, WTxIDs: true}); r != want {
		t.Errorf("Ready is\n%+v, want\n%+v", r, want)
	}
	b.says("headers announcements are wanted from the start (BIP130)", "write sendheaders")
}

func TestInboundHandshake(t *testing.T) {
	b := newBench(t, Arg{Inbound: true}, testConfig())
	b.says("the side that is dialled waits", "bind")
	b.receive(theirVersion())
	b.says("our version answers theirs", "write version", "write wtxidrelay", "write sendaddrv2", "write verack")
	b.receive(&wire.MsgVerAck{})
	b.says("Ready comes before everything else", "ready", "write sendheaders")
}

func TestOurVersionMessage(t *testing.T) {
	for _, c := range []struct {
		why     string
		arg     Arg
		wantTxs bool
		noRelay bool
	}{
		{"no component reads transactions", Arg{}, false, true},
		{"transactions are wanted", Arg{}, true, false},
		{"this connection is for blocks", Arg{BlockRelayOnly: true}, true, true},
	} {
		cfg := testConfig()
		cfg.WantTxs = c.wantTxs
		b := newBench(t, c.arg, cfg)
		v := wrote[*wire.MsgVersion](b, c.why)
		if v.DisableRelayTx != c.noRelay {
			t.Errorf("%s: relay is %v", c.why, !v.DisableRelayTx)
		}
		you, _ := netip.AddrFromSlice(v.AddrYou.IP)
		if v.ProtocolVersion != 70016 || v.Services != cfg.Services || v.LastBlock != 4711 ||
			v.UserAgent != cfg.UserAgent || !v.Timestamp.Equal(steptest.Epoch) ||
			netip.AddrPortFrom(you.Unmap(), v.AddrYou.Port) != remote {
			t.Errorf("%s: our version is %+v", c.why, v)
		}
	}
}

// The offers of both sides decide the messages and the contents of Ready.
func TestNegotiation(t *testing.T) {
	for _, c := range []struct {
		why      string
		protocol int32
		features []wire.Message
		answer   []string
		wantAddr bool
		wTxIDs   bool
		ready    []string
	}{
		{"a modern peer that wants nothing", 70016, nil,
			[]string{"write wtxidrelay", "write sendaddrv2", "write verack"}, false, false, []string{"ready", "write sendheaders"}},
		{"a peer of the future", 70017, []wire.Message{&wire.MsgSendAddrV2{}},
			[]string{"write wtxidrelay", "write sendaddrv2", "write verack"}, true, false, []string{"ready", "write sendheaders"}},
		{"wtxidrelay alone", 70016, []wire.Message{&wire.MsgWTxIdRelay{}},
			[]string{"write wtxidrelay", "write sendaddrv2", "write verack"}, false, true, []string{"ready", "write sendheaders"}},
		{"below 70016 neither is said nor believed", 70015, []wire.Message{&wire.MsgWTxIdRelay{}, &wire.MsgSendAddrV2{}},
			[]string{"write verack"}, false, false, []string{"ready", "write sendheaders"}},
		{"below 70012 sendheaders is unknown", 70011, nil,
			[]string{"write verack"}, false, false, []string{"ready"}},
		{"sendheaders before verack counts, and relay hears of it after Ready", 70016, []wire.Message{&wire.MsgSendHeaders{}},
			[]string{"write wtxidrelay", "write sendaddrv2", "write verack"}, false, false,
			[]string{"ready", "WantsHeaders", "write sendheaders"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, Arg{}, testConfig())
			b.Drop()
			v := theirVersion()
			v.ProtocolVersion = c.protocol
			b.receive(v)
			b.says(c.why, c.answer...)
			for _, msg := range c.features {
				b.receive(msg)
			}
			b.says("features need no answer")
			b.receive(&wire.MsgVerAck{})
			for _, e := range b.Pending() {
				if r, ok := e.Body.(Ready); ok && (r.WantsAddr != c.wantAddr || r.WTxIDs != c.wTxIDs || r.Protocol != uint32(min(c.protocol, 70016))) {
					t.Errorf("%s: %+v", c.why, r)
				}
			}
			b.says(c.why, c.ready...)
		})
	}
}

func TestSendHeadersIsToldOnce(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.receive(&wire.MsgSendHeaders{})
	b.receive(&wire.MsgSendHeaders{})
	b.says("one wish, one event", "WantsHeaders")
	if !b.m.info(b.Now).SendHeaders {
		t.Error("getpeerinfo does not show it")
	}
}

func TestUnwantedPeers(t *testing.T) {
	const full = wire.SFNodeNetwork | wire.SFNodeWitness
	own := newNonce(123, testConfig().NonceKey)
	for _, c := range []struct {
		why      string
		arg      Arg
		protocol int32
		services wire.ServiceFlag
		nonce    uint64
		reason   string // "" when welcome
	}{
		{"the oldest that is welcome", Arg{Inbound: true}, 31800, full, 1, ""},
		{"one older", Arg{Inbound: true}, 31799, full, 1, "protocol version 31799"},
		{"nonsense", Arg{}, -1, full, 1, "protocol version -1"},
		{"ourselves, as seen by the dialled side", Arg{Inbound: true}, 70016, full, own, "ourselves"},
		{"ourselves, as seen by the dialling side", Arg{}, 70016, full, own, "ourselves"},
		{"ourselves, even when the user asked for it", Arg{Manual: true}, 70016, full, own, "ourselves"},
		{"chosen by us, has no blocks", Arg{}, 70016, wire.SFNodeWitness, 1, "no blocks"},
		{"chosen by us, has no witnesses", Arg{}, 70016, wire.SFNodeNetwork, 1, "no witness"},
		{"chosen by us, pruned", Arg{}, 70016, wire.SFNodeNetworkLimited | wire.SFNodeWitness, 1, ""},
		{"named by the user, has nothing", Arg{Manual: true}, 70016, 0, 1, ""},
		{"comes in, has nothing", Arg{Inbound: true}, 70016, 0, 1, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			b := newBench(t, c.arg, testConfig())
			b.Drop()
			v := theirVersion()
			v.ProtocolVersion, v.Services, v.Nonce = c.protocol, c.services, c.nonce
			b.receive(v)
			if c.reason == "" {
				b.receive(&wire.MsgVerAck{})
				steptest.Want[Ready](b.Rig, c.why)
				return
			}
			if got := b.WantFinish(c.why); !strings.Contains(got, c.reason) {
				t.Errorf("the reason is %q, want %q in it", got, c.reason)
			}
			b.says("no word to it, and none about it", "close")
		})
	}
}

// A nonce is recognised by every cell of the process and by no other process.
func TestNonceIsRecognisedByItsKeyOnly(t *testing.T) {
	key, other := [32]byte{1}, [32]byte{2}
	for r := range uint32(1000) {
		n := newNonce(r*4_294_967, key)
		if !ownNonce(n, key) {
			t.Fatalf("nonce %x is not recognised", n)
		}
		if ownNonce(n, other) || ownNonce(n^1, key) || ownNonce(n^1<<40, key) {
			t.Fatalf("nonce %x is recognised by another key, or when changed", n)
		}
	}
}

// An outbound cell and an inbound cell of one process meet.
func TestSelfConnection(t *testing.T) {
	dials := newBench(t, Arg{}, testConfig())
	ours := wrote[*wire.MsgVersion](dials, "the side that dials speaks first")
	dialled := newBench(t, Arg{Inbound: true}, testConfig())
	dialled.Drop()
	dialled.receive(ours)
	if got := dialled.WantFinish("our own nonce came back"); got != "connected to ourselves" {
		t.Errorf("the reason is %q", got)
	}
	other := testConfig()
	other.NonceKey[0]++
	stranger := newBench(t, Arg{Inbound: true}, other)
	stranger.Drop()
	stranger.receive(ours)
	stranger.says("another process talks to us", "write version", "write wtxidrelay", "write sendaddrv2", "write verack")
}

func TestSecondVersionEndsTheConnection(t *testing.T) {
	b := newBench(t, Arg{}, testConfig())
	b.receive(theirVersion())
	b.Drop()
	b.receive(theirVersion())
	b.says("a second version before verack", "close", "finish")

	b = readyBench(t, false, testConfig())
	b.receive(theirVersion())
	if g := steptest.Want[Gone](b.Rig, "a second version when ready"); g.Fault || !strings.Contains(g.Reason, "second version") {
		t.Errorf("gone: %+v", g)
	}
}

func TestLateFeaturesEndTheConnection(t *testing.T) {
	for _, msg := range []wire.Message{&wire.MsgWTxIdRelay{}, &wire.MsgSendAddrV2{}} {
		b := readyBench(t, true, testConfig())
		b.receive(msg)
		b.says(msg.Command()+" after verack is too late", "gone", "close", "finish")
	}
}

func TestSecondVerAckIsIgnored(t *testing.T) {
	b := readyBench(t, true, testConfig())
	b.receive(&wire.MsgVerAck{})
	b.says("as Bitcoin Core does")
}

// Before the handshake is done everything else is ignored, and does not help a
// peer to stay.
func TestEarlyMessagesAreIgnored(t *testing.T) {
	early := []wire.Message{&wire.MsgPing{Nonce: 1}, &wire.MsgGetAddr{}, &wire.MsgInv{InvList: blockInvs(1)}, &wire.MsgGetHeaders{}, aBlock(1)}
	b := newBench(t, Arg{Inbound: true}, testConfig())
	b.Drop()
	for _, msg := range append(early, &wire.MsgVerAck{}, &wire.MsgSendAddrV2{}, &wire.MsgSendHeaders{}) {
		b.receive(msg)
	}
	b.says("a version message comes first")
	b.receive(theirVersion())
	b.Drop()
	for _, msg := range early {
		b.receive(msg)
	}
	b.says("then a verack")
	b.Advance(29 * time.Second)
	b.receive(&wire.MsgPing{})
	b.Advance(time.Second)
	b.says("the handshake's clock was not moved", "close", "finish")
}

// A user agent is shown on terminals and in logs.
func TestUserAgentIsPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"/Satoshi:25.0.0/":       "/Satoshi:25.0.0/",
		"a\x1b[31mred\n\x00\xff": "a[31mred",
		"käse":                   "kse",
		"a space, a tilde ~":     "a space, a tilde ~",
		"\x7f\x1f":               "",
		"":                       "",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
	if got := printable(strings.Repeat("x", 1000)); len(got) != wire.MaxUserAgentLen {
		t.Errorf("%d bytes are shown", len(got))
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

// Ready and getpeerinfo say what the server knows of the connection, each by its own name.
func TestReadyTellsWhatTheServerKnows(t *testing.T) {
	here := netip.MustParseAddrPort("127.0.0.2:18334")
	for _, arg := range []Arg{{Local: here, Inbound: true}, {Local: here, Manual: true}, {Local: here, BlockRelayOnly: true}} {
		b := newBench(t, arg, testConfig())
		b.receive(theirVersion())
		b.Drop()
		b.receive(&wire.MsgVerAck{})
		r := steptest.Want[Ready](b.Rig, "the handshake is done")
		got := Arg{Conn: conn, Remote: r.Remote, Local: r.Local, Inbound: r.Inbound, Manual: r.Manual, BlockRelayOnly: r.BlockRelayOnly, BestHeight: 4711}
		arg.Conn, arg.Remote, arg.BestHeight = conn, remote, 4711
		if got != arg || b.m.info(b.Now).Arg != arg {
			t.Errorf("of %+v\nReady says %+v\ngetpeerinfo %+v", arg, got, b.m.info(b.Now).Arg)
		}
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

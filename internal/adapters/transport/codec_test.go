package transport

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const magic = wire.TestNet3

// examples has one message of each command that the node sends or reads.
func examples(t testing.TB) []wire.Message {
	t.Helper()
	hash := chainhash.Hash{1, 2, 3}
	header := wire.BlockHeader{Version: 1, Timestamp: time.Unix(1_296_688_602, 0), Bits: 0x1d00ffff, Nonce: 414098458}
	inv := &wire.InvVect{Type: wire.InvTypeBlock, Hash: hash}
	addr := wire.NetAddress{Timestamp: time.Unix(1_700_000_000, 0), Services: 9, IP: net.IPv4(127, 0, 0, 1), Port: 18333}
	return []wire.Message{
		&wire.MsgVersion{ProtocolVersion: 70016, Services: 9, Timestamp: time.Unix(1_700_000_000, 0),
			AddrYou: wire.NetAddress{IP: net.IPv4(127, 0, 0, 1), Port: 1}, AddrMe: wire.NetAddress{IP: net.IPv6zero},
			Nonce: 7, UserAgent: "/test:1/", LastBlock: 5, DisableRelayTx: true},
		&wire.MsgVerAck{}, &wire.MsgSendAddrV2{}, &wire.MsgWTxIdRelay{}, &wire.MsgSendHeaders{},
		&wire.MsgPing{Nonce: 1}, &wire.MsgPong{Nonce: 2}, &wire.MsgFeeFilter{MinFee: 1000},
		&wire.MsgGetAddr{}, &wire.MsgAddr{AddrList: []*wire.NetAddress{&addr}},
		&wire.MsgAddrV2{AddrList: []*wire.NetAddressV2{wire.NetAddressV2FromBytes(addr.Timestamp, 9, addr.IP, 18333)}},
		&wire.MsgGetHeaders{ProtocolVersion: 70016, BlockLocatorHashes: []*chainhash.Hash{&hash}, HashStop: hash},
		&wire.MsgGetBlocks{ProtocolVersion: 70016, BlockLocatorHashes: []*chainhash.Hash{&hash}},
		&wire.MsgHeaders{Headers: []*wire.BlockHeader{&header}},
		&wire.MsgInv{InvList: []*wire.InvVect{inv}}, &wire.MsgGetData{InvList: []*wire.InvVect{inv}},
		&wire.MsgNotFound{InvList: []*wire.InvVect{inv}},
		realBlock(t),
	}
}

// realBlock is block 898352 of testnet3: ten transactions.
func realBlock(t testing.TB) *wire.MsgBlock {
	t.Helper()
	raw, err := os.ReadFile("testdata/testnet3_block_898352.raw")
	if err != nil {
		t.Fatal(err)
	}
	var b wire.MsgBlock
	if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return &b
}

func mustEncode(t testing.TB, msg wire.Message) []byte {
	t.Helper()
	frame, err := Encode(msg, magic, wire.ProtocolVersion, wire.WitnessEncoding)
	if err != nil {
		t.Fatalf("encode %s: %v", msg.Command(), err)
	}
	return frame
}

func TestCodecRoundTrip(t *testing.T) {
	for _, msg := range examples(t) {
		frame := mustEncode(t, msg)
		h := ParseHeader(frame)
		if h.Command != msg.Command() || int(h.Length) != len(frame)-HeaderSize {
			t.Errorf("%s: the header says %q, %d bytes", msg.Command(), h.Command, h.Length)
		}
		if f, s := h.Fault(magic), h.Skip(); f != "" || s != "" {
			t.Errorf("%s: an honest header is refused: %q %q", msg.Command(), f, s)
		}
		back, err := Decode(frame, magic)
		if err != nil {
			t.Errorf("%s: %v", msg.Command(), err)
			continue
		}
		if reflect.TypeOf(back) != reflect.TypeOf(msg) {
			t.Errorf("%s came back as %T", msg.Command(), back)
		}
		if again := mustEncode(t, back); !bytes.Equal(again, frame) {
			t.Errorf("%s: decoded and encoded again it is\n%x, was\n%x", msg.Command(), again, frame)
		}
	}
}

// The bytes of other programs: Satoshi:0.7.2's version message and a verack, as
// the protocol's documentation prints them.
func TestCodecReadsRealFrames(t *testing.T) {
	version := unhex(t, `
		f9beb4d9 76657273696f6e0000000000 64000000 3b648d5a
		62ea0000 0100000000000000 11b2d05000000000
		0100000000000000 00000000000000000000ffff00000000 0000
		0100000000000000 00000000000000000000ffff00000000 0000
		3b2eb35d8ce61765 0f2f5361746f7368693a302e372e322f c03e0300`)
	msg, err := Decode(version, wire.MainNet)
	if err != nil {
		t.Fatal(err)
	}
	v := msg.(*wire.MsgVersion)
	if v.ProtocolVersion != 60002 || v.UserAgent != "/Satoshi:0.7.2/" || v.LastBlock != 212672 || v.DisableRelayTx {
		t.Errorf("read %+v", v)
	}
	msg, err = Decode(unhex(t, "f9beb4d9 76657261636b000000000000 00000000 5df6e0e2"), wire.MainNet)
	if _, ok := msg.(*wire.MsgVerAck); !ok || err != nil {
		t.Errorf("verack: %T %v", msg, err)
	}
}

func TestEncodePayloadIsTheFrameOfABlock(t *testing.T) {
	block := realBlock(t)
	raw, _ := os.ReadFile("testdata/testnet3_block_898352.raw")
	frame, err := EncodePayload(wire.CmdBlock, raw, magic)
	if err != nil {
		t.Fatal(err)
	}
	if want := mustEncode(t, block); !bytes.Equal(frame, want) {
		t.Error("a stored block is framed differently from a decoded one")
	}
	if _, err := EncodePayload(wire.CmdBlock, make([]byte, MaxPayload+1), magic); err == nil {
		t.Error("a payload that every peer would refuse was framed")
	}
}

func TestHeaderFaults(t *testing.T) {
	honest := ParseHeader(mustEncode(t, &wire.MsgPing{}))
	for _, c := range []struct {
		why    string
		change func(*Header)
		want   string
	}{
		{"another network's magic", func(h *Header) { h.Magic = wire.MainNet }, "another network"},
		{"garbage instead of a magic", func(h *Header) { h.Magic = 0 }, "another network"},
		{"one byte too long", func(h *Header) { h.Length = MaxPayload + 1 }, "at most"},
		{"as long as can be said", func(h *Header) { h.Length = 1<<32 - 1 }, "at most"},
		{"the longest that is allowed", func(h *Header) { h.Length = MaxPayload }, ""},
	} {
		h := honest
		c.change(&h)
		if got := h.Fault(magic); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: fault %q, want %q", c.why, got, c.want)
		}
	}
}

func TestHeaderSkips(t *testing.T) {
	for _, c := range []struct {
		why  string
		h    Header
		want string
	}{
		{"a command of the future", Header{Command: "sendcmpct", Length: 9}, "unknown"},
		{"not even text", Header{Command: "\xff\x00\x01", Length: 9}, "unknown"},
		{"no command", Header{}, "unknown"},
		{"a ping that carries a novel", Header{Command: "ping", Length: 9}, "at most 8"},
		{"a verack with a payload", Header{Command: "verack", Length: 1}, "at most 0"},
		{"the largest block", Header{Command: "block", Length: MaxPayload}, ""},
	} {
		if got := c.h.Skip(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: skip %q, want %q", c.why, got, c.want)
		}
	}
}

// What Decode refuses is skipped by the pump: the stream goes on behind it.
func TestDecodeRefuses(t *testing.T) {
	raw := func(command string, payload []byte) []byte {
		frame, err := EncodePayload(command, payload, magic)
		if err != nil {
			t.Fatal(err)
		}
		return frame
	}
	edit := func(frame []byte, f func([]byte)) []byte { f(frame); return frame }
	many := func(n uint16) []byte { // a list that claims n entries and has none
		return binary.LittleEndian.AppendUint16([]byte{0xfd}, n)
	}
	for _, c := range []struct {
		why   string
		frame []byte
	}{
		{"a wrong checksum", edit(mustEncode(t, &wire.MsgPing{Nonce: 1}), func(b []byte) { b[HeaderSize]++ })},
		{"a wrong checksum of nothing", edit(mustEncode(t, &wire.MsgWTxIdRelay{}), func(b []byte) { b[20]++ })},
		{"wtxidrelay with a payload", raw("wtxidrelay", []byte{0})},
		{"wtxidrelay of another network", edit(mustEncode(t, &wire.MsgWTxIdRelay{}), func(b []byte) { b[0]++ })},
		{"bytes left over", raw("sendheaders", nil)[:HeaderSize-1]},
		{"bytes behind the message", append(mustEncode(t, &wire.MsgPing{}), 0)},
		{"bytes behind the payload", raw("inv", []byte{0, 0})},
		{"a payload that ends early", raw("inv", []byte{1})},
		{"an unknown command", raw("hello", nil)},
		{"50,001 inventory entries", raw("inv", many(50_001))},
		{"2,001 headers", raw("headers", many(2_001))},
		{"1,001 addresses", raw("addr", many(1_001))},
		{"a locator of 501", raw("getheaders", append([]byte{0, 0, 0, 0}, many(501)...))},
		{"less than a header", []byte{1, 2, 3}},
	} {
		if msg, err := Decode(c.frame, magic); err == nil {
			t.Errorf("%s: read as %T", c.why, msg)
		}
	}
}

// FuzzDecode: no bytes make the codec panic, and what it reads it can write, and
// reads the same again.
func FuzzDecode(f *testing.F) {
	for _, msg := range examples(f) {
		frame := mustEncode(f, msg)
		f.Add(msg.Command(), frame[HeaderSize:])
	}
	f.Add("wtxidrelay", []byte{1})
	f.Add("tx", []byte("\x01\x00\x00\x00\xfe\x00\x00\x0c\x00"))
	f.Fuzz(func(t *testing.T, command string, payload []byte) {
		if len(command) > wire.CommandSize || len(payload) > 100_000 {
			return
		}
		frame, err := EncodePayload(command, payload, magic)
		if err != nil {
			t.Fatal(err)
		}
		h := ParseHeader(frame)
		if h.Fault(magic) != "" {
			t.Fatalf("our own frame is a fault: %s", h.Fault(magic))
		}
		msg, err := Decode(frame, magic)
		if err != nil {
			return
		}
		if h.Skip() != "" {
			t.Fatalf("%q would be skipped (%s), yet can be read", command, h.Skip())
		}
		first, err := Encode(msg, magic, wire.ProtocolVersion, wire.WitnessEncoding)
		if err != nil {
			return // some of what can be read breaks a bound of writing
		}
		again, err := Decode(first, magic)
		if err != nil {
			t.Fatalf("%s: we cannot read what we write: %v", command, err)
		}
		second, err := Encode(again, magic, wire.ProtocolVersion, wire.WitnessEncoding)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s: written\n%x, then\n%x (%v)", command, first, second, err)
		}
	})
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

package peer

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/fixture"
)

// examples has a message of each command that the node sends or handles.
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
		&MsgBlock{Payload: fixture.RawTestnet3Block()}, aTx(1),
	}
}

func mustEncode(t testing.TB, msg wire.Message) []byte {
	t.Helper()
	if b, is := msg.(*MsgBlock); is {
		return bytes.Clone(b.Payload)
	}
	payload, err := Encode(msg, wire.ProtocolVersion)
	if err != nil {
		t.Fatalf("encode %s: %v", msg.Command(), err)
	}
	return payload
}

// A command's message in the table is the one of that name.
func TestTableOfMessages(t *testing.T) {
	for command, empty := range messages {
		if got := empty().Command(); got != command {
			t.Errorf("%s makes a %s", command, got)
		}
	}
	for _, msg := range examples(t) {
		if messages[msg.Command()] == nil {
			t.Errorf("%s is missing", msg.Command())
		}
	}
}

func TestCodecRoundTrip(t *testing.T) {
	for _, msg := range examples(t) {
		payload := mustEncode(t, msg)
		if why := Skip(msg.Command(), true); why != "" {
			t.Errorf("an honest message is skipped: %s", why)
		}
		back, err := Decode(msg.Command(), payload)
		if err != nil {
			t.Errorf("%s: %v", msg.Command(), err)
			continue
		}
		if reflect.TypeOf(back) != reflect.TypeOf(msg) {
			t.Errorf("%s came back as %T", msg.Command(), back)
		}
		if again := mustEncode(t, back); !bytes.Equal(again, payload) {
			t.Errorf("%s: decoded and encoded again it is\n%x, was\n%x", msg.Command(), again, payload)
		}
	}
}

// The bytes of another program: Satoshi:0.7.2's version message, as the
// protocol's documentation prints it.
func TestCodecReadsARealVersion(t *testing.T) {
	msg, err := Decode("version", unhex(t, `
		62ea0000 0100000000000000 11b2d05000000000
		0100000000000000 00000000000000000000ffff00000000 0000
		0100000000000000 00000000000000000000ffff00000000 0000
		3b2eb35d8ce61765 0f2f5361746f7368693a302e372e322f c03e0300`))
	if err != nil {
		t.Fatal(err)
	}
	v := msg.(*wire.MsgVersion)
	if v.ProtocolVersion != 60002 || v.UserAgent != "/Satoshi:0.7.2/" || v.LastBlock != 212672 || v.DisableRelayTx {
		t.Errorf("read %+v", v)
	}
}

// A stored block is the payload of the block that it decodes to.
func TestAStoredBlockIsAPayload(t *testing.T) {
	if got := mustEncode(t, fixture.Testnet3Block()); !bytes.Equal(got, fixture.RawTestnet3Block()) {
		t.Error("a stored block is written differently from a decoded one")
	}
}

func TestSkip(t *testing.T) {
	for _, c := range []struct {
		why     string
		command string
		shaken  bool
		want    string
	}{
		{"a command of the future", "sendcmpct", true, "nobody reads"},
		{"not even text", "\xff\x00\x01", true, "nobody reads"},
		{"no command", "", true, "nobody reads"},
		{"a service that we do not offer", "getcfilters", true, "nobody reads"},
		{"a block", "block", true, ""},
		{"a block before the handshake", "block", false, "before the verack"},
		{"a headers before the handshake", "headers", false, "before the verack"},
		{"the handshake itself", "verack", false, ""},
		{"what is negotiated in it", "wtxidrelay", false, ""},
	} {
		if got := Skip(c.command, c.shaken); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: skip %q, want %q", c.why, got, c.want)
		}
	}
}

// What btcd or Bitcoin Core would have refused after they had read it.
func TestDecodeRefuses(t *testing.T) {
	many := func(n uint16, each int) []byte { // a list of n entries of zeros
		return append(binary.LittleEndian.AppendUint16([]byte{0xfd}, n), make([]byte, int(n)*each)...)
	}
	for _, c := range []struct {
		why     string
		command string
		payload []byte
	}{
		{"a payload that ends early", "inv", []byte{1}},
		{"50,001 inventory entries", "inv", many(50_001, 36)},
		{"2,001 headers", "headers", many(2_001, 81)},
		{"1,001 addresses", "addr", many(1_001, 30)},
		{"1,001 addresses of BIP155", "addrv2", many(1_001, 9)},
		{"a locator of 501", "getheaders", slices.Concat(make([]byte, 4), many(501, 32), make([]byte, 32))},
		{"... in a getblocks", "getblocks", slices.Concat(make([]byte, 4), many(501, 32), make([]byte, 32))},
		{"half a header of a block", "block", make([]byte, 40)},
	} {
		if msg, err := Decode(c.command, c.payload); err == nil {
			t.Errorf("%s: read as %T", c.why, msg)
		}
	}
}

// The largest lists that are allowed are read.
func TestDecodeTakesFullLists(t *testing.T) {
	hashes := make([]*chainhash.Hash, MaxLocator)
	invs := make([]*wire.InvVect, wire.MaxInvPerMsg)
	headers := make([]*wire.BlockHeader, wire.MaxBlockHeadersPerMsg)
	for i := range hashes {
		hashes[i] = &chainhash.Hash{}
	}
	for i := range invs {
		invs[i] = &wire.InvVect{}
	}
	for i := range headers {
		headers[i] = &wire.BlockHeader{}
	}
	for _, msg := range []wire.Message{
		&wire.MsgGetHeaders{BlockLocatorHashes: hashes}, &wire.MsgInv{InvList: invs}, &wire.MsgHeaders{Headers: headers},
	} {
		if _, err := Decode(msg.Command(), mustEncode(t, msg)); err != nil {
			t.Errorf("%s: %v", msg.Command(), err)
		}
	}
}

// The protocol was extended by fields at the end of messages. So bytes that are left over
// are for others.
func TestBytesBehindAMessageAreIgnored(t *testing.T) {
	for _, msg := range examples(t) {
		got, err := Decode(msg.Command(), append(mustEncode(t, msg), 1, 2, 3))
		if err != nil {
			t.Errorf("%s with three bytes left over: %v", msg.Command(), err)
		} else if b, is := got.(*MsgBlock); !is && !bytes.Equal(mustEncode(t, got), mustEncode(t, msg)) {
			t.Errorf("%s with three bytes left over is another one", msg.Command())
		} else if is && b.Header != (fixture.Testnet3Block().Header) {
			t.Error("a block with three bytes left over has another header")
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, msg := range []wire.Message{
		&wire.MsgVersion{UserAgent: strings.Repeat("x", 1000)},
		&wire.MsgBlock{Transactions: []*wire.MsgTx{{TxOut: []*wire.TxOut{{PkScript: make([]byte, MaxPayload)}}}}},
	} {
		if _, err := Encode(msg, wire.ProtocolVersion); err == nil {
			t.Errorf("a %s that every peer would refuse is written", msg.Command())
		}
	}
}

// FuzzDecode: no bytes make the codec panic. It can write what it reads, and
// reads the same again.
func FuzzDecode(f *testing.F) {
	for _, msg := range examples(f) {
		f.Add(msg.Command(), mustEncode(f, msg))
	}
	f.Add("wtxidrelay", []byte{1})
	f.Add("tx", []byte("\x01\x00\x00\x00\xfe\x00\x00\x0c\x00"))
	f.Fuzz(func(t *testing.T, command string, payload []byte) {
		if len(command) > wire.CommandSize || len(payload) > 100_000 {
			return
		}
		if Skip(command, true) != "" {
			return
		}
		msg, err := Decode(command, payload)
		if err != nil {
			return
		}
		first, err := Encode(msg, wire.ProtocolVersion)
		if err != nil {
			return // some of what can be read breaks a bound of writing
		}
		again, err := Decode(command, first)
		if err != nil {
			t.Fatalf("%s: we cannot read what we write: %v", command, err)
		}
		second, err := Encode(again, wire.ProtocolVersion)
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

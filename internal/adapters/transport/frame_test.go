package transport

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/fixture"
	"acyclic/peer"
)

// The frames are those of btcd's wire.
func TestFramesAreAsOthersWriteThem(t *testing.T) {
	for _, msg := range []wire.Message{&wire.MsgVerAck{}, &wire.MsgPing{Nonce: 7}, fixture.Testnet3Block()} {
		var want bytes.Buffer
		if _, err := wire.WriteMessageWithEncodingN(&want, msg, wire.ProtocolVersion, magic, wire.WitnessEncoding); err != nil {
			t.Fatal(err)
		}
		if have := frameOf(t, msg); !bytes.Equal(have, want.Bytes()) {
			t.Errorf("%s: the frame is %x..., btcd's %x...", msg.Command(), have[:headerSize], want.Bytes()[:headerSize])
		}
	}
}

// The headers of another program: Satoshi:0.7.2's version message and a verack,
// as the protocol's documentation prints them.
func TestRealHeaders(t *testing.T) {
	for text, want := range map[string]header{
		"f9beb4d976657273696f6e0000000000640000003b648d5a": {wire.MainNet, "version", 100, [4]byte{0x3b, 0x64, 0x8d, 0x5a}},
		"f9beb4d976657261636b000000000000000000005df6e0e2": {wire.MainNet, "verack", 0, checksum(nil)},
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if h := parseHeader(b); h != want {
			t.Errorf("read %+v, want %+v", h, want)
		}
	}
}

func TestHeaderFaults(t *testing.T) {
	honest := parseHeader(pingFrame(t, 1))
	for _, c := range []struct {
		why    string
		change func(*header)
		want   string
	}{
		{"another network's magic", func(h *header) { h.magic = wire.MainNet }, "another network"},
		{"garbage instead of a magic", func(h *header) { h.magic = 0 }, "another network"},
		{"one byte too long", func(h *header) { h.length = peer.MaxPayload + 1 }, "at most"},
		{"as long as can be said", func(h *header) { h.length = 1<<32 - 1 }, "at most"},
		{"the longest that is allowed", func(h *header) { h.length = peer.MaxPayload }, ""},
	} {
		h := honest
		c.change(&h)
		if got := h.fault(magic); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: fault %q, want %q", c.why, got, c.want)
		}
	}
}

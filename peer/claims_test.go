package peer

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/proof/fixture"
)

// A message of a few bytes that claims to be huge costs nothing: it is refused before
// anything is made for what it claims.
func TestDecodeBombsAreRefusedFirst(t *testing.T) {
	huge := binary.LittleEndian.AppendUint32([]byte{0xfe}, 3_900_000) // a count
	ins := []byte("\x01\x00\x00\x00")
	oneIn := append(append(ins[:4:4], 0, 1, 1), make([]byte, 41)...)
	header := make([]byte, 80)
	for _, c := range []struct {
		why, command string
		payload      []byte
	}{
		{"a transaction of many inputs", "tx", append(ins[:4:4], huge...)},
		{"... of many outputs", "tx", append(append(ins[:4:4], 1), append(make([]byte, 41), huge...)...)},
		{"... with many witness items", "tx", append(append(oneIn, 1), append(make([]byte, 9), huge...)...)},
		{"... with a long script", "tx", append(append(ins[:4:4], 1), append(make([]byte, 36), huge...)...)},
		{"a block of many transactions", "block", append(header, huge...)},
		{"a block with a transaction of many inputs", "block", append(append(header[:80:80], 1), append(ins[:4:4], append(huge, 0)...)...)},
		{"an inv", "inv", huge}, {"a getdata", "getdata", huge}, {"a notfound", "notfound", huge},
		{"a headers", "headers", huge}, {"an addr", "addr", huge}, {"an addrv2", "addrv2", huge},
		{"a getheaders", "getheaders", append(ins[:4:4], huge...)}, {"a getblocks", "getblocks", append(ins[:4:4], huge...)},
		{"a user agent", "version", append(make([]byte, 80), huge...)},
	} {
		var err error
		bytes := allocated(func() { _, err = Decode(c.command, c.payload) })
		if err == nil || !strings.Contains(err.Error(), "claims 3900000 parts") && !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s of %d bytes: %v", c.why, len(c.payload), err)
		}
		if bytes > 10_000 {
			t.Errorf("%s of %d bytes makes the decoder allocate %d", c.why, len(c.payload), bytes)
		}
	}
	// The measure sees what the decoder does without the look.
	bomb := append(append(oneIn, 1), append(make([]byte, 9), huge...)...)
	if n := allocated(func() { _ = new(wire.MsgTx).BtcDecode(strings.NewReader(string(bomb)), decodeVersion, encoding) }); n < 10_000_000 {
		t.Errorf("btcd's own decoder allocates %d bytes", n)
	}
}

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What claims walks over is what the decoder reads: no honest message is refused, and it
// ends where the message ends.
func TestClaimsFollowTheDecoder(t *testing.T) {
	msgs := examples(t)
	for _, b := range fixture.MainnetBlocks(200) {
		msgs = append(msgs, b, b.Transactions[0])
	}
	for _, msg := range msgs {
		payload := mustEncode(t, msg)
		if wrong := falseClaim(msg.Command(), payload); wrong != "" {
			t.Errorf("%s: %s", msg.Command(), wrong)
		}
		if c := msg.Command(); c != wire.CmdBlock && c != wire.CmdTx {
			continue
		}
		c := claims{rest: payload}
		c.message(msg.Command())
		if len(c.rest) > 0 {
			t.Errorf("%d of %d bytes of a %s are left", len(c.rest), len(payload), msg.Command())
		}
		if falseClaim(msg.Command(), payload[:len(payload)-1]) == "" {
			t.Errorf("a %s without its last byte is taken", msg.Command())
		}
	}
}

package transport

import (
	"bufio"
	"bytes"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// A message of exactly the allowed size is followed, and one of a byte more is not.
func TestTheLargestMessageIsNoFault(t *testing.T) {
	for length, faulty := range map[uint32]bool{0: false, peer.MaxPayload: false, peer.MaxPayload + 1: true} {
		h := header{magic: magic, command: "block", length: length}
		if why := h.fault(magic); (why != "") != faulty {
			t.Errorf("%d bytes: %q", length, why)
		}
	}
}

// L4: between messages a connection keeps a buffer of a chunk at most, however big the
// last message was. The buffer of a small one is used again.
func TestL4AnIdleConnectionKeepsASmallBuffer(t *testing.T) {
	for _, c := range []struct {
		size int
		kept bool
	}{{100, true}, {4 * chunk, false}} {
		e := New(Config{Bounds: DefaultBounds(1), Magic: magic, Log: func(actor.Record) {}}, adapterID, nil)
		k := &conn{e: e, id: first, shaken: true}
		var buf []byte
		msg, _, err := k.readMessage(bufio.NewReader(bytes.NewReader(raw("block", make([]byte, c.size)))), &buf)
		if err != nil || msg.Bytes != c.size {
			t.Fatalf("%d bytes: %+v, %v", c.size, msg, err)
		}
		if cap(buf) > chunk || (buf != nil) != c.kept {
			t.Errorf("after a message of %d bytes a buffer of %d is kept", c.size, cap(buf))
		}
	}
}

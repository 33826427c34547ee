package script

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/btcsuite/btcd/wire/v2"
)

const (
	protocol  = wire.ProtocolVersion
	headerLen = wire.MessageHeaderSize
	maxFrame  = wire.MaxMessagePayload
)

// readFrame reads one message as it is: its command and its payload. The peer
// decodes only what it understands and skips the rest.
func readFrame(r io.Reader, net wire.BitcoinNet) (command string, payload []byte, err error) {
	var head [headerLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", nil, err
	}
	if magic := binary.LittleEndian.Uint32(head[:4]); magic != uint32(net) {
		return "", nil, fmt.Errorf("a message of network %08x", magic)
	}
	size := binary.LittleEndian.Uint32(head[16:20])
	if size > maxFrame {
		return "", nil, fmt.Errorf("a message of %d bytes", size)
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return "", nil, err
	}
	return string(bytes.TrimRight(head[4:16], "\x00")), payload, nil
}

// frame encodes a message; blocks without their witnesses unless told otherwise.
func frame(msg wire.Message, net wire.BitcoinNet, witness bool) ([]byte, error) {
	enc := wire.BaseEncoding
	if witness {
		enc = wire.WitnessEncoding
	}
	var b bytes.Buffer
	_, err := wire.WriteMessageWithEncodingN(&b, msg, protocol, net, enc)
	return b.Bytes(), err
}

func decode[M wire.Message](payload []byte, msg M) (M, error) {
	// A version message wants a *bytes.Buffer.
	return msg, msg.BtcDecode(bytes.NewBuffer(payload), protocol, wire.WitnessEncoding)
}

package p2p

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// encoding is the protocol version by which messages are encoded. It has all
// messages that the wire package knows.
const encoding = wire.AddrV2Version

// Read reads one message and returns its command and its payload, not decoded.
func Read(r io.Reader, network wire.BitcoinNet) (command string, payload []byte, err error) {
	var head [wire.MessageHeaderSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return "", nil, err
	}
	if magic := binary.LittleEndian.Uint32(head[:4]); magic != uint32(network) {
		return "", nil, fmt.Errorf("a message of network %08x", magic)
	}
	size := binary.LittleEndian.Uint32(head[16:20])
	if size > wire.MaxMessagePayload {
		return "", nil, fmt.Errorf("a message of %d bytes", size)
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return "", nil, err
	}
	return string(bytes.TrimRight(head[4:16], "\x00")), payload, nil
}

// Encode makes the bytes of a message.
func Encode(msg wire.Message, network wire.BitcoinNet, enc wire.MessageEncoding) ([]byte, error) {
	var b bytes.Buffer
	_, err := wire.WriteMessageWithEncodingN(&b, msg, encoding, network, enc)
	return b.Bytes(), err
}

// Frame makes the bytes of a message whose payload may be anything.
func Frame(command string, payload []byte, network wire.BitcoinNet) []byte {
	var name [wire.CommandSize]byte
	copy(name[:], command)
	raw := binary.LittleEndian.AppendUint32(nil, uint32(network))
	raw = append(raw, name[:]...)
	raw = binary.LittleEndian.AppendUint32(raw, uint32(len(payload)))
	raw = append(raw, chainhash.DoubleHashB(payload)[:4]...)
	return append(raw, payload...)
}

// Decode decodes a payload into msg and returns msg.
func Decode[M wire.Message](payload []byte, msg M) (M, error) {
	// MsgVersion requires a *bytes.Buffer.
	return msg, msg.BtcDecode(bytes.NewBuffer(payload), encoding, wire.WitnessEncoding)
}

// Services are those of a node with full blocks and witnesses.
const Services = wire.SFNodeNetwork | wire.SFNodeWitness

// Version is the first message of a scripted peer.
func Version(name string, services wire.ServiceFlag, height int32) *wire.MsgVersion {
	loopback := net.IPv4(127, 0, 0, 1)
	me := wire.NewNetAddressIPPort(loopback, 0, services)
	you := wire.NewNetAddressIPPort(loopback, 0, 0)
	msg := wire.NewMsgVersion(me, you, rand.Uint64(), height) // each peer needs another nonce
	msg.Services = services
	msg.UserAgent = "/scripted:" + name + "/"
	return msg
}

package transport

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	// HeaderSize is the size of a frame's header in bytes: magic 4, command
	// 12, length 4, checksum 4.
	HeaderSize = wire.MessageHeaderSize

	// MaxPayload is the largest payload of a frame in bytes; more is a breach
	// of the framing (Bitcoin Core's MAX_PROTOCOL_MESSAGE_LENGTH).
	MaxPayload = wire.MaxProtocolMessageLength

	// decodeVersion is the protocol version by which frames are decoded,
	// whatever was negotiated: the formats differ only in what peers older
	// than 31402 (refused) and pings of those up to 60000 (BIP31: they expect
	// no pong) send.
	decodeVersion = wire.ProtocolVersion
)

// Header is the header of one frame.
type Header struct {
	Magic    wire.BitcoinNet
	Command  string // as it came; may be any bytes, at most 12
	Length   uint32 // of the payload, in bytes
	Checksum [4]byte
}

// ParseHeader reads the first HeaderSize bytes of frame.
func ParseHeader(frame []byte) Header {
	_ = frame[HeaderSize-1]
	h := Header{
		Magic:   wire.BitcoinNet(binary.LittleEndian.Uint32(frame[0:4])),
		Command: string(bytes.TrimRight(frame[4:16], "\x00")),
		Length:  binary.LittleEndian.Uint32(frame[16:20]),
	}
	copy(h.Checksum[:], frame[20:24])
	return h
}

// Fault says why the stream cannot be followed any further, or "". After a
// wrong magic or an impossible length nobody knows where the next frame starts
// (Bitcoin Core closes the connection for the same two).
func (h Header) Fault(magic wire.BitcoinNet) string {
	switch {
	case h.Magic != magic:
		return fmt.Sprintf("message of another network (magic %08x)", uint32(h.Magic))
	case h.Length > MaxPayload:
		return fmt.Sprintf("message %q of %d bytes, at most %d are allowed", h.Command, h.Length, MaxPayload)
	}
	return ""
}

// Skip says why the payload need not even be kept, or "": a command that is not
// known, or a payload larger than its command allows. It spares the memory; the
// stream goes on behind it.
func (h Header) Skip() string {
	limit, known := limits[h.Command]
	switch {
	case !known:
		return fmt.Sprintf("unknown command %q", h.Command)
	case h.Length > limit:
		return fmt.Sprintf("%s of %d bytes, at most %d make sense", h.Command, h.Length, limit)
	}
	return ""
}

// Known says whether Decode understands a command.
func Known(command string) bool {
	_, ok := limits[command]
	return ok
}

// limits has the largest payload of each command that Decode understands.
var limits = func() map[string]uint32 {
	m := map[string]uint32{}
	for _, msg := range []wire.Message{
		&wire.MsgVersion{}, &wire.MsgVerAck{}, &wire.MsgSendAddrV2{}, &wire.MsgWTxIdRelay{},
		&wire.MsgSendHeaders{}, &wire.MsgFeeFilter{}, &wire.MsgPing{}, &wire.MsgPong{},
		&wire.MsgGetAddr{}, &wire.MsgAddr{}, &wire.MsgAddrV2{},
		&wire.MsgGetBlocks{}, &wire.MsgGetHeaders{}, &wire.MsgHeaders{},
		&wire.MsgInv{}, &wire.MsgGetData{}, &wire.MsgNotFound{},
		&wire.MsgBlock{}, &wire.MsgTx{}, &wire.MsgMemPool{}, &wire.MsgReject{},
		&wire.MsgFilterAdd{}, &wire.MsgFilterClear{}, &wire.MsgFilterLoad{}, &wire.MsgMerkleBlock{},
		&wire.MsgGetCFilters{}, &wire.MsgGetCFHeaders{}, &wire.MsgGetCFCheckpt{},
		&wire.MsgCFilter{}, &wire.MsgCFHeaders{}, &wire.MsgCFCheckpt{},
	} {
		m[msg.Command()] = msg.MaxPayloadLength(decodeVersion)
	}
	return m
}()

// Encode returns the frame of msg for a network, protocol version and encoding.
// It is pure. It fails when msg breaks the bounds of its own command.
func Encode(msg wire.Message, magic wire.BitcoinNet, pver uint32, enc wire.MessageEncoding) ([]byte, error) {
	var b bytes.Buffer
	if _, err := wire.WriteMessageWithEncodingN(&b, msg, pver, magic, enc); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// EncodePayload returns the frame of a payload that is encoded already, such as
// a stored block. It is pure. It fails when the payload is over MaxPayload.
func EncodePayload(command string, payload []byte, magic wire.BitcoinNet) ([]byte, error) {
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%s of %d bytes, at most %d are allowed", command, len(payload), MaxPayload)
	}
	frame := make([]byte, HeaderSize+len(payload))
	binary.LittleEndian.PutUint32(frame[0:4], uint32(magic))
	copy(frame[4:16], command)
	binary.LittleEndian.PutUint32(frame[16:20], uint32(len(payload)))
	sum := chainhash.DoubleHashH(payload)
	copy(frame[20:24], sum[:4])
	copy(frame[HeaderSize:], payload)
	return frame, nil
}

// Decode reads the message of one whole frame. It is pure, and frame may be
// reused afterwards. An error means that this frame is to be skipped: a wrong
// checksum, an unknown command, a malformed payload, bytes left over. Bitcoin
// Core goes on after these too.
func Decode(frame []byte, magic wire.BitcoinNet) (wire.Message, error) {
	if len(frame) < HeaderSize {
		return nil, fmt.Errorf("a frame of %d bytes has no header", len(frame))
	}
	h := ParseHeader(frame)
	if want := HeaderSize + int(h.Length); len(frame) != want {
		return nil, fmt.Errorf("a frame of %d bytes, its header says %d", len(frame), want)
	}
	if h.Command == wire.CmdWTxIdRelay && h.Magic == magic {
		return decodeWTxIDRelay(h)
	}
	_, msg, _, err := wire.ReadMessageWithEncodingN(bytes.NewReader(frame), decodeVersion, magic, wire.WitnessEncoding)
	if err != nil {
		return nil, err
	}
	return msg, nil
}

// decodeWTxIDRelay does what wire does for every other command: its reader has
// the type (BIP339) but does not know the command.
func decodeWTxIDRelay(h Header) (wire.Message, error) {
	sum := chainhash.DoubleHashH(nil)
	switch {
	case h.Length != 0:
		return nil, fmt.Errorf("wtxidrelay with %d bytes, it has none", h.Length)
	case h.Checksum != [4]byte(sum[:4]):
		return nil, fmt.Errorf("wtxidrelay with a wrong checksum")
	}
	return &wire.MsgWTxIdRelay{}, nil
}

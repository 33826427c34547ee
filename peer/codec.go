package peer

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// The codec turns messages into payloads and back. It only calculates. What
// surrounds a payload on the wire is the transport adapter's.

// messages makes the message that a command's payload is decoded into. It has
// every message that a component reads, those that btcd's reader lacks
// (wtxidrelay) included. A new message is one line here, a case in onReceived,
// and one in claims.message if it has counts.
var messages = map[string]func() wire.Message{
	wire.CmdVersion:     empty[wire.MsgVersion],
	wire.CmdVerAck:      empty[wire.MsgVerAck],
	wire.CmdWTxIdRelay:  empty[wire.MsgWTxIdRelay],
	wire.CmdSendAddrV2:  empty[wire.MsgSendAddrV2],
	wire.CmdSendHeaders: empty[wire.MsgSendHeaders],
	wire.CmdFeeFilter:   empty[wire.MsgFeeFilter],
	wire.CmdPing:        empty[wire.MsgPing],
	wire.CmdPong:        empty[wire.MsgPong],
	wire.CmdGetAddr:     empty[wire.MsgGetAddr],
	wire.CmdAddr:        empty[wire.MsgAddr],
	wire.CmdAddrV2:      empty[wire.MsgAddrV2],
	wire.CmdGetBlocks:   empty[wire.MsgGetBlocks],
	wire.CmdGetHeaders:  empty[wire.MsgGetHeaders],
	wire.CmdHeaders:     empty[wire.MsgHeaders],
	wire.CmdInv:         empty[wire.MsgInv],
	wire.CmdGetData:     empty[wire.MsgGetData],
	wire.CmdNotFound:    empty[wire.MsgNotFound],
	wire.CmdBlock:       empty[MsgBlock],
	wire.CmdTx:          empty[wire.MsgTx],
}

// greets says whether a message means something before a peer's verack. Until then no
// other is decoded.
func greets(command string) bool {
	switch command {
	case wire.CmdVersion, wire.CmdVerAck, wire.CmdWTxIdRelay, wire.CmdSendAddrV2, wire.CmdSendHeaders:
		return true
	}
	return false
}

func empty[M any, P interface {
	*M
	wire.Message
}]() wire.Message {
	return P(new(M))
}

const (
	// MaxPayload is the largest payload of a message in bytes (Bitcoin Core's
	// MAX_PROTOCOL_MESSAGE_LENGTH).
	MaxPayload = wire.MaxProtocolMessageLength

	// decodeVersion is the protocol version by which all payloads are decoded.
	// Only peers older than 31402 (refused) send another format. Peers up to
	// 60000 send pings that expect no pong (BIP31).
	decodeVersion = wire.ProtocolVersion

	// encoding keeps the witnesses that a message has.
	encoding = wire.WitnessEncoding
)

// Skip says why the payload of a message need not be kept, or "": no component reads its
// command, or none before the peer's verack. The stream goes on after it.
func Skip(command string, shaken bool) string {
	switch {
	case messages[command] == nil:
		return fmt.Sprintf("nobody reads a %q", command)
	case !shaken && !greets(command):
		return fmt.Sprintf("a %s before the verack", command)
	}
	return ""
}

// Decode reads a message's payload, which may be reused afterwards. An error means that
// it is malformed, or has more entries than its command allows. Bytes behind the message
// are ignored, as Bitcoin Core does: the protocol was extended that way. The command is
// one that Skip lets pass.
func Decode(command string, payload []byte) (wire.Message, error) {
	if wrong := falseClaim(command, payload); wrong != "" {
		return nil, errors.New(wrong)
	}
	switch {
	case command == wire.CmdBlock:
		return decodeBlock(payload)
	case command == wire.CmdPong && len(payload) < 8:
		return &wire.MsgPong{}, nil // Bitcoin Core takes it for one with nonce zero
	}
	msg := messages[command]()
	r := bytes.NewBuffer(payload) // MsgVersion can be read from nothing else
	if err := msg.BtcDecode(r, decodeVersion, encoding); err != nil {
		return nil, err
	}
	return msg, nil
}

// Encode returns the payload of msg by a protocol version. It fails when msg
// breaks the bounds of its command.
func Encode(msg wire.Message, version uint32) ([]byte, error) {
	var b bytes.Buffer
	if err := msg.BtcEncode(&b, version, encoding); err != nil {
		return nil, err
	}
	if limit := min(MaxPayload, msg.MaxPayloadLength(version)); b.Len() > int(limit) {
		return nil, fmt.Errorf("%s of %d bytes, at most %d are allowed", msg.Command(), b.Len(), limit)
	}
	return b.Bytes(), nil
}

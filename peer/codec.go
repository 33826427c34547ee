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
// every message that the node understands, those that btcd's reader lacks
// (wtxidrelay) included. A new message is one line here, and a case in
// onReceived.
var messages = map[string]func() wire.Message{
	wire.CmdVersion:      empty[wire.MsgVersion],
	wire.CmdVerAck:       empty[wire.MsgVerAck],
	wire.CmdWTxIdRelay:   empty[wire.MsgWTxIdRelay],
	wire.CmdSendAddrV2:   empty[wire.MsgSendAddrV2],
	wire.CmdSendHeaders:  empty[wire.MsgSendHeaders],
	wire.CmdFeeFilter:    empty[wire.MsgFeeFilter],
	wire.CmdPing:         empty[wire.MsgPing],
	wire.CmdPong:         empty[wire.MsgPong],
	wire.CmdGetAddr:      empty[wire.MsgGetAddr],
	wire.CmdAddr:         empty[wire.MsgAddr],
	wire.CmdAddrV2:       empty[wire.MsgAddrV2],
	wire.CmdGetBlocks:    empty[wire.MsgGetBlocks],
	wire.CmdGetHeaders:   empty[wire.MsgGetHeaders],
	wire.CmdHeaders:      empty[wire.MsgHeaders],
	wire.CmdInv:          empty[wire.MsgInv],
	wire.CmdGetData:      empty[wire.MsgGetData],
	wire.CmdNotFound:     empty[wire.MsgNotFound],
	wire.CmdBlock:        empty[wire.MsgBlock],
	wire.CmdTx:           empty[wire.MsgTx],
	wire.CmdMemPool:      empty[wire.MsgMemPool],
	wire.CmdReject:       empty[wire.MsgReject],
	wire.CmdFilterAdd:    empty[wire.MsgFilterAdd],
	wire.CmdFilterClear:  empty[wire.MsgFilterClear],
	wire.CmdFilterLoad:   empty[wire.MsgFilterLoad],
	wire.CmdMerkleBlock:  empty[wire.MsgMerkleBlock],
	wire.CmdGetCFilters:  empty[wire.MsgGetCFilters],
	wire.CmdGetCFHeaders: empty[wire.MsgGetCFHeaders],
	wire.CmdGetCFCheckpt: empty[wire.MsgGetCFCheckpt],
	wire.CmdCFilter:      empty[wire.MsgCFilter],
	wire.CmdCFHeaders:    empty[wire.MsgCFHeaders],
	wire.CmdCFCheckpt:    empty[wire.MsgCFCheckpt],
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

// Skip says why the payload of a message need not be kept, or "": its command is
// unknown, or it is longer than its command allows. The stream goes on after it.
func Skip(command string, length int) string {
	known := messages[command]
	if known == nil {
		return fmt.Sprintf("unknown command %q", command)
	}
	if limit := known().MaxPayloadLength(decodeVersion); uint64(length) > uint64(limit) {
		return fmt.Sprintf("%s of %d bytes, at most %d make sense", command, length, limit)
	}
	return ""
}

// Decode reads a message's payload, which may be reused afterwards. An error means
// that the message is to be skipped: its command is unknown, its payload is
// malformed, or bytes are left over. Bitcoin Core goes on after these too.
func Decode(command string, payload []byte) (wire.Message, error) {
	if why := Skip(command, len(payload)); why != "" {
		return nil, errors.New(why)
	}
	msg := messages[command]()
	r := bytes.NewBuffer(payload) // MsgVersion can be read from nothing else
	if err := msg.BtcDecode(r, decodeVersion, encoding); err != nil {
		return nil, err
	}
	if r.Len() > 0 {
		return nil, fmt.Errorf("%s with %d bytes left over", command, r.Len())
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

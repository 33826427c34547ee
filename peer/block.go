package peer

import (
	"bytes"
	"io"

	"github.com/btcsuite/btcd/wire/v2"
)

// MsgBlock is a block message of which only the header is decoded. The transactions stay
// the bytes that came, because nobody but the engine reads them. Decoded, they take several
// times the memory, and a block that nobody asked for would cost a peer nothing and us much.
type MsgBlock struct {
	Header  wire.BlockHeader
	Payload []byte // of the whole message, the header included
}

// BtcDecode reads the header and keeps a copy of all that r has. It is part of
// wire.Message.
func (m *MsgBlock) BtcDecode(r io.Reader, _ uint32, _ wire.MessageEncoding) (err error) {
	if m.Payload, err = io.ReadAll(r); err != nil {
		return err
	}
	m.Payload = bytes.Clone(m.Payload) // ReadAll makes room for more
	return m.Header.Deserialize(bytes.NewReader(m.Payload))
}

// BtcEncode writes the payload. It is part of wire.Message.
func (m *MsgBlock) BtcEncode(w io.Writer, _ uint32, _ wire.MessageEncoding) error {
	_, err := w.Write(m.Payload)
	return err
}

// Command is part of wire.Message.
func (m *MsgBlock) Command() string { return wire.CmdBlock }

// MaxPayloadLength is part of wire.Message.
func (m *MsgBlock) MaxPayloadLength(uint32) uint32 { return wire.MaxBlockPayload }

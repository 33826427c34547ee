package peer

import (
	"bytes"

	"github.com/btcsuite/btcd/wire/v2"
)

// MsgBlock is a block message of which only the header is decoded. The transactions stay
// the bytes that came, because nobody but the engine reads them. Decoded, they take several
// times the memory, and a block that nobody asked for would cost its sender nothing and us
// much.
type MsgBlock struct {
	wire.MsgBlock        // its header, without transactions
	Payload       []byte // of the whole message, the header included
}

// decodeBlock keeps a copy of the payload.
func decodeBlock(payload []byte) (*MsgBlock, error) {
	b := &MsgBlock{Payload: bytes.Clone(payload)}
	return b, b.Header.Deserialize(bytes.NewReader(payload))
}

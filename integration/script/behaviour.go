package script

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Behaviour says how a peer differs from an honest one. Counts are per
// connection.
type Behaviour struct {
	// Latency passes before each block is sent. BytesPerSecond bounds the rate of
	// blocks. Zero: none.
	Latency        time.Duration
	BytesPerSecond int

	// Claim is the height in the version message. Zero: the height of the chain.
	Claim int32

	// Silent reads everything after the handshake and answers nothing, including
	// pings.
	Silent bool
	// Deaf reads nothing after the handshake. It still sends what Ask says.
	Deaf bool
	// Ask is how many blocks of its own chain the peer asks for after the
	// handshake, with witnesses. It begins at height 1 and repeats the chain.
	Ask int

	// EmptyHeaders answers each getheaders with no headers.
	EmptyHeaders bool
	// Unconnecting leaves out the first header of each answer to getheaders.
	Unconnecting bool
	// Replace sends another block instead of the one asked for.
	Replace map[chainhash.Hash]*wire.MsgBlock
	// NotFound answers each getdata with notfound.
	NotFound bool

	// DieAt cuts the connection in the middle of the DieAt-th block.
	DieAt int
	// Leave closes the connection after that many messages, not counting the
	// handshake.
	Leave int

	// SendHeaders asks for announcements by headers (BIP130).
	SendHeaders bool
}

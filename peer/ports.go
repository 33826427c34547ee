package peer

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// A peer cell tells these to the transport adapter (internal/adapters/transport; a
// simulated one under internal/proof/sim). One adapter has all connections, so
// each of these names its own.
//
// Both sides count payloads. Write, Flushed and Received know nothing of the
// header, which is the adapter's. Only perMessage counts it.
type (
	// Bind makes the sending cell the connection's owner. From then on the
	// cell is given what is read. A cell says it first.
	Bind struct{ Conn ConnID }

	// Write queues one message. Its payload must not change afterwards: it is
	// written from where it lies. The cell bounds what it has queued, which is
	// what it has told to write less Flushed.
	Write struct {
		Conn    ConnID
		Command string // at most 12 bytes
		Payload []byte // at most MaxPayload
	}

	// Close closes the connection. With Drain what is queued is written
	// first, for at most DrainTimeout.
	Close struct {
		Conn  ConnID
		Drain bool
	}
)

// ClaimTimeout is how long a new connection waits for its Bind, and
// DrainTimeout how long a closing one may go on writing.
const (
	ClaimTimeout = 10 * time.Second
	DrainTimeout = 2 * time.Second
)

// The transport adapter gives these to a peer cell.
type (
	// Received is one message as it came, in the Inbound lane, in the order
	// of the stream. Exactly one of Msg and Bad is set.
	Received struct {
		Conn    ConnID
		Command string       // as it came: any bytes, at most 12
		Msg     wire.Message // decoded
		Bad     string       // why it was not decoded
		// Fault says that the payload is malformed, or longer than its command
		// allows. What has a wrong checksum, or nobody reads, is skipped.
		Fault bool
		Bytes int // of the payload
		// Memory is what Msg holds in bytes, about, and at least Bytes. It
		// is charged to the connection's credit. A transaction of empty witness
		// items takes 20 times the memory that it takes on the wire.
		Memory int
	}

	// EOF ends the stream, in the Inbound lane: everything read before it has
	// been received. Reason is for people: "closed by the other side", a read
	// error, or, with Fault set, a breach of the framing (wrong network,
	// oversized message).
	EOF struct {
		Conn   ConnID
		Reason string
		Fault  bool
	}

	// Flushed says how much has been handed to the operating system so far,
	// in the Events lane. It is cumulative, so only the latest matters.
	Flushed struct {
		Conn  ConnID
		Bytes uint64 // of payloads, the one being written included
		Msgs  uint64 // whole ones
	}

	// Broken says, in the Control lane, that nothing can be written any more:
	// there was a write error, or the remote did not read within the write
	// deadline.
	Broken struct {
		Conn   ConnID
		Reason string
	}
)

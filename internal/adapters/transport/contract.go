package transport

import (
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// ConnID names a TCP connection. It is never reused.
type ConnID uint64

// What the transport adapter is asked and told. Dial is asked by the server; Bind,
// Write and Close are told by the peer cell that owns the connection. All of
// them carry the ConnID, for there is one adapter for all connections.
type (
	// Sockets answers Dial.
	Sockets struct{}

	// Dial connects to an address and answers within its port's timeout.
	Dial struct {
		actor.Asks[Dialed, Sockets]
		Addr netip.AddrPort
	}

	// Dialed is the answer. Err is "" when Conn is an open connection. A
	// connection that nobody claims by Bind within ClaimTimeout is closed.
	Dialed struct {
		Conn   ConnID
		Local  netip.AddrPort
		Remote netip.AddrPort
		Err    string
	}

	// Bind gives the connection to the peer cell that sends it: from now on
	// what is read goes there. It is the first thing a peer cell says.
	Bind struct{ Conn ConnID }

	// Write queues one framed message. The cell bounds what it has queued
	// (bytes written minus Flushed.Bytes).
	Write struct {
		Conn  ConnID
		Frame []byte
	}

	// Close closes the connection. With Drain what is queued is written
	// first, for at most DrainTimeout.
	Close struct {
		Conn  ConnID
		Drain bool
	}

	// Refuse closes a connection that the server does not want.
	Refuse struct{ Conn ConnID }
)

// ClaimTimeout is how long a new connection waits for its Bind, and
// DrainTimeout how long a closing one may go on writing.
const (
	ClaimTimeout = 10 * time.Second
	DrainTimeout = 2 * time.Second
)

// What the transport adapter gives a peer cell.
type (
	// Received is one message as it came, in the Inbound lane, in the order
	// of the stream. Exactly one of Msg and Bad is set.
	Received struct {
		Conn    ConnID
		Command string       // as the header names it
		Msg     wire.Message // decoded
		Bad     string       // why it could not be decoded; it was skipped
		Bytes   int          // on the wire, header included
		// Memory is what Msg holds in bytes, about, and at least Bytes: it
		// is charged to the connection's credit. A block of empty witness
		// items takes 20 times the room that it takes on the wire.
		Memory int
	}

	// EOF ends the stream, in the Inbound lane: everything read before it has
	// been received. Reason is for people: "closed by the other side", a read
	// error, or a breach of the framing (wrong network, oversized message)
	// with Fault set.
	EOF struct {
		Conn   ConnID
		Reason string
		Fault  bool
	}

	// Flushed says how many bytes and messages have been handed to the kernel
	// so far, in the Events lane; cumulative, so that only the latest matters.
	Flushed struct {
		Conn  ConnID
		Bytes uint64
		Msgs  uint64
	}

	// Broken says, in the Control lane, that nothing can be written any more:
	// a write error, or the write deadline passed (a peer that does not
	// read).
	Broken struct {
		Conn   ConnID
		Reason string
	}
)

package peer

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Bounds are what a peer's cell holds and queues at most, and its times.
type Bounds struct {
	// Handshake is how long a connection may take to become ready, from the
	// start of the cell.
	Handshake time.Duration
	// PingEvery is the time between an answered ping and the next.
	PingEvery time.Duration
	// PongWithin is how long a pong may take.
	PongWithin time.Duration
	// Silence is how long the peer may send nothing at all. It is more than
	// PingEvery, so that a live peer is never silent.
	Silence time.Duration
	// Stuck is how long the write queue may make no progress. It is more than
	// the transport's WriteTimeout, which is to find out first.
	Stuck time.Duration
	// HeadersWithin is how long a getheaders counts as outstanding.
	HeadersWithin time.Duration

	// QueueCap is the size of the write queue in bytes from which on a Send
	// is answered only when the queue is below it again.
	QueueCap int
	// QueueMax is the size in bytes at which the peer is given up: at least
	// QueueCap plus HeldSends times the largest Send.
	QueueMax int
	// HeldSends is how many Sends may wait for their answer: one for each
	// component that asks. Further ones are refused.
	HeldSends int
	// AskedBlocks is how many getdata of blocks are remembered. The oldest
	// is forgotten. It is at least what netsync may have in flight with one
	// peer.
	AskedBlocks int
	// AskedTxs is how many transactions relay may have asked this peer for. They
	// are not remembered here. It bounds a notfound that makes sense.
	AskedTxs int
}

// DefaultBounds are the node's, where inFlight blocks may be asked of one peer
// at a time.
func DefaultBounds(inFlight int) Bounds {
	// sendOverhead is room for the headers of a Send's messages.
	const sendOverhead = 4096
	b := Bounds{
		Handshake:     30 * time.Second, // btcd's negotiateTimeout
		PingEvery:     2 * time.Minute,  // btcd and Core
		PongWithin:    20 * time.Minute, // Core's TIMEOUT_INTERVAL
		Silence:       20 * time.Minute, // Core's TIMEOUT_INTERVAL
		Stuck:         60 * time.Second, // twice the transport's WriteTimeout
		HeadersWithin: 2 * time.Minute,  // Core's HEADERS_RESPONSE_TIME
		QueueCap:      1 << 20,          // Core's -maxsendbuffer
		HeldSends:     3,                // netsync, relay, server
		AskedBlocks:   2 * inFlight,     // those that another peer was asked for since may still come
		AskedTxs:      5000,             // as many as it may have announced: Core's MAX_PEER_TX_ANNOUNCEMENTS
	}
	b.QueueMax = b.QueueCap + (b.HeldSends+1)*(wire.MaxBlockPayload+sendOverhead)
	return b
}

// PerPeer is what a peer's cell holds at most, in bytes, with what it has queued at
// the transport. The queue may be full to its cap, and then take one block more: of
// the Sends that components may have waiting only relay's is a block.
func (b Bounds) PerPeer() int {
	const each = 8192 // the machine and its counters by command
	return each + b.QueueCap + wire.MaxBlockPayload + 2*b.AskedBlocks*chainhash.HashSize
}

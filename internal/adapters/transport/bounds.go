package transport

import (
	"runtime"
	"time"

	"acyclic/peer"
)

// Bounds are what the adapter holds at most, and its times.
type Bounds struct {
	// DialTimeout bounds one Dial.
	DialTimeout time.Duration

	// WriteTimeout is how long a peer may take to accept one chunk of 64 KiB
	// before the connection is Broken.
	WriteTimeout time.Duration

	// ClaimTimeout is how long a new connection waits for its Bind. It is also
	// how long a connection is kept after EOF or Broken for its owner to say
	// Close.
	ClaimTimeout time.Duration

	// DrainTimeout is how long a closing connection may go on writing.
	DrainTimeout time.Duration

	// Draining is how many connections may drain at the same time. A further
	// one is cut at once. Those that drain have no cell any more, so nothing
	// else bounds them: a peer that connects, asks for blocks and leaves
	// without reading them, again and again, must not pile them up here.
	Draining int

	// ProbeInterval is how often the reader of a silent socket looks whether
	// its owner still lives.
	ProbeInterval time.Duration

	// Decoders is how many messages may be decoded at the same time. A
	// message of junk witness items can take some 25 times its bytes in memory.
	// This bounds the sum. Small messages do not count.
	Decoders int
}

// DefaultBounds are the node's, where so many connections may drain.
func DefaultBounds(draining int) Bounds {
	return Bounds{
		DialTimeout:   10 * time.Second, // between Core's 5 s and btcd's 30 s
		WriteTimeout:  30 * time.Second, // a peer that takes less than 2 kB/s cannot follow the chain either
		ClaimTimeout:  peer.ClaimTimeout,
		DrainTimeout:  peer.DrainTimeout,
		Draining:      draining,
		ProbeInterval: time.Minute,           // an owner that died has said so; this is for what went wrong
		Decoders:      runtime.GOMAXPROCS(0), // more would not be faster
	}
}

// PerPeer is what the adapter holds of one peer at most besides the frames that
// its cell has queued, in bytes: the message that is being read, and what was
// read ahead of it. A message may be read as soon as there is any credit, so it
// may overdraw the credit by its size.
func (b Bounds) PerPeer() int {
	return peer.MaxPayload*grown/100 + readAhead + chunk
}

// grown is how large append makes a buffer at most, in percent of what is in it.
const grown = 125

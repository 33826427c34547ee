package rpc

import "time"

// Bounds are what the server of RPC takes at most, and its times.
type Bounds struct {
	MaxConns int           // connections open at once
	MaxQueue int           // requests that wait for a handler
	WaitFor  time.Duration // how long they wait
	MaxBody  int64         // bytes of a request
	MaxBatch int           // calls in one request
	MaxReply int           // bytes of a batch's replies after which no more calls are carried out
	IOFor    time.Duration // to send a request or take a reply
	Penalty  time.Duration // delay after a wrong password
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		MaxConns: 128,                    // those that wait, those that are worked on, and some that are idle
		MaxQueue: 64,                     // Core's -rpcworkqueue
		WaitFor:  30 * time.Second,       // clients give up by then
		MaxBody:  32 << 20,               // Core's MAX_SIZE: a block in hex fits
		MaxBatch: 1000,                   // programs that ask in batches ask for a hundred
		MaxReply: 64 << 20,               // a dozen blocks at least
		IOFor:    30 * time.Second,       // Core's -rpcservertimeout
		Penalty:  250 * time.Millisecond, // Core's
	}
}

// Windows are what one handler may have outstanding, and for how long.
type Windows struct {
	Kind int // questions of one kind to a component
	Peer int // peers that have been asked for their figures

	ReadTimeout   time.Duration // for questions that read
	SubmitTimeout time.Duration // for a block or a transaction that is submitted, and the pool's file
	PeerTimeout   time.Duration // for one peer's figures
}

// DefaultWindows are the node's. A handler asks one question at a time. An earlier one
// may have timed out, or its client may have gone: its slot stays taken until the
// target has answered (law L3).
func DefaultWindows() Windows {
	return Windows{
		Kind:          2,                // so a target that hangs holds at most two questions of each handler and kind
		Peer:          4,                // so many may be left behind before getpeerinfo does without the others' figures
		ReadTimeout:   10 * time.Second, // Core's clients wait longer
		SubmitTimeout: time.Minute,      // a full block, checked on a slow machine behind others
		PeerTimeout:   2 * time.Second,  // one of many; the others' figures are shown without it
	}
}

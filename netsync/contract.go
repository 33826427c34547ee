package netsync

import (
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// Phase says how far the sync is.
type Phase uint8

// The phases. Each is derived from the state: none of them is a latch, and a
// node that falls behind goes back (law L9).
const (
	Idle      Phase = iota // no peer to sync from
	Headers                // downloading headers, perhaps blocks too
	Blocks                 // headers done, downloading blocks
	Following              // at the tip
)

func (p Phase) String() string {
	return [...]string{"idle", "headers", "blocks", "following"}[p]
}

// Status is netsync's State (key 0), published when it changes, at most once a
// second, and the answer to GetStatus.
type Status struct {
	Phase  Phase
	Tips   chain.Tips
	Target chain.Point // the best header that a connected peer has proved
	Peers  int         // that are Ready
	// InFlight counts the blocks asked for and not arrived, Held those that
	// arrived before their parents, HeldBytes their size.
	InFlight, Held, HeldBytes int
	Blocks                    uint64  // connected since the start
	Bytes                     uint64  // of block data received since the start
	BlockRate                 float64 // blocks a second, over the last 30 s
	HeaderRate                float64 // headers a second, over the last 30 s
	Stalls                    uint64  // orders taken back for being late
	Started                   time.Time
}

// Topics are what netsync publishes.
type Topics struct{ Status actor.State[Status] }

// Netsync answers the questions of this contract (see actor.Ref).
type Netsync struct{}

// Questions that netsync answers.
type (
	// GetStatus asks for the Status as it is now.
	GetStatus struct{ actor.Asks[Status, Netsync] }

	// GetPeers asks what netsync knows of each ready peer.
	GetPeers struct{ actor.Asks[Peers, Netsync] }

	// Peers is the answer, in order of ID.
	Peers struct{ Peers []PeerStatus }

	// PeerStatus is one of them.
	PeerStatus struct {
		Peer actor.ID
		// SyncedHeaders is the height of the last header that we have in
		// common with the peer, SyncedBlocks of the last block; -1: unknown.
		SyncedHeaders, SyncedBlocks int32
		InFlight                    []int32 // heights of the blocks asked for
	}
)

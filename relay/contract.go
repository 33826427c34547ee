package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
)

// Relay answers the questions of this contract (see actor.Ref).
type Relay struct{}

// Questions that relay answers.
type (
	// GetStatus asks for relay's figures.
	GetStatus struct{ actor.Asks[Status, Relay] }

	// GetPeers asks for what relay knows of each peer (getpeerinfo).
	GetPeers struct{ actor.Asks[Peers, Relay] }

	// Peers is the answer, in the order of their IDs.
	Peers struct{ Peers []PeerStatus }

	// PeerStatus is what relay knows of a peer.
	PeerStatus struct {
		Peer   actor.ID
		LastTx time.Time // when one of its transactions was accepted; zero: none was
		Queued int       // transactions that it is to be told of
	}

	// GetUnbroadcast asks which transactions are announced until a peer asks for them
	// (getmempoolentry).
	GetUnbroadcast struct{ actor.Asks[Unbroadcast, Relay] }

	// Unbroadcast is the answer, in the order in which they were sent.
	Unbroadcast struct{ TxIDs []chainhash.Hash }

	// Status is the answer.
	Status struct {
		Peers         int
		Announced     uint64 // announcements sent, per block and peer
		Coalesced     uint64 // blocks that an announcement to a slow peer left out
		BlocksServed  uint64
		HeadersServed uint64
		NotFound      uint64

		TxsAnnounced    uint64 // transactions in inv messages of ours
		TxsUnannounced  uint64 // those that a peer was not told of: too many were on its queue
		TxsServed       uint64
		TxsRequested    uint64 // asked of peers
		TxsNotDelivered uint64 // of those, what did not come in time
		TxsReceived     uint64
		TxsAccepted     uint64 // of those received
		TxsRejected     uint64 // for what is no fault of the peer
		TxsInvalid      uint64 // for what is
		TxsDropped      uint64 // because too many were in hand
		Orphans         uint64 // received without their parents
		ParentsWanted   uint64 // parents that a peer was to be asked for
		TxsWaiting      int    // in hand now: chain has not judged them
		TxsInFlight     int    // asked of peers now
		Unbroadcast     int    // sent by RPC, and no peer has asked for them
	}
)

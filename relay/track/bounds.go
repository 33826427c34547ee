package track

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// Bounds are what the trackers hold at most, and their times.
type Bounds struct {
	// MaxAnnounced is how many announcements of one peer are kept. Further ones
	// are dropped.
	MaxAnnounced int
	// MaxInFlight is how many requests may be in flight to a peer before it counts
	// as overloaded.
	MaxInFlight int
	// NonPreferredDelay is how long a peer that connected to us must wait with its
	// announcement, so that one we chose ourselves can come first: whoever wants to
	// hide a transaction from us has to be among those.
	NonPreferredDelay time.Duration
	// TxIDDelay is how long an announcement by txid waits while other peers announce
	// by wtxid. A wtxid names the witness data too, so nobody can answer such a
	// request with a copy that is spoiled, and no transaction is fetched twice.
	TxIDDelay time.Duration
	// OverloadedDelay is how long announcements of an overloaded peer wait, so that
	// a peer that answers slowly does not attract further requests.
	OverloadedDelay time.Duration
	// RequestTimeout is how long a peer may take to deliver. Then the next one that
	// has announced the transaction is asked.
	RequestTimeout time.Duration

	// MaxOrphans is how many transactions with missing parents are kept in mind.
	MaxOrphans int
	// MaxMissing is how many parents of one orphan may be missing. What misses more
	// is not kept in mind.
	MaxMissing int
	// MaxSources is how many peers are remembered that have an orphan, each.
	MaxSources int
	// OrphanTimeout is how long an orphan is kept in mind.
	OrphanTimeout time.Duration

	// MaxUnbroadcast is how many transactions are kept that nobody has asked for.
	MaxUnbroadcast int
	// ReannounceAfter is the time until they are announced again, at least.
	ReannounceAfter time.Duration
	// ReannounceSpread is how much longer it may take. Chance decides, so that the
	// time does not tell who sent a transaction first.
	ReannounceSpread time.Duration

	// TrickleOutbound is the mean time between two inv messages to a peer that we
	// connected to.
	TrickleOutbound time.Duration
	// TrickleInbound is that of the peers that connected to us. They are told
	// together: with times of their own, whoever connects often would learn the time
	// at which we got a transaction.
	TrickleInbound time.Duration

	// FeeFilterInterval is the mean time between two feefilter messages to a peer.
	FeeFilterInterval time.Duration
	// FeeFilterHurry is how long one waits at most after the fee has changed much.
	FeeFilterHurry time.Duration

	// Rejected is the filter of transactions that were rejected since the last
	// block, Confirmed that of those that a block had, and Known that of those that
	// one peer knows.
	Rejected, Confirmed, Known FilterSize
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		MaxAnnounced: 5_000, // Core's MAX_PEER_TX_ANNOUNCEMENTS: 12 minutes at 7 a second
		MaxInFlight:  100,   // Core's MAX_PEER_TX_REQUEST_IN_FLIGHT

		NonPreferredDelay: 2 * time.Second,  // Core's NONPREF_PEER_TX_DELAY
		TxIDDelay:         2 * time.Second,  // Core's TXID_RELAY_DELAY
		OverloadedDelay:   2 * time.Second,  // Core's OVERLOADED_PEER_TX_DELAY
		RequestTimeout:    60 * time.Second, // Core's GETDATA_TX_INTERVAL

		MaxOrphans:    100,              // Core's DEFAULT_MAX_ORPHAN_TRANSACTIONS
		MaxMissing:    100,              // more parents than a package that is taken can have (25), with room
		MaxSources:    8,                // one of them is likely to have the parents too
		OrphanTimeout: 20 * time.Minute, // Core's ORPHAN_TX_EXPIRE_TIME

		MaxUnbroadcast:   1_000,            // a thousand of a wallet at once, and more need not be said again
		ReannounceAfter:  10 * time.Minute, // as Core's ReattemptInitialBroadcast
		ReannounceSpread: 5 * time.Minute,  // likewise

		TrickleOutbound: 2 * time.Second, // Core's OUTBOUND_INVENTORY_BROADCAST_INTERVAL
		TrickleInbound:  5 * time.Second, // Core's INBOUND_INVENTORY_BROADCAST_INTERVAL

		FeeFilterInterval: 10 * time.Minute, // Core's AVG_FEEFILTER_BROADCAST_INTERVAL
		FeeFilterHurry:    5 * time.Minute,  // Core's MAX_FEEFILTER_CHANGE_DELAY

		// As Core's m_lazy_recent_rejects and m_lazy_recent_confirmed_transactions.
		// 120,000 is what 125 peers have announced of, 1,000 each. 48,000 is what
		// some 20 blocks confirm. A false positive hides a transaction until the next
		// block.
		Rejected:  FilterSize{Entries: 120_000, FalsePositives: 1e-6},
		Confirmed: FilterSize{Entries: 48_000, FalsePositives: 1e-6},
		// Core's has 50,000 entries, 539 KB for each peer. This one has four times
		// what a peer may have announced and not delivered: 216 KB, or 35 MB for 164
		// seats. A transaction forgotten costs a peer 36 bytes of inv that it did not
		// need. A false positive would keep a transaction from it, so that is as rare
		// as Core's.
		Known: FilterSize{Entries: 20_000, FalsePositives: 1e-6},
	}
}

// PerPeer is what the trackers hold of one peer at most, in bytes. It is what
// Requests and the filter of what the peer knows hold of it. Nobody else announces
// what it does: then each announcement has a transaction of its own.
func (b Bounds) PerPeer() int {
	const (
		// announced is an announcement (80), its transaction (96), the list of the
		// transaction's announcements (8), an entry of a map (40) that may be less
		// than half full and has a byte of its own for each, and entries in two
		// lists that append has made a quarter larger.
		announced = 80 + 96 + 8 + 94 + 2*12
		// each is the peer's own state, and its entry in a map.
		each = 512
	)
	return each + b.MaxAnnounced*announced + b.Known.Bytes()
}

// Together is what the trackers hold for all peers together, in bytes.
func (b Bounds) Together() int {
	const (
		// orphan is the child in a list that append may have doubled (136), and
		// what the allocator rounds up.
		orphan = 2*136 + 512
		// unbroadcast is two hashes, in a list that append may have doubled.
		unbroadcast = 2 * 2 * chainhash.HashSize
	)
	perOrphan := orphan + 2*chainhash.HashSize*b.MaxMissing + 2*8*b.MaxSources
	return b.Rejected.Bytes() + b.Confirmed.Bytes() + b.MaxOrphans*perOrphan + b.MaxUnbroadcast*unbroadcast
}

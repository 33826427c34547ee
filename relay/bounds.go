package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/peer"
	"acyclic/relay/track"
)

// Bounds are what relay holds at most, and its times.
type Bounds struct {
	// MaxAnnounce is how many blocks may wait to be announced to one peer.
	// When there are more, only the tip is announced.
	MaxAnnounce int
	// MaxKnown is how many of the blocks that a peer knows are remembered, per
	// peer.
	MaxKnown int
	// MaxWanted is how many items of getdata may wait, per peer.
	MaxWanted int
	// MaxWantedOfAll is how many may wait for all peers together. When there are
	// more, the peer that wants the most is ended.
	MaxWantedOfAll int
	// MaxLocators is how many getheaders may wait, and how many getblocks,
	// per peer. It is at least 2: the first may be under way, and a further
	// one replaces the last.
	MaxLocators int
	// MaxReads is how many questions the readers may be asked on behalf of
	// all peers together.
	MaxReads int
	// ReadAttempts is how often a read is tried. Then a getdata is answered
	// with notfound, and a getheaders or getblocks is not answered.
	ReadAttempts int
	// AnnounceDelay is how long a block waits for others that are connected
	// together with it.
	AnnounceDelay time.Duration
	// AnnounceInterval is the least time between two announcement rounds.
	AnnounceInterval time.Duration
	// MaxTipAge is the age, by its own timestamp, from which a block is no
	// news: the node is still catching up.
	MaxTipAge time.Duration
	// RetryAfter is how long to wait after ErrBusy, or after a read that failed.
	RetryAfter time.Duration

	// Txs are the bounds of what decides about transactions.
	Txs track.Bounds
	// Beat is how exact the times are at which peers are asked for transactions.
	Beat time.Duration
	// MaxPool is how many transactions of the pool are known by name.
	MaxPool int
	// MaxPoolChanges is how many transactions may come to the pool and go while all
	// names are asked for. When there are more, they are asked for again.
	MaxPoolChanges int
	// MaxQueued is how many transactions may wait to be announced to one peer. It is
	// not told of further ones by us.
	MaxQueued int
	// AnnounceTxs is how many transactions an inv announces, AnnounceMore how many
	// more for each 1,000 that wait, MaxAnnounceTxs how many at most.
	AnnounceTxs, AnnounceMore, MaxAnnounceTxs int
	// MaxTxAge is how old a transaction may be that is announced, by the time at
	// which it came to the pool.
	MaxTxAge time.Duration
	// ServeTxsAfter is from which age on a transaction is served to a peer that was
	// not told of it.
	ServeTxsAfter time.Duration
	// MaxServeTxs is how many transactions are read and sent at a time, and
	// MaxServeBytes how many bytes they may have, unless it is one.
	MaxServeTxs, MaxServeBytes int
	// MaxHand is how many bytes of memory the transactions may take that have come
	// and that chain has not judged. Nothing is asked for while half of it is taken.
	// What nobody asked for is dropped while a quarter is.
	MaxHand int
	// MaxHandOfPeer is how many bytes of them may wait of one peer, for it to be
	// asked for more.
	MaxHandOfPeer int
	// FeeSteps is the incremental relay fee, by which fee filters are rounded.
	FeeSteps int64
	// FeeInterval is the least time between two questions about the pool's fee rate,
	// and FeePoll the time between them while it is higher than usual.
	FeeInterval, FeePoll time.Duration
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		MaxAnnounce:  8,      // Core's MAX_BLOCKS_TO_ANNOUNCE
		MaxKnown:     128,    // 16 times that; a forgotten block costs one inv too many
		MaxWanted:    50_000, // one full getdata: 2.2 MB
		MaxLocators:  2,      // the one under way and the newest
		MaxReads:     8,      // two for each of four readers
		ReadAttempts: 3,      // a reader that fails three times is not merely busy

		AnnounceDelay:    5 * time.Millisecond,   // the events of one step of chain come within it
		AnnounceInterval: 100 * time.Millisecond, // ten messages a second to a peer, whatever happens
		MaxTipAge:        24 * time.Hour,         // Core's DEFAULT_MAX_TIP_AGE
		RetryAfter:       time.Second,            // what was busy has worked off its queue by then

		MaxWantedOfAll: 400_000, // two thousand for each peer, or eight full getdata
		Txs:            track.DefaultBounds(),
		Beat:           50 * time.Millisecond, // twenty Ticks a second, whatever is announced; the shortest delay has two seconds
		MaxPool:        250_000,               // a pool of 300 MB has 1,200 bytes of memory for each
		MaxPoolChanges: 20_000,                // five blocks' worth, and the answer takes less than a second
		MaxQueued:      10_000,                // Core's queue has no bound, and at 120 each 5 s drains no faster

		AnnounceTxs:    70,              // Core's INVENTORY_BROADCAST_TARGET
		AnnounceMore:   5,               // as Core
		MaxAnnounceTxs: 1_000,           // Core's INVENTORY_BROADCAST_MAX
		MaxTxAge:       chain.NewsAge,   // what waits for a peer that long, others have told
		ServeTxsAfter:  2 * time.Minute, // Core's UNCONDITIONAL_RELAY_DELAY: it is everywhere by then

		MaxServeTxs:   256,             // a getdata of a thousand takes four turns
		MaxServeBytes: 128 << 10,       // with junk witnesses that is 1.9 MB in memory
		MaxHand:       16 << 20,        // two seconds of work for chain
		MaxHandOfPeer: 2 << 20,         // so that eight peers are needed to fill it
		FeeSteps:      1_000,           // Core's DEFAULT_INCREMENTAL_RELAY_FEE
		FeeInterval:   5 * time.Second, // a full pool says so with each transaction
		FeePoll:       time.Minute,     // the least fee halves in hours
	}
}

// PerPeer is what relay holds of one peer at most, in bytes. The block that it serves is
// not counted here: the bytes are those that are on the way to the peer's cell or in its
// queue, of which peer.Bounds.PerPeer counts one block beyond the cap, and the next block
// is read when the queue is below the cap again. Transactions are other bytes there. A
// list of what was not found is sent instead of them, never beside them, and is smaller.
func (b Bounds) PerPeer() int {
	const (
		// request is a getheaders or getblocks, in a list that append may have
		// doubled, with the longest locator that the peer's cell lets pass.
		request = 2*64 + peer.MaxLocator*(chainhash.HashSize+8)
		// known is an entry of a list and one of a map, which is up to half
		// empty; append and the map may have doubled.
		known = 4 * (chainhash.HashSize + 1)
		// announced is a block that waits, in a list that append may have
		// doubled, with its header.
		announced = 2*40 + 112
		// told is a transaction that waits to be announced (16), in a list that
		// append has made a quarter larger.
		told = 16 + 5
		// served is what a byte of a transaction is in memory, in a message of some
		// that the pool may have dropped. The worst have inputs of a thousand empty
		// items, which a tapscript drops.
		served = 15
		// each is the peer's own state, and its entries in lists and maps.
		each = 2048
	)
	return each + b.MaxServeBytes*served + 2*b.MaxLocators*request +
		b.MaxKnown*known + b.MaxAnnounce*announced + b.MaxQueued*told + b.Txs.PerPeer()
}

// Together is what relay holds for all peers together, in bytes.
func (b Bounds) Together() int {
	const (
		// wanted is for each item that waits: its hash and type (33), the message
		// that it came in (4), and the list of lists that it is in.
		wanted = 38
		// pooled is a transaction of the pool by name: its entry (112), and entries
		// in three maps (40, 40 and 16) that may be less than half full.
		pooled = 112 + 96*5/2
		// changed is one that came or went meanwhile: its txid, in a map that may be
		// less than half full.
		changed = 33 * 5 / 2
	)
	return b.MaxWantedOfAll*wanted + b.MaxPool*pooled + b.MaxPoolChanges*changed + b.MaxHand + b.Txs.Together()
}

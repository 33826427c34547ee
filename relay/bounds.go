package relay

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
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
	}
}

// PerPeer is what relay holds of one peer at most, in bytes. The block that it
// serves counts here as long as its Send is not answered, to be tried again
// should the peer's cell be busy. The next block is read after that. A list of
// what was not found is sent instead of a block, never beside one, and is
// smaller.
func (b Bounds) PerPeer() int {
	const (
		// wanted is for each item that waits: its inventory vector (36), the
		// message that it came in (4), and what append leaves free.
		wanted = 43
		// request is a getheaders or getblocks, in a list that append may have
		// doubled, with the longest locator that the peer's cell lets pass.
		request = 2*64 + peer.MaxLocator*(chainhash.HashSize+8)
		// known is an entry of a list and one of a map, which is up to half
		// empty; append and the map may have doubled.
		known = 4 * (chainhash.HashSize + 1)
		// announced is a block that waits, in a list that append may have
		// doubled, with its header.
		announced = 2*40 + 112
		// each is the peer's own state, and its entries in lists and maps.
		each = 1024
	)
	return each + wire.MaxBlockPayload + b.MaxWanted*wanted + 2*b.MaxLocators*request +
		b.MaxKnown*known + b.MaxAnnounce*announced
}

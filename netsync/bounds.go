package netsync

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// Bounds are what netsync holds at most, and its times.
type Bounds struct {
	Span        int // blocks on the path that are looked at, from the first that chain does not have
	HeldBytes   int // of memory for blocks that wait for earlier ones
	SubmitBytes int // of memory for blocks that chain is working on; one block is always allowed

	Fetchers          int // peers that are asked for headers at the same time as long as our tip is old
	HeadersPerMessage int // what a headers message has at most; a peer that sends as many has more

	MinInFlight   int // blocks a peer may have in flight, however slow it is
	StartInFlight int // ... as long as its rate is not known, unless it came to us
	MaxInFlight   int // ... however fast it is

	HeadersTimeout time.Duration // from the question for headers to the answer
	OrderTimeout   time.Duration // least time for a peer's next block
	UrgentAfter    time.Duration // after which the block that all wait for is asked of a second peer

	MaxStalls       int // times in a row that a peer was late with its blocks
	MaxLate         int // times in a row that a peer that we chose did not answer getheaders
	MaxUnconnecting int // times in a row that a peer's headers did not connect

	RecentTip   time.Duration // a best header younger than this counts as recent
	StaleTip    time.Duration // every peer is asked for headers about this often
	MinAsk      time.Duration // between two getheaders to a peer that announces
	TooNewRetry time.Duration // until a peer with headers from the future is asked again
	Pause       time.Duration // how long a peer that stalled is given no orders
	Retry       time.Duration // until what failed inside the node is tried again
}

// DefaultBounds are the node's.
func DefaultBounds() Bounds {
	return Bounds{
		Span:        1024,      // Core's BLOCK_DOWNLOAD_WINDOW
		HeldBytes:   128 << 20, // 30 full blocks of 2 MB, which take about twice that in memory
		SubmitBytes: 32 << 20,  // four of the largest blocks

		Fetchers:          2,                          // one may be silent, a third would only repeat
		HeadersPerMessage: wire.MaxBlockHeadersPerMsg, // the protocol's; worlds of short chains have a smaller one

		MinInFlight:   2,   // one being sent, one asked for
		StartInFlight: 8,   // half of Core's 16: most peers are not known to be fast
		MaxInFlight:   128, // small blocks over a long line: 128 in a round trip of 2 s

		HeadersTimeout: 20 * time.Second, // 162 kB at 8 kB/s
		OrderTimeout:   10 * time.Second, // a block of 2 MB at 200 kB/s
		UrgentAfter:    2 * time.Second,  // Core's first BLOCK_STALLING_TIMEOUT

		MaxStalls:       3,  // the third time is no accident
		MaxLate:         4,  // the same, with one more for a peer that syncs itself
		MaxUnconnecting: 10, // Core's MAX_NUM_UNCONNECTING_HEADERS_MSGS

		RecentTip:   24 * time.Hour,         // Core's, before it asks all peers for headers
		StaleTip:    10 * time.Minute,       // a block interval
		MinAsk:      250 * time.Millisecond, // four questions a second at most
		TooNewRetry: 2 * time.Minute,        // the limit is two hours: nobody is that much off by chance
		Pause:       5 * time.Second,        // others deliver meanwhile; a short outage is over by then
		Retry:       time.Second,            // a busy component has worked off its queue by then
	}
}

// PerPeer is what netsync holds of one peer at most, in bytes, besides its
// blocks: the headers that wait to be judged, a locator, the orders. HeldBytes and
// SubmitBytes bound the blocks of all peers together.
func (b Bounds) PerPeer() int {
	const (
		// locator is what the next getheaders starts from.
		locator = peer.MaxLocator * (chainhash.HashSize + 8)
		// ordered is an order, and its line of the getdata that is being sent
		// with a pointer to it, in lists that append may have doubled.
		ordered = 2 * (48 + 48 + 8)
		// each is the remote, and its entries in lists.
		each = 1536
	)
	return each + BatchMemory + locator + b.MaxInFlight*ordered
}

// BatchMemory is a full headers message, in bytes: the headers as they are
// allocated, and a pointer to each.
const BatchMemory = wire.MaxBlockHeadersPerMsg * (112 + 8)

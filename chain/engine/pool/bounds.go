package pool

import "time"

// What the pool may hold. Those with a reason of Bitcoin Core's are its defaults.
const (
	// DefaultMaxBytes is what the pool takes of memory (--maxmempool).
	DefaultMaxBytes = 300_000_000
	// DefaultMinRelayFee is the lowest fee rate that is taken, in satoshi per
	// 1,000 virtual bytes (--minrelaytxfee).
	DefaultMinRelayFee = 1000
	// DefaultExpiry is how long a transaction stays. Whoever wants it confirmed
	// has sent it again by then, with a higher fee.
	DefaultExpiry = 336 * time.Hour
	// maxExpired is how many transactions one call throws out for their age, and then
	// the descendants of the last one. So a block waits for no whole pool that expires
	// at once. The others follow with the next calls.
	maxExpired = 1_000

	// incrementalFee is what a replacement pays more for its own bandwidth, and by
	// how much the minimum fee rises above that of what was evicted.
	incrementalFee = 1000
	// dustFee is the fee rate at which an output must be worth spending. btcd
	// multiplies it by three.
	dustFee = 1000

	// A transaction with its ancestors, and one with its descendants, in the pool.
	// They bound every walk over relatives.
	maxRelatives     = 25
	maxRelativesSize = 101_000
	// carveOutSize is how large the one more descendant may be that an output
	// anchored in a full chain is allowed (CPFP carve-out).
	carveOutSize = 10_000

	// maxReplaced is how many transactions one may replace: each is removed and
	// told.
	maxReplaced = 100

	// maxOrphans and maxOrphanBytes bound the transactions whose parents are
	// missing, and maxOrphanWeight each. One peer's are thrown out first.
	maxOrphans      = 100
	maxOrphanBytes  = 10_000_000
	maxOrphanWeight = 400_000
	// orphanExpiry is how long a parent may take to come.
	orphanExpiry = 20 * time.Minute
	// orphanBudget is the weight of orphans after which a call tries no further one:
	// that of one of the largest. So the next block waits for less than two of these.
	// The others follow with the next call.
	orphanBudget = maxOrphanWeight

	// maxReturned bounds the bytes of the disconnected blocks' transactions that
	// may go back to the pool after a reorganisation.
	maxReturned = 20_000_000

	// maxDeltas bounds the priorities of transactions that are not in the pool.
	// They come from the node's owner alone.
	maxDeltas = 1 << 16

	// maxSigOpCost is the cost of signature operations of a transaction: a fifth of
	// a block's.
	maxSigOpCost = 16_000
	// bytesPerSigOp is how many virtual bytes a signature operation counts for at
	// least.
	bytesPerSigOp = 20
	// maxVersion is the highest version of a transaction that is standard. Version 3
	// (TRUC) has rules that the pool does not have.
	maxVersion = 2

	// rollingHalflife is how fast the minimum fee of a full pool falls. It falls
	// twice as fast when the pool is below half of its size, and four times below a
	// quarter.
	rollingHalflife = 12 * time.Hour
	// rollingStep is how often it is calculated.
	rollingStep = 10 * time.Second

	// chunk is how many entries are copied under one hold of the mutex.
	chunk = 64
)

package chain

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// Those who answer the questions of this contract (see actor.Ref).
type (
	// Chain is the component. It keeps the order of changes, the tips and the
	// templates.
	Chain struct{}

	// Readers are the engine's goroutines that look things up beside its worker.
	// They are asked directly: a read takes no lock that a block holds.
	Readers struct{}
)

// Point is a header's position in the tree of headers.
type Point struct {
	Hash   chainhash.Hash
	Height int32
	Work   Work      // of the chain up to and including it
	Time   time.Time // the header's own timestamp
}

// Questions that change the chain. They are carried out one after the other,
// those of a kind in the order asked.
type (
	// SubmitHeaders offers consecutive headers, each the child of the one
	// before. At most wire.MaxBlockHeadersPerMsg.
	SubmitHeaders struct {
		actor.Asks[HeadersVerdict, Chain]
		Headers []*wire.BlockHeader
	}

	// HeadersVerdict is the answer.
	HeadersVerdict struct {
		// Accepted counts the headers from the first that are now known
		// (they may have been known before); New counts those that were not.
		Accepted, New int
		// Last is the place of the last accepted header; zero if none was.
		Last Point
		// Fork is the place where Last's branch leaves the best header chain:
		// Last itself when it is on it.
		Fork Point
		// Best is the best header after the call.
		Best Point
		// Code says why the header after the last accepted one was not
		// accepted; OK when all were.
		Code Code
		// Reason is Code in Bitcoin Core's words ("high-hash", ...), Detail
		// what exactly is wrong, for people; both "" when OK.
		Reason, Detail string
	}

	// SubmitBlock offers a block whose parent's block is already known (the
	// caller brings them in order). The block must not be changed afterwards.
	SubmitBlock struct {
		actor.Asks[Verdict, Chain]
		Block  *wire.MsgBlock
		Hash   chainhash.Hash
		Source actor.ID // the peer that sent it; zero: RPC
	}

	// Verdict is the answer.
	Verdict struct {
		Hash chainhash.Hash
		Code Code
		// Reason is Code in Bitcoin Core's words ("bad-txnmrklroot", ...),
		// Detail what exactly is wrong, for people; both "" when OK.
		Reason, Detail string
		// InBestChain is true when the block is part of the best chain now.
		InBestChain bool
		Tip         Point // the best block after the call
	}
)

// Questions about the chain that Chain answers.
type (
	// GetTips asks for the best block and the best header.
	GetTips struct{ actor.Asks[Tips, Chain] }

	// Tips is the answer, and what chain publishes as its State.
	Tips struct {
		Block  Point
		Header Point
		// MedianTime is the median of the last eleven blocks' times (BIP113).
		MedianTime time.Time
	}

	// GetTemplate asks for what a new block on the best block needs;
	// generatetoaddress uses it. It waits behind the changes.
	GetTemplate struct {
		actor.Asks[Template, Chain]
		Time time.Time // the miner's clock
	}

	// Template is the answer.
	Template struct {
		Prev    Point
		Version int32
		Bits    uint32
		MinTime time.Time // one second after the median time past
		Subsidy int64     // of the next block, satoshi
	}
)

// Questions that Readers answer. An answer can be older than a change that is
// being carried out.
type (
	// GetLocator asks for a block locator of the header From, or of the best
	// header when From is zero. With Parent it starts at the parent, so that
	// a peer that has the header itself answers with it and so proves it.
	GetLocator struct {
		actor.Asks[Locator, Readers]
		From   chainhash.Hash
		Parent bool
	}

	// Locator is the answer; Tip is the header it starts from.
	Locator struct {
		Hashes []*chainhash.Hash
		Tip    Point
	}

	// GetPath asks for the blocks that are missing between the best block
	// and the header To: in order of height, from the first whose block data
	// is not stored, at most Max. After, if not zero, is an ancestor of To:
	// the path starts at its child.
	GetPath struct {
		actor.Asks[Path, Readers]
		To    chainhash.Hash
		After chainhash.Hash
		Max   int
	}

	// Path is the answer. Known is false when To is not a known valid header.
	Path struct {
		Known bool
		To    Point
		// Missing are consecutive blocks on the way to To. Have counts those
		// of them whose data is stored all the same; they are left out.
		Missing []Point
		Have    int
	}

	// GetForks asks where the branches of some headers leave the branch of
	// To (the best header when zero).
	GetForks struct {
		actor.Asks[Forks, Readers]
		To     chainhash.Hash
		Hashes []chainhash.Hash // at most MaxForks
	}

	// Forks is the answer: for each hash its point and the point of the last
	// header it shares with To. Both zero when the hash is not known.
	Forks struct {
		Points []Point
		Shared []Point
	}

	// GetHeaders asks for the headers of the best chain after the locator
	// (BIP31's getheaders): at most 2,000.
	GetHeaders struct {
		actor.Asks[Headers, Readers]
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// Headers is the answer.
	Headers struct{ Headers []*wire.BlockHeader }

	// GetHashes is getblocks: at most 500 hashes of the best chain after the
	// locator.
	GetHashes struct {
		actor.Asks[Hashes, Readers]
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// Hashes is the answer.
	Hashes struct{ Hashes []chainhash.Hash }

	// GetBlock asks for a stored block of the best chain as the payload of a
	// block message, with or without witness data.
	GetBlock struct {
		actor.Asks[Block, Readers]
		Hash    chainhash.Hash
		Witness bool
	}

	// Block is the answer. Payload is nil when there is no such block (or it
	// was pruned).
	Block struct {
		Hash    chainhash.Hash
		Height  int32
		Payload []byte
	}

	// GetHash asks for the hash at a height of the best chain.
	GetHash struct {
		actor.Asks[HashAt, Readers]
		Height int32
	}

	// HashAt is the answer.
	HashAt struct {
		Known bool
		Hash  chainhash.Hash
	}

	// GetHeader asks all that is known of one header.
	GetHeader struct {
		actor.Asks[HeaderInfo, Readers]
		Hash chainhash.Hash
	}

	// HeaderInfo is the answer.
	HeaderInfo struct {
		Known       bool
		Header      wire.BlockHeader
		Point       Point
		MedianTime  time.Time
		InBestChain bool           // its block is part of the best chain
		Next        chainhash.Hash // in the best chain; zero at the tip
	}
)

// MaxForks bounds GetForks.
const MaxForks = 1024

// Event is published on the Blocks stream.
type Event interface{ chainEvent() }

type (
	// BlockConnected says that a block became part of the best chain.
	BlockConnected struct {
		Point
		Header wire.BlockHeader
		Source actor.ID // the peer that sent it; zero: unknown or RPC
		Txs    int      // transactions in it
		Size   int      // bytes with witness
	}

	// BlockDisconnected says that a block is no longer part of it.
	BlockDisconnected struct{ Point }
)

func (BlockConnected) chainEvent()    {}
func (BlockDisconnected) chainEvent() {}

// Topics are what chain publishes. Tips is a State with key 0: every change of
// the best block or the best header. Blocks is a Stream; who lags behind asks
// GetTips.
type Topics struct {
	Tips   actor.State[Tips]
	Blocks actor.Stream[Event]
}

// Code says why a header or block was not accepted.
type Code uint8

// The codes.
const (
	OK          Code = iota
	Duplicate        // its block is already known; no fault
	Orphan           // its parent is not known
	TooNew           // more than two hours ahead of our clock: not yet, not bad
	Invalid          // breaks a rule of consensus: whoever sent it is at fault
	BadAncestor      // descends from an invalid block
	Checkpoint       // contradicts a checkpoint
	Mutated          // the body does not belong to the header (merkle root, witness commitment): another copy may be good
	Fatal            // the database failed; the node is stopping
)

func (c Code) String() string {
	return [...]string{"ok", "duplicate", "orphan", "too-new", "invalid", "bad-ancestor", "checkpoint", "mutated", "fatal"}[c]
}

// Faulty says whether a peer that sent it on its own account broke the rules.
func (c Code) Faulty() bool {
	return c == Invalid || c == BadAncestor || c == Checkpoint || c == Mutated
}

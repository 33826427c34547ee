package chain

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// The two that answer the questions of this contract (see actor.Ref).
type (
	// Chain is the component. It is asked for changes, the tips and templates.
	Chain struct{}

	// Readers are the engine's goroutines that look things up beside its worker.
	// They are asked directly. A read takes no lock that a block holds.
	Readers struct{}
)

// Point is a header's position in the tree of headers.
type Point struct {
	Hash   chainhash.Hash
	Height int32
	Work   Work      // of the chain up to and including it
	Time   time.Time // the header's own timestamp
}

// Questions that change the chain. They are carried out one after the other, and
// those of one kind in the order asked.
type (
	// SubmitHeaders offers headers, each the child of the one before, and at
	// most wire.MaxBlockHeadersPerMsg.
	SubmitHeaders struct {
		actor.Asks[HeadersVerdict, Chain]
		Headers []*wire.BlockHeader
	}

	// HeadersVerdict is the answer.
	HeadersVerdict struct {
		// Accepted counts the headers, from the first one on, that are known
		// now. New counts those of them that were not known before.
		Accepted, New int
		// Last is the last accepted header. It is zero if none was accepted.
		Last Point
		// Fork is the last header that Last's branch shares with the best
		// header chain. It is Last itself when Last is on it.
		Fork Point
		// Best is the best header after the call.
		Best Point
		// Code says why the header after the last accepted one was not
		// accepted. It is OK when all were.
		Code Code
		// Reason is Code in Bitcoin Core's words ("high-hash", ...). Detail
		// tells people what exactly is wrong. Both are "" when Code is OK.
		Reason, Detail string
	}

	// SubmitBlock offers a block. The caller brings blocks in order: the data of
	// its parent must be stored. Payload is that of a block message, and must not be
	// changed afterwards. Hash is that of its header.
	SubmitBlock struct {
		actor.Asks[Verdict, Chain]
		Payload []byte
		Hash    chainhash.Hash
		Source  actor.ID // the peer that sent it; zero: RPC
		// Test asks for the verdict alone, on a block that is to stand on the best one
		// and need not be solved (BIP23). The chain stays as it is.
		Test bool
	}

	// Verdict is the answer.
	Verdict struct {
		Hash chainhash.Hash
		Code Code
		// Reason is Code in Bitcoin Core's words ("bad-txnmrklroot", ...).
		// Detail tells people what exactly is wrong. Both are "" when Code is OK.
		Reason, Detail string
		// InBestChain says whether the block is part of the best chain now.
		InBestChain bool
		Tip         Point // the best block after the call
	}
)

// The other questions that Chain answers.
type (
	// GetTips asks for the best block and the best header.
	GetTips struct{ actor.Asks[Tips, Chain] }

	// Tips is the answer. Chain also publishes it as its State.
	Tips struct {
		Block  Point
		Header Point
		// MedianTime is the median of the last eleven blocks' times (BIP113).
		MedianTime time.Time
	}

	// GetTemplate asks what a new block on the best block needs, for
	// generatetoaddress. It waits behind the changes.
	GetTemplate struct {
		actor.Asks[Template, Chain]
		Time time.Time // the miner's clock
		Txs  bool      // with transactions of the pool
	}

	// Template is the answer.
	Template struct {
		Prev    Point
		Version int32
		Bits    uint32
		MinTime time.Time // one second after the median time past
		Subsidy int64     // of the new block, in satoshi
		// Txs are the pool's best, in an order that a block may have them in. There
		// is room left for the coinbase.
		Txs []TemplateTx
	}

	// TemplateTx is a transaction for a new block.
	TemplateTx struct {
		Tx      *wire.MsgTx // must not be changed
		ID      TxID
		Fee     int64 // in satoshi
		SigOps  int64 // its cost (BIP141)
		Weight  int64
		Depends []int // the indices of its parents in Txs
	}
)

// Questions that Readers answer. An answer can be older than a change that is
// being carried out.
type (
	// GetLocator asks for a block locator of the header From, or of the best
	// header when From is zero. With Parent it starts at the header's parent. A
	// peer that has the header then answers with it, which proves it.
	GetLocator struct {
		actor.Asks[Locator, Readers]
		From   chainhash.Hash
		Parent bool
	}

	// Locator is the answer. Tip is the header that it starts from.
	Locator struct {
		Hashes []*chainhash.Hash
		Tip    Point
	}

	// GetPath asks for the blocks that are missing between the best block and
	// the header To, by height and at most Max. After, if it is not zero, is an
	// ancestor of To: the path starts at its child.
	GetPath struct {
		actor.Asks[Path, Readers]
		To    chainhash.Hash
		After chainhash.Hash
		Max   int
	}

	// Path is the answer. Known says whether To is a known header that is not
	// known to be invalid.
	Path struct {
		Known bool
		To    Point
		// Missing are the blocks on the way to To whose data is not stored.
		// Have counts the blocks before and between them whose data is.
		Missing []Point
		Have    int
	}

	// GetForks asks where the branches of some headers leave the branch of To,
	// or of the best header when To is zero.
	GetForks struct {
		actor.Asks[Forks, Readers]
		To     chainhash.Hash
		Hashes []chainhash.Hash // at most MaxForks
	}

	// Forks is the answer: for each hash its point, and the point of the last
	// header that it shares with To. Both are zero when the hash is not known.
	Forks struct {
		Points []Point
		Shared []Point
	}

	// GetHeaders is getheaders. It asks for at most 2,000 headers of the best
	// chain after the locator. Without a locator it asks for the header of Stop,
	// which is known if GetBlock has its block.
	GetHeaders struct {
		actor.Asks[Headers, Readers]
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// Headers is the answer.
	Headers struct{ Headers []*wire.BlockHeader }

	// GetHashes is getblocks. It asks for at most 500 hashes of the best chain
	// after the locator.
	GetHashes struct {
		actor.Asks[Hashes, Readers]
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// Hashes is the answer.
	Hashes struct{ Hashes []chainhash.Hash }

	// GetBlock asks for a stored block of the best chain, or one that has left it
	// lately, as the payload of a block message, with or without witness data.
	GetBlock struct {
		actor.Asks[Block, Readers]
		Hash    chainhash.Hash
		Witness bool
		Spent   bool // also the outputs that it spends
	}

	// Block is the answer. Payload is nil when there is no such block, or when
	// it was pruned.
	Block struct {
		Hash    chainhash.Hash
		Height  int32
		Payload []byte
		// Spent are the outputs that the inputs of all its transactions but the
		// coinbase spend, in their order. Nil: nobody asked, or they are not known.
		Spent []SpentOut
	}

	// SpentOut is an output that a block spends.
	SpentOut struct {
		Value    int64
		Script   []byte
		Height   int32 // of the block that made it
		CoinBase bool
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

	// GetHeader asks for all that is known of one header.
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

// Event says what has changed. Events of blocks are published on the Blocks stream,
// those of the pool (TxEvent) on Txs.
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

// Topics are what chain publishes. Tips is a State with key 0. It says every change
// of the best block or the best header. Blocks is a Stream: a subscriber that lags
// behind asks GetTips. Txs is a Stream: a subscriber that lags behind asks GetPool.
type Topics struct {
	Tips   actor.State[Tips]
	Blocks actor.Stream[Event]
	Txs    actor.Stream[TxEvent]
}

// Code says why a header or block was not accepted.
type Code uint8

// The codes.
const (
	OK          Code = iota
	Duplicate        // it is already known; no fault
	Orphan           // its parent is not known
	TooNew           // more than two hours ahead of our clock: it may be good later
	Invalid          // breaks a rule of consensus: the sender is at fault
	BadAncestor      // descends from an invalid block
	Checkpoint       // contradicts a checkpoint
	Mutated          // the body does not belong to the header (merkle root, witness commitment); another copy may be good
	Fatal            // the database failed; the node is stopping
)

func (c Code) String() string {
	return [...]string{"ok", "duplicate", "orphan", "too-new", "invalid", "bad-ancestor", "checkpoint", "mutated", "fatal"}[c]
}

// Faulty says whether the peer broke a rule by sending it.
func (c Code) Faulty() bool {
	return c == Invalid || c == BadAncestor || c == Checkpoint || c == Mutated
}

package config

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/adapters/rpc"
	"acyclic/internal/adapters/transport"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/netsync"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/server"
)

// Limits are all the bounds of the node (law L4), derived from the few knobs
// that a user has. What a component may have outstanding is its ports' windows
// here; the capacity of every inbox is the sum of what may be sent to it and
// stands nowhere: internal/kernel/cell computes it from the wiring.
type Limits struct {
	// Seats is how many connection cells can be: those of MaxPeers, and
	// those that have ended while somebody slow has not seen it yet.
	Seats int
	// Credit is what one connection may have queued anywhere. A message may
	// overdraw the bytes, so at worst Bytes plus a message of 4 MB each.
	Credit cell.Credit
	// PeerQuestions is how many questions one connection's cell can have
	// queued: a Send and a Disconnect of each of three components, GetInfo
	// of each RPC handler.
	PeerQuestions int
	// BlockEvents is how many BlockConnected and BlockDisconnected wait for
	// relay before it is told Lagged: a deep reorganisation of testnet3.
	BlockEvents int

	EngineReaders int // goroutines that read beside the engine's worker
	Resolvers     int // name look-ups at a time
	Dials         int // connections being made at a time
	RPCHandlers   int // requests by RPC worked on at a time

	Chain   chain.Config
	Engine  chain.Windows
	Peer    peer.Config // its bounds only
	Netsync netsync.Config
	Relay   relay.Config
	Server  server.Config // its bounds only
	Windows Windows
	Adapter transport.Config // its bounds only
	RPC     rpc.Windows

	Watch Watch

	Deaths cell.Deaths // after which the node stops (law L11)

	// StopWithin bounds the stop of all cells and adapters, the flush of the
	// database excepted.
	StopWithin time.Duration
}

// Windows are what each component may have outstanding on its ports, with the
// time after which a question ends in ErrTimeout.
type Windows struct {
	SyncHeaders, SyncBlocks, SyncLocators, SyncPaths, SyncForks int
	RelayReads                                                  int
	BookPicks, BookSamples, BookNotes                           int

	Submit    time.Duration // changes of the chain: behind others, checked in full
	Read      time.Duration // reads: behind a block that is being connected
	ToPeer    time.Duration // what a peer's cell is asked
	RelaySend time.Duration // ... but for relay's Sends, which wait for a slow reader
	Adapter   time.Duration // the address book
	Dial      time.Duration
	Resolve   time.Duration
	Admit     time.Duration
	Status    time.Duration // the progress display
}

// Watch is when the watchdog calls something stuck (law L12), and what it keeps.
type Watch struct {
	Config watch.Config // its bounds only: those of cells, and of itself

	// Who waits for the disk, the network or a name server may take longer.
	Chain, Engine, Readers, Transport, Book, Resolver watch.Bounds
}

// watchLimits: cells calculate, so seconds are very long for them; adapters get the
// time after which whoever asks them gives up.
func watchLimits(l Limits) Watch {
	w := Watch{Config: watch.Config{
		Bounds: watch.Bounds{
			Run:   5 * time.Second,  // a batch takes milliseconds; Stop is obeyed behind it
			Queue: 10 * time.Second, // every batch takes a share of each lane
			Owe:   30 * time.Second, // what a machine was to do at its deadline, and has not
		},
		Every:       250 * time.Millisecond, // a look at all mailboxes takes less than one
		LogEvery:    10 * time.Second,
		RecordEvery: time.Minute,
		Keep:        10,               // recordings, of at most TraceBytes and a profile each
		TraceBytes:  8 << 20,          // some seconds of a storm
		TraceAge:    10 * time.Second, // the bounds of cells, and a little before
	}}
	of := func(patience time.Duration) watch.Bounds {
		return watch.Bounds{Run: patience, Queue: patience, Owe: w.Config.Bounds.Owe}
	}
	// The flush of a large cache to a slow disk may take minutes; the readers
	// wait behind it for the engine's lock, and chain answers when they do.
	slow := l.Engine.WorkerTimeout / 2
	w.Engine, w.Readers = of(slow), of(slow)
	w.Engine.Owe, w.Readers.Owe = slow, slow
	w.Chain = w.Config.Bounds
	w.Chain.Owe = slow
	w.Transport = of(2 * l.Windows.Dial)
	w.Book = of(2 * l.Windows.Adapter)
	w.Resolver = of(2 * l.Windows.Resolve)
	return w
}

// maxMessage is the largest message that a peer may be sent: a block.
const maxMessage = 4_000_000

// RPCHandlers is how many requests by RPC are worked on at a time: Core's
// -rpcthreads.
const RPCHandlers = 16

// Derive computes the limits for at most maxPeers connections and so many
// handlers of RPC requests.
func Derive(maxPeers, rpcHandlers int) Limits {
	l := Limits{
		Seats:         maxPeers + maxPeers/4 + 8,
		Credit:        cell.Credit{Msgs: 16, Bytes: 2 << 20},
		PeerQuestions: 3*2 + rpcHandlers,
		BlockEvents:   1024,
		EngineReaders: 4,
		Resolvers:     4,
		Dials:         8,
		RPCHandlers:   rpcHandlers,
		Deaths:        cell.Deaths{Max: 3, Within: time.Minute},
		StopWithin:    5 * time.Second,
	}
	l.Windows = Windows{
		SyncHeaders: 4, SyncBlocks: 16, SyncLocators: 8, SyncPaths: 2, SyncForks: 2,
		RelayReads: 8,
		BookPicks:  1, BookSamples: 4, BookNotes: 1,

		// Chain asks the engine again when it is late, and then answers its
		// own callers: they must be more patient than it is.
		Submit:    11 * time.Minute,
		Read:      70 * time.Second,
		ToPeer:    time.Minute,
		RelaySend: 2 * time.Minute, // longer than the transport's write deadline
		Adapter:   20 * time.Second,
		Dial:      15 * time.Second, // the adapter gives up after 10
		Resolve:   20 * time.Second, // the resolver gives up after 10
		Admit:     10 * time.Second,
		Status:    5 * time.Second,
	}
	w := l.Windows
	l.RPC = rpc.Windows{
		// A handler asks one question at a time, and may have left one behind,
		// which timed out or whose client went away: its place stays taken
		// until the target answers after all (law L3). A target that hangs
		// holds at most two questions of each handler and kind.
		Kind: 2,
		// So many peers that do not answer one handler can leave behind before
		// getpeerinfo does without the others' figures.
		Peer:          4,
		ReadTimeout:   10 * time.Second,
		SubmitTimeout: time.Minute, // a full block, checked on a slow machine behind others
		PeerTimeout:   2 * time.Second,
	}
	l.Chain = chain.Config{Window: 8, Retry: time.Second}
	l.Engine = chain.Windows{
		Worker: l.Chain.Window,
		// A kind of read is asked by netsync or by relay, and by RPC.
		Reads:         max(w.SyncLocators, w.RelayReads) + rpcHandlers*l.RPC.Kind,
		WorkerTimeout: 10 * time.Minute, // longer than the flush of a large cache
		ReadTimeout:   time.Minute,
	}
	l.Netsync = netsyncLimits()
	l.Relay = relayLimits(w)
	l.Peer = peerLimits(l.Netsync)
	l.Watch = watchLimits(l)
	l.Adapter = transport.Config{
		WriteTimeout: 30 * time.Second, DialTimeout: 10 * time.Second,
		Draining: l.Seats - maxPeers, // as many as may have ended and not been forgotten
	}
	l.Server = server.Config{
		MaxPeers: maxPeers,
		// btcd's and Core's eight, but never more than half of the slots.
		OutboundTarget:  min(8, (maxPeers+1)/2),
		MaxAdded:        64,
		MaxInboundPerIP: 5, // dcrd's --maxsameip; of a /64 too; loopback is exempt
		BanDuration:     24 * time.Hour,
		MaxBans:         10_000,
		MaxNotes:        4096,
	}
	return l
}

// netsyncLimits: see netsync.Config for what each one means.
func netsyncLimits() netsync.Config {
	return netsync.Config{
		Window:      1024,      // as Bitcoin Core's BLOCK_DOWNLOAD_WINDOW
		HeldBytes:   128 << 20, // 30 full blocks of 2 MB, which take about twice that in memory
		SubmitBytes: 32 << 20,  // four of the largest blocks

		Fetchers: 2, // one may be silent, a third would only repeat

		MinInFlight:   2,   // one being sent, one asked for
		StartInFlight: 8,   // half of Core's 16: most peers are not known to be fast
		MaxInFlight:   128, // small blocks over a long line: 128 in a round trip of 2 s

		HeadersTimeout: 20 * time.Second, // 162 kB at 8 kB/s
		OrderTimeout:   10 * time.Second, // a block of 2 MB at 200 kB/s
		UrgentAfter:    2 * time.Second,  // Core's first BLOCK_STALLING_TIMEOUT

		MaxStalls:       3,
		MaxLate:         4,
		MaxUnconnecting: 10, // Core's MAX_NUM_UNCONNECTING_HEADERS_MSGS

		RecentTip:   24 * time.Hour,         // Core's, before it asks all peers for headers
		StaleTip:    10 * time.Minute,       // a block interval
		MinAsk:      250 * time.Millisecond, // four questions a second at most
		TooNewRetry: 2 * time.Minute,        // the limit is two hours: nobody is that much off by chance
		Pause:       5 * time.Second,
		Retry:       time.Second,
	}
}

// relayLimits: see relay.Config for what each one means.
func relayLimits(w Windows) relay.Config {
	return relay.Config{
		MaxAnnounce:  8,            // Core's MAX_BLOCKS_TO_ANNOUNCE
		MaxKnown:     128,          // 16 times that; a forgotten block costs one inv too many
		MaxWanted:    50_000,       // one full getdata: 1.8 MB
		MaxLocators:  2,            // the one under way and the newest
		MaxReads:     w.RelayReads, // two for each of four readers
		ReadAttempts: 3,

		AnnounceDelay:    5 * time.Millisecond,   // the events of one step of chain come within it
		AnnounceInterval: 100 * time.Millisecond, // ten messages a second to a peer, whatever happens
		MaxTipAge:        24 * time.Hour,         // Core's DEFAULT_MAX_TIP_AGE
		RetryAfter:       time.Second,
	}
}

// peerLimits: see peer.Config for what each one means.
func peerLimits(sync netsync.Config) peer.Config {
	c := peer.Config{
		Handshake:     30 * time.Second, // btcd's negotiateTimeout
		PingEvery:     2 * time.Minute,  // btcd and Core
		PongWithin:    20 * time.Minute, // Core's TIMEOUT_INTERVAL
		Silence:       5 * time.Minute,  // btcd's idleTimeout
		Stuck:         60 * time.Second,
		HeadersWithin: 2 * time.Minute,
		QueueCap:      1 << 20,
		HeldSends:     3, // netsync, relay, server
		AskedBlocks:   2 * sync.MaxInFlight,
	}
	c.QueueMax = c.QueueCap + (c.HeldSends+1)*(maxMessage+wireOverhead)
	return c
}

// wireOverhead is room for the headers of a Send's messages.
const wireOverhead = 4096

// MemoryAtWorst is what remote peers can make the node hold, in bytes: what a
// connection's place can hold, for all of them, and what components hold for all
// peers together: blocks that wait for earlier ones, blocks and headers that chain
// works on, blocks that readers bring for peers that are gone, addresses for the
// book. Credit and blocks are counted as they are in memory; only the one message
// by which a connection may overdraw its credit is counted as it is on the wire,
// and while it is being handled junk in it can weigh some 25 times that. The
// index of headers is not in it: it grows with the chain (about 316 bytes a
// header).
func (l Limits) MemoryAtWorst() int {
	together := l.Netsync.HeldBytes + l.Netsync.SubmitBytes + actor.MaxFanout*maxMessage +
		l.Windows.SyncHeaders*batchMemory + l.Windows.RelayReads*maxMessage +
		(l.Windows.BookNotes+1)*noteKinds*l.Server.MaxNotes*addrMemory // with the book, and the next one
	return l.Seats*l.seatMemory() + together
}

// seatMemory is what the place of one connection holds at worst. A connection
// that has ended keeps its place, and all this, while its queue drains or while
// somebody slow has not seen its end.
func (l Limits) seatMemory() int {
	inbound := l.Credit.Bytes + maxMessage
	queue := l.Peer.QueueCap + maxMessage // the write queue: what fills it up, and a block more
	return inbound + queue + l.relayMemory() + l.syncMemory() +
		wire.MaxV2AddrPerMsg*addrMemory // the server's sample of the book, which waits to be sent
}

// relayMemory is what relay holds of one peer. Of the block that it serves the
// write queue has a copy, behind a header of its own; relay keeps what it has read
// until it is sent, to try again should the peer's cell be busy. The next block is
// read after that. A list of what was not found, of less than a block's size, is
// sent instead of a block, never beside one.
func (l Limits) relayMemory() int {
	const locators = 2 // of getheaders and of getblocks
	return maxMessage + l.Relay.MaxWanted*wantedMemory +
		locators*l.Relay.MaxLocators*maxLocator*hashMemory + l.Relay.MaxKnown*knownMemory
}

// syncMemory is what netsync holds of one peer beside the blocks: the headers that
// wait to be judged, a locator, and what the peer was asked for (by its cell's
// account, too).
func (l Limits) syncMemory() int {
	return batchMemory + maxLocator*hashMemory + l.Netsync.MaxInFlight*orderMemory + l.Peer.AskedBlocks*chainhash.HashSize
}

// What things take in memory, in bytes, on a 64-bit machine.
const (
	hashMemory  = chainhash.HashSize + 8                    // with a pointer to it
	knownMemory = 4 * chainhash.HashSize                    // a list's entry and a map's, which is up to half empty
	addrMemory  = 128                                       // wire.NetAddressV2 (56), a pointer, the address behind its interface, what append leaves free
	batchMemory = wire.MaxBlockHeadersPerMsg * headerMemory // a full headers message
	orderMemory = chainhash.HashSize + 16 + invMemory + 8   // netsync's order and its line of a getdata, with a pointer

	headerMemory = 112 + 8 // wire.BlockHeader as it is allocated, and a pointer to it
	invMemory    = 36      // wire.InvVect

	// wantedMemory is for each item that relay may owe: an item that has been
	// served of a getdata that has not (its list is kept as a whole), and one
	// that is owed. That is in a list and in the list of what was not found,
	// which append has made a quarter larger than it need be; or, which is
	// less, alone in the list of a getdata of its own.
	wantedMemory = invMemory + invMemory + invMemory*5/4

	// maxLocator is the most hashes in a locator: a peer's cell takes no more.
	maxLocator = 101

	// noteKinds are the lists of a server.Note, each of at most MaxNotes.
	noteKinds = 4
)

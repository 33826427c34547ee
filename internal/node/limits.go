package node

import (
	"time"
	"unsafe"

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

// Limits are all the bounds of the node (law L4), derived from the few knobs that a user
// has. Each component has its bounds in its bounds.go. The others span components. The
// capacity of an inbox is the sum of what may be sent to it: internal/kernel/cell computes
// it from the wiring.
type Limits struct {
	// Seats is how many connection cells there can be: MaxPeers, and those that
	// have ended while a slow component has not seen their end.
	Seats int
	// Credit is what one connection may have queued anywhere. A message may
	// overdraw the bytes, see transport.Bounds.PerPeer.
	Credit cell.Credit
	// PeerQuestions is how many questions one connection's cell can have
	// queued.
	PeerQuestions int
	// BlockEvents is how many BlockConnected and BlockDisconnected wait for
	// relay before it is told Lagged.
	BlockEvents int
	// TxEvents is how many TxAccepted, TxRemoved and TxConfirmed wait for relay
	// before it is told Lagged and asks for the whole pool.
	TxEvents int

	EngineReaders int // goroutines that read beside the engine's worker
	Resolvers     int // name look-ups at a time
	Dials         int // connections being made at a time
	RPCHandlers   int // requests by RPC worked on at a time

	Chain     chain.Bounds
	Peer      peer.Bounds
	Netsync   netsync.Bounds
	Relay     relay.Bounds
	Server    server.Bounds
	Transport transport.Bounds

	Windows Windows
	RPC     rpc.Windows
	Watch   Watch

	Deaths cell.Deaths // after which the node stops (law L11)

	// StopWithin bounds the stop of all cells and adapters, the flush of the
	// database excepted.
	StopWithin time.Duration
}

// Windows are what each component may have outstanding on its ports, and the times after
// which questions end in ErrTimeout. relay.Bounds bounds relay's reads.
type Windows struct {
	SyncHeaders, SyncBlocks, SyncLocators, SyncPaths, SyncForks int
	RelayTxs                                                    int // transactions that relay submits
	BookPicks, BookSamples, BookNotes                           int

	Submit    time.Duration // changes of the chain: behind others, checked in full
	Read      time.Duration // reads: behind a block that is being connected
	ToPeer    time.Duration // what a peer's cell is asked
	RelaySend time.Duration // ... but for relay's Sends, which wait for a slow reader
	Adapter   time.Duration // the address book
	Dial      time.Duration
	Resolve   time.Duration
	Admit     time.Duration
}

// Watch says when the watchdog calls something stuck (law L12). An adapter that waits for
// the disk, the network or a name server may take longer than a cell.
type Watch struct {
	watch.Bounds
	Chain, Engine, Readers, Transport, Book, Resolver watch.Patience
}

// RPCHandlers is how many requests by RPC are worked on at a time: Core's
// -rpcthreads.
const RPCHandlers = 16

// Derive computes the limits for at most maxPeers connections and so many
// handlers of RPC requests.
func Derive(maxPeers, rpcHandlers int) Limits {
	l := Limits{
		Seats:         maxPeers + maxPeers/4 + 8, // a quarter may have ended and not be forgotten; a small node has some more
		Credit:        cell.Credit{Msgs: 16, Bytes: 2 << 20},
		BlockEvents:   1024, // a deep reorganisation of testnet3
		TxEvents:      64,   // a transaction from each window of relay's and RPC's, and those of a reorganisation of ten blocks
		EngineReaders: 4,
		Resolvers:     4,
		Dials:         8,
		RPCHandlers:   rpcHandlers,
		Windows:       windows(),
		RPC:           rpc.DefaultWindows(),
		Chain:         chain.DefaultBounds(),
		Netsync:       netsync.DefaultBounds(),
		Relay:         relay.DefaultBounds(),
		Server:        server.DefaultBounds(maxPeers),
		Deaths:        cell.Deaths{Max: 3, Within: time.Minute}, // law L11
		StopWithin:    5 * time.Second,                          // cells end within a batch each, and queues drain for two seconds
	}
	l.Peer = peer.DefaultBounds(l.Netsync.MaxInFlight)
	// A Send of each component, GetInfo of each RPC handler.
	l.PeerQuestions = l.Peer.HeldSends + rpcHandlers
	l.Transport = transport.DefaultBounds(l.Seats - maxPeers)
	l.Watch = l.watch()
	return l
}

// windows are the node's. When the engine is late, chain asks it again and then answers its
// callers. They must be more patient than chain.
func windows() Windows {
	return Windows{
		SyncHeaders: 4, SyncLocators: 8, SyncPaths: 2, SyncForks: 2,
		SyncBlocks: 16, // twice what chain gives the engine at a time
		RelayTxs:   16, // chain has the next one while relay learns of the last; a block's worth waits in relay
		BookPicks:  1, BookSamples: 4, BookNotes: 1,

		Submit:    11 * time.Minute, // chain's WorkerTimeout, and one more
		Read:      70 * time.Second, // behind a block that is being connected
		ToPeer:    time.Minute,      // twice the transport's WriteTimeout
		RelaySend: 2 * time.Minute,  // longer still: a slow reader's block
		Adapter:   20 * time.Second, // a busy disk
		Dial:      15 * time.Second, // the adapter gives up after 10
		Resolve:   20 * time.Second, // the resolver gives up after 10
		Admit:     10 * time.Second, // the server answers at once unless it is being rebuilt
	}
}

// watch gives adapters twice the time after which their askers give up, and the engine half
// of chain's WorkerTimeout.
func (l Limits) watch() Watch {
	w := Watch{Bounds: watch.DefaultBounds()}
	of := func(patience time.Duration) watch.Patience {
		return watch.Patience{Run: patience, Queue: patience, Owe: w.Cells.Owe}
	}
	// The flush of a large cache to a slow disk may take minutes. The readers
	// wait behind it for the engine's lock, and chain answers when they do.
	slow := l.Chain.WorkerTimeout / 2
	w.Engine, w.Readers, w.Chain = of(slow), of(slow), w.Cells
	w.Engine.Owe, w.Readers.Owe, w.Chain.Owe = slow, slow, slow
	w.Transport = of(2 * l.Windows.Dial)
	w.Book = of(2 * l.Windows.Adapter)
	w.Resolver = of(2 * l.Windows.Resolve)
	return w
}

// MemoryAtWorst is what remote peers can make the node hold, in bytes: what all seats can
// hold, and what components hold for all peers together. Credit and blocks are counted as
// they are in memory. The one message by which a connection may overdraw its credit is
// counted as it is on the wire. While it is being handled, junk in it can weigh some 25
// times that. The index of headers is not counted: it grows with the chain (about 316
// bytes a header).
func (l Limits) MemoryAtWorst() int { return l.Seats*l.PerSeat() + l.together() }

// PerSeat is what one connection's seat holds at most, in bytes. A connection that has
// ended keeps its seat, and all this, while its queue drains or a slow component has not
// seen its end.
func (l Limits) PerSeat() int {
	return l.Credit.Bytes + l.Transport.PerPeer() + l.Peer.PerPeer() +
		l.Netsync.PerPeer() + l.Relay.PerPeer() + l.Server.PerPeer()
}

// together is what components hold for all peers together, in bytes: blocks that
// wait for earlier ones, blocks, headers and transactions that chain works on, names of
// transactions that wait for relay, blocks that readers bring for peers that are gone,
// addresses for the book.
func (l Limits) together() int {
	return l.Netsync.HeldBytes + l.Netsync.SubmitBytes + actor.MaxFanout*wire.MaxBlockPayload +
		l.Windows.SyncHeaders*netsync.BatchMemory + l.TxEvents*txListMemory + l.Relay.MaxReads*wire.MaxBlockPayload + l.Relay.Together() + l.Server.Notes()
}

// txListMemory is what one event of the pool holds at most, in bytes: the names of all
// transactions that a block has room for. The smallest has 60 bytes without witness data
// (one input, one output, no scripts), and a block 1,000,000.
const txListMemory = (1_000_000 / 60) * int(unsafe.Sizeof(chain.TxID{}))

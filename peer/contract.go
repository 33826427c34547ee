package peer

import (
	"net/netip"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// ConnID names a TCP connection. It is never reused.
type ConnID uint64

// Arg is what the server gives a new peer cell.
type Arg struct {
	Conn    ConnID
	Remote  netip.AddrPort
	Local   netip.AddrPort
	Inbound bool
	// Manual says that the user named this peer (--connect, --addpeer,
	// addnode): it is never banned.
	Manual bool
	// BlockRelayOnly asks the peer not to send transactions.
	BlockRelayOnly bool
	// BestHeight is what our version message says.
	BestHeight int32
}

// The peer's life, on the Lifecycle ledger (law L7).
type (
	// Ready says that the handshake is done.
	Ready struct {
		Peer      actor.ID
		Remote    netip.AddrPort
		Local     netip.AddrPort
		Inbound   bool
		Manual    bool
		Services  wire.ServiceFlag
		Protocol  uint32 // negotiated: the lower of theirs and ours
		UserAgent string // as sent, at most 256 bytes, printable
		Height    int32  // what it claims; peers lie
		WantsAddr bool   // BIP155: it understands addrv2
		WTxIDs    bool   // BIP339
		NoTxs     bool   // it asked for no transactions (BIP37 relay=false)
		// BlockRelayOnly says that we asked it for no transactions. There is no
		// relay of transactions in either direction.
		BlockRelayOnly bool
	}

	// Gone says that the peer is no more. Each subscriber that saw Ready sees
	// it once.
	Gone struct {
		Peer   actor.ID
		Remote netip.AddrPort
		Reason string
		// Fault is set when the peer broke the rules: the server bans its
		// address, unless Manual.
		Fault bool
	}
)

// ForSync is what netsync gets of a peer, on the Sync traffic topic.
type ForSync interface{ forSync() }

// ForRelay is what relay gets of a peer, on the Relay traffic topic.
type ForRelay interface{ forRelay() }

// ForServer is what the server gets of a peer, on the Server traffic topic.
type ForServer interface{ forServer() }

type (
	// HeadersReceived is a headers message. Headers may be empty.
	HeadersReceived struct {
		Peer    actor.ID
		Headers []*wire.BlockHeader
		// Asked says that a getheaders was outstanding.
		Asked bool
	}

	// BlockReceived is a block message.
	BlockReceived struct {
		Peer    actor.ID
		Hash    chainhash.Hash
		Header  wire.BlockHeader
		Payload []byte // of the message; the header is its beginning
		Asked   bool   // we had asked this peer for it
	}

	// InvReceived are the blocks that an inv message announces, in its order.
	InvReceived struct {
		Peer   actor.ID
		Blocks []chainhash.Hash
	}

	// NotFoundReceived are the blocks that the peer says it does not have.
	NotFoundReceived struct {
		Peer   actor.ID
		Blocks []chainhash.Hash
	}

	// Announced tells relay which blocks the peer has shown to know (by
	// headers, inv or block), so that they are not announced back to it. At
	// most 8, the newest ones of a message.
	Announced struct {
		Peer   actor.ID
		Blocks []chainhash.Hash
	}

	// WantsHeaders says that the peer sent sendheaders (BIP130).
	WantsHeaders struct{ Peer actor.ID }

	// HeadersWanted is a getheaders message.
	HeadersWanted struct {
		Peer    actor.ID
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// BlocksWanted is a getblocks message.
	BlocksWanted struct {
		Peer    actor.ID
		Locator []*chainhash.Hash
		Stop    chainhash.Hash
	}

	// DataWanted is a getdata message.
	DataWanted struct {
		Peer  actor.ID
		Items []wire.InvVect
	}

	// TxsAnnounced are the transactions that an inv message announces, in its order.
	TxsAnnounced struct {
		Peer actor.ID
		Txs  []TxName
	}

	// TxReceived is a tx message.
	TxReceived struct {
		Peer   actor.ID
		Tx     *wire.MsgTx
		TxID   chainhash.Hash
		WTxID  chainhash.Hash
		Memory int // what Tx holds, in bytes. It is about right, and at least its payload
	}

	// TxsNotFound are the transactions that the peer says it does not have.
	TxsNotFound struct {
		Peer actor.ID
		Txs  []TxName
	}

	// FeeFilter is a feefilter message (BIP133): the peer wants to hear of no
	// transaction that pays less, in satoshi per 1,000 virtual bytes. It is an amount
	// that there can be.
	FeeFilter struct {
		Peer actor.ID
		Rate int64
	}

	// TxName names a transaction in an inv, a getdata or a notfound. For one without
	// witness data both names are the same hash.
	TxName struct {
		Hash  chainhash.Hash
		WTxID bool // BIP339
	}

	// AddrsReceived is an addr or addrv2 message.
	AddrsReceived struct {
		Peer  actor.ID
		Addrs []*wire.NetAddressV2
	}

	// AddrsWanted is a getaddr message.
	AddrsWanted struct{ Peer actor.ID }
)

func (HeadersReceived) forSync()  {}
func (BlockReceived) forSync()    {}
func (InvReceived) forSync()      {}
func (NotFoundReceived) forSync() {}

func (Announced) forRelay()     {}
func (WantsHeaders) forRelay()  {}
func (HeadersWanted) forRelay() {}
func (BlocksWanted) forRelay()  {}
func (DataWanted) forRelay()    {}
func (TxsAnnounced) forRelay()  {}
func (TxReceived) forRelay()    {}
func (TxsNotFound) forRelay()   {}
func (FeeFilter) forRelay()     {}

func (AddrsReceived) forServer() {}
func (AddrsWanted) forServer()   {}

// Topics are what peer cells publish.
type Topics struct {
	Lifecycle actor.Ledger[Ready, Gone]
	Sync      actor.Traffic[ForSync]
	Relay     actor.Traffic[ForRelay]
	Server    actor.Traffic[ForServer]
}

// Peer answers the questions of this contract: the cell of one connection.
type Peer struct{}

// To is the peer cell with an ID.
func To(id actor.ID) actor.Ref[Peer] { return actor.Ref[Peer](id) }

// The questions that a peer cell answers. Ending the connection is an order: see
// actor.Outbox.End.
type (
	// Send asks for messages to be sent. The answer comes when they have been
	// taken into a write queue that is below its cap again: a caller that
	// keeps one Send outstanding per peer never overruns a slow reader (law
	// L5). getheaders and getdata are noted as asked for. Payloads are sent
	// after Msgs, each as a block message.
	Send struct {
		actor.Asks[Sent, Peer]
		Msgs     []wire.Message
		Payloads [][]byte
	}

	// Sent is the answer.
	Sent struct{}

	// GetInfo asks for the peer's figures (getpeerinfo).
	GetInfo struct{ actor.Asks[Info, Peer] }

	// Info is the answer.
	Info struct {
		Arg
		Ready         bool
		Version       Ready // as far as known
		Connected     time.Time
		LastSend      time.Time
		LastRecv      time.Time
		LastBlock     time.Time
		BytesSent     uint64 // on the wire, headers included, as everywhere here
		BytesRecv     uint64
		SentByCommand map[string]uint64 // a copy
		RecvByCommand map[string]uint64 // a copy; "*other*" for unknown ones
		Skipped       uint64            // messages that could not be decoded
		Queued        int               // bytes in the write queue
		TimeOffset    time.Duration     // their clock minus ours at the handshake
		PingTime      time.Duration     // the last round trip; zero: none yet
		PingMin       time.Duration     // the shortest
		PingWait      time.Duration     // how long the open ping has waited
		SendHeaders   bool              // it asked for headers announcements
		MinFee        int64             // of its last feefilter, in satoshi per 1,000 virtual bytes
	}
)

// MaxLocator is the most hashes that a peer's locator may have: Bitcoin Core's
// MAX_LOCATOR_SZ. btcd's wire lets 500 through. An honest locator of a chain of
// a million blocks has 30.
const MaxLocator = 101

// InvTypeWTx names a transaction by the hash with its witness data (BIP339). btcd's
// wire does not know it.
const InvTypeWTx wire.InvType = 5

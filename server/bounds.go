package server

import (
	"time"

	"github.com/btcsuite/btcd/wire/v2"
)

// Bounds are what the server holds at most, and its times.
type Bounds struct {
	// MaxPeers bounds the connections of both directions, dials under way
	// included. It is at least 1.
	MaxPeers int
	// OutboundTarget is how many peers are found and dialled without being
	// named by the user. Zero means none, and that addresses are neither
	// learned nor given away (btcd's simnet).
	OutboundTarget int
	// MaxAdded bounds the peers that addnode adds or tries at a time.
	MaxAdded int
	// MaxInboundPerIP bounds the inbound connections of one host (an IPv4
	// address, an IPv6 /64) other than loopback. Zero means no bound.
	MaxInboundPerIP int
	// BanDuration is how long a host is banned.
	BanDuration time.Duration
	// MaxBans bounds the banned hosts. The oldest ban is dropped first.
	MaxBans int
	// MaxNotes bounds each kind of address that waits for the book.
	MaxNotes int
}

// DefaultBounds are the node's, for at most maxPeers connections.
func DefaultBounds(maxPeers int) Bounds {
	return Bounds{
		MaxPeers:        maxPeers,
		OutboundTarget:  min(8, (maxPeers+1)/2), // btcd's and Core's eight, but never more than half of the connections
		MaxAdded:        64,                     // named by hand; Core has 8
		MaxInboundPerIP: 5,                      // dcrd's --maxsameip
		BanDuration:     24 * time.Hour,         // btcd's and Core's
		MaxBans:         10_000,                 // half a megabyte
		MaxNotes:        4096,                   // four full addr messages
	}
}

// PerPeer is what the server holds of one peer at most, in bytes: its remote, and
// a sample of the book that waits to be sent.
func (b Bounds) PerPeer() int {
	const each = 1024 // its remote, in a list that append may have doubled
	return each + wire.MaxV2AddrPerMsg*addrMemory
}

// Notes is what the server holds at most of addresses for the book, in bytes:
// those that the book is being told, and the next ones.
func (b Bounds) Notes() int { return 2 * noteKinds * b.MaxNotes * addrMemory }

const (
	// addrMemory is an address of a message: wire.NetAddressV2 (56 bytes), a
	// pointer to it, the address behind its interface, and what append leaves
	// free.
	addrMemory = 128
	// noteKinds is the number of lists of a Note.
	noteKinds = 4
)

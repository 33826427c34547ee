package server

import (
	"net/netip"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Server answers the questions of this contract (see actor.Ref).
type Server struct{}

// Questions that the server answers.
type (
	// Admit is asked by the listener for each connection that it accepts. It
	// accepts the next one after the answer.
	Admit struct {
		actor.Asks[Admitted, Server]
		Conn   peer.ConnID
		Remote netip.AddrPort
		Local  netip.AddrPort
	}

	// Admitted is the answer. The listener closes the connection if Peer is
	// zero.
	Admitted struct {
		Peer   actor.ID
		Reason string // why not
	}

	// GetPeers asks for the connections.
	GetPeers struct{ actor.Asks[Peers, Server] }

	// Peers is the answer, in order of ID.
	Peers struct{ Peers []Connection }

	// Connection is one of them. Manual says that the user named the peer.
	Connection struct {
		Peer    actor.ID
		Remote  netip.AddrPort
		Inbound bool
		Manual  bool
		Ready   bool
		Since   time.Time
	}

	// AddNode is the RPC addnode: Command is "add", "remove" or "onetry".
	AddNode struct {
		actor.Asks[Done, Server]
		Command string
		Addr    string // host:port; the port may be left out
	}

	// DisconnectNode ends the connection to an address or a peer.
	DisconnectNode struct {
		actor.Asks[Done, Server]
		Addr string   // "" when Peer is set
		Peer actor.ID // zero when Addr is set
	}

	// Done is the answer. Err is "" if it was done.
	Done struct{ Err DoneError }

	// GetStatus asks for the server's figures.
	GetStatus struct{ actor.Asks[Status, Server] }
)

// DoneError says why something was not done.
type DoneError string

// The ways AddNode and DisconnectNode fail.
const (
	Unconnected  DoneError = "Node not found in connected nodes"
	AlreadyAdded DoneError = "Error: Node already added"
	NotAdded     DoneError = "Error: Node could not be removed. It has not been added previously."
	BadAddress   DoneError = "Error: Invalid address"
	BadCommand   DoneError = "the command must be add, remove or onetry"
	TooManyAdded DoneError = "Error: too many nodes added; remove one first"
)

// Status is the server's State (key 0) and the answer to GetStatus.
type Status struct {
	// Inbound and Outbound count the connections of each direction, those
	// whose handshake is not done (Handshaking) included.
	Inbound, Outbound, Handshaking int
	MaxPeers                       int
	Dialling                       int
	Known                          int    // addresses in the book
	Banned                         int    // hosts: IPv4 addresses, IPv6 /64s
	Refused                        uint64 // connections not admitted
}

// Topics are what the server publishes.
type Topics struct{ Status actor.State[Status] }

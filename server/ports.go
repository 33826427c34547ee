package server

import (
	"net/netip"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// What the server asks and tells the transport adapter
// (internal/adapters/transport; a simulated one under internal/proof/sim).
type (
	// Sockets answers Dial.
	Sockets struct{}

	// Dial connects to an address. It is answered within its port's timeout.
	Dial struct {
		actor.Asks[Dialed, Sockets]
		Addr netip.AddrPort
	}

	// Dialed is the answer. Err is "" when Conn is an open connection. It is
	// closed unless a peer cell says peer.Bind within peer.ClaimTimeout.
	Dialed struct {
		Conn   peer.ConnID
		Local  netip.AddrPort
		Remote netip.AddrPort
		Err    string
	}

	// Refuse closes a connection that the server does not want.
	Refuse struct{ Conn peer.ConnID }
)

// What the server asks the address book (internal/adapters/book; a simulated one
// under internal/proof/sim) and the resolver beside it. Both are adapters: the
// book locks, reads the clock and writes a file, the resolver waits for name
// servers.
type (
	// Keeper answers the questions about addresses, Names those about names.
	Keeper struct{}
	Names  struct{}

	// Pick asks for at most Max addresses worth dialling. No two are of one
	// network group (addrmgr.GroupKey).
	Pick struct {
		actor.Asks[Picked, Keeper]
		Max int
	}

	// Picked is the answer; Known counts the addresses in the book.
	Picked struct {
		Addrs []netip.AddrPort
		Known int
	}

	// Sample asks for addresses to send to a peer (getaddr).
	Sample struct {
		actor.Asks[Sampled, Keeper]
		Max int
	}

	// Sampled is the answer.
	Sampled struct{ Addrs []*wire.NetAddressV2 }

	// Resolve asks the resolver for the addresses of a host. A literal
	// address resolves to itself.
	Resolve struct {
		actor.Asks[Resolved, Names]
		Host string
		Port uint16
	}

	// Resolved is the answer.
	Resolved struct {
		Addrs []netip.AddrPort
		Err   string
	}

	// Note tells the book all that the server has learned since the last
	// Note. A slow book is told more at a time.
	Note struct {
		actor.Asks[Noted, Keeper]
		Learned   []Learned
		Attempted []netip.AddrPort // dialled
		Connected []netip.AddrPort // the connection stood
		Good      []Good           // the handshake was done
	}

	// Noted is the answer.
	Noted struct{ Known int }

	// Learned are addresses that Source sent.
	Learned struct {
		Addrs  []*wire.NetAddressV2
		Source netip.AddrPort
	}

	// Good is an address whose handshake was done.
	Good struct {
		Addr     netip.AddrPort
		Services wire.ServiceFlag
	}
)

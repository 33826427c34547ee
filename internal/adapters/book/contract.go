package book

import (
	"net/netip"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/internal/kernel/actor"
)

// The address book is an adapter around btcd's addrmgr, which locks, reads the
// clock and writes a file. Only the server talks to it; the resolver beside it
// looks up names.
type (
	// Keeper answers the questions about addresses, Names those about names.
	Keeper struct{}
	Names  struct{}

	// Pick asks for addresses worth dialling, at most Max, no two of
	// one network group (addrmgr.GroupKey).
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

	// Note tells the book what the server has learned, everything since the
	// last Note in one: a book that is slow is told more at a time.
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

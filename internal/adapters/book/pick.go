package book

import (
	"net/netip"
	"slices"
	"time"

	"github.com/btcsuite/btcd/addrmgr"

	"acyclic/server"
)

// How Pick chooses (btcd's numbers, for each address wanted).
const (
	// pickTries is how often the manager is asked.
	pickTries = 100
	// freshTries is for how many tries addresses that were dialled within
	// recentTime are passed over.
	freshTries = 30
	recentTime = 10 * time.Minute
	// defaultPortTries is for how many tries addresses with an unusual port
	// are passed over: a liar may name a service that we would disturb.
	defaultPortTries = 50
)

// pick chooses up to limit addresses, no two of one network group.
func (b *Book) pick(limit int) server.Picked {
	var picked []netip.AddrPort
	var groups []string
	limit = min(limit, maxPick)
	for tries := 0; len(picked) < limit && tries < pickTries; tries++ {
		known := b.mgr.GetAddress()
		if known == nil {
			break
		}
		na := known.NetAddress()
		addr, ok := dialable(na)
		group := addrmgr.GroupKey(na)
		switch {
		case !ok, slices.Contains(groups, group):
		case tries < freshTries && time.Since(known.LastAttempt()) < recentTime:
		case tries < defaultPortTries && addr.Port() != b.defaultPort:
		default:
			picked = append(picked, addr)
			groups = append(groups, group)
			tries = -1 // the next address has its own tries
		}
	}
	return server.Picked{Addrs: picked, Known: b.mgr.NumAddresses()}
}

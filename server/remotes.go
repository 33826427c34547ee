package server

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// remote is what the server knows of a peer, from the spawn of its cell to the
// cell's end.
type remote struct {
	id      actor.ID
	addr    netip.AddrPort
	inbound bool
	manual  bool // named by the user: never banned
	ready   bool // between Ready and Gone
	shook   bool // its handshake was done
	since   time.Time
	talk    talk
}

// automatic says whether we dialled the peer without the user's wish.
func (r *remote) automatic() bool { return !r.inbound && !r.manual }

// remotes tracks the connections, in order of ID.
type remotes []remote

func (rs remotes) search(id actor.ID) (int, bool) {
	return slices.BinarySearchFunc(rs, id, func(r remote, id actor.ID) int { return cmp.Compare(r.id, id) })
}

// find returns the remote of a peer, or nil.
func (rs remotes) find(id actor.ID) *remote {
	if i, ok := rs.search(id); ok {
		return &rs[i]
	}
	return nil
}

// at returns the remote with exactly this address, or nil.
func (rs remotes) at(addr netip.AddrPort) *remote {
	if i := slices.IndexFunc(rs, func(r remote) bool { return r.addr == addr }); i >= 0 {
		return &rs[i]
	}
	return nil
}

// add keeps the order: a rebuilt server is told of its peers in any order.
func (rs *remotes) add(r remote) {
	i, _ := rs.search(r.id)
	*rs = slices.Insert(*rs, i, r)
}

// remove returns what was known of a peer that has ended.
func (rs *remotes) remove(id actor.ID) (r remote, ok bool) {
	i, ok := rs.search(id)
	if ok {
		r = (*rs)[i]
		*rs = slices.Delete(*rs, i, i+1)
	}
	return r, ok
}

// inboundFrom counts the inbound connections of a host.
func (rs remotes) inboundFrom(host netip.Prefix) int {
	return count(rs, func(r *remote) bool { return r.inbound && hostOf(r.addr.Addr()) == host })
}

// near says whether a connection stands in the way of dialling an address.
func (rs remotes) near(addr netip.AddrPort) bool {
	return slices.ContainsFunc(rs, func(r remote) bool { return near(addr, r.addr, !r.inbound) })
}

// connections answers GetPeers.
func (rs remotes) connections() []Connection {
	list := make([]Connection, 0, len(rs))
	for i := range rs {
		r := &rs[i]
		list = append(list, Connection{
			Peer: r.id, Remote: r.addr, Inbound: r.inbound, Manual: r.manual, Ready: r.ready, Since: r.since,
		})
	}
	return list
}

func (rs remotes) check() error {
	for i := range rs {
		r := &rs[i]
		if i > 0 && rs[i-1].id >= r.id {
			return fmt.Errorf("remotes %v and %v are out of order", rs[i-1].id, r.id)
		}
		if r.ready && !r.shook {
			return fmt.Errorf("remote %v is ready without a handshake", r.id)
		}
		if err := r.talk.check(r.ready); err != nil {
			return fmt.Errorf("remote %v: %w", r.id, err)
		}
	}
	return nil
}

package netsync

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// limitedBlocks is how far below its tip a peer with NODE_NETWORK_LIMITED
// serves blocks (BIP159).
const limitedBlocks = 288

// facts are what all trackers share: the clock, chain's tips and the remotes.
type facts struct {
	cfg   Bounds
	now   time.Time
	tips  chain.Tips
	ready []*remote // in order of ID: the peers that Ready has named, until Gone or dropped
}

// remote is what netsync knows of a ready peer, with a part per tracker.
type remote struct {
	id     actor.ID
	full   bool        // it has all blocks: NODE_NETWORK
	serves bool        // it has those, or the last ones: NODE_NETWORK_LIMITED
	blocks bool        // it serves whole blocks, with witness data (Bitcoin Core asks for no others either)
	chosen bool        // neither the peer nor the user asked for this connection: there are others
	best   chain.Point // the point with the most work that it has proved; zero: none
	common chain.Point // where best's branch leaves the best header chain
	why    actor.End   // it is dropped in this step; zero: it is not

	sends   remoteSends
	headers remoteHeaders
	route   remoteRoute
	orders  remoteOrders
}

// onReady lets the peer take part in the sync. It is asked for headers when it is
// due. The height that it claims is not looked at.
func (f *facts) onReady(r peer.Ready) {
	at, found := f.search(r.Peer)
	if found {
		panic(fmt.Sprintf("netsync: peer %v is ready twice", r.Peer))
	}
	p := &remote{
		id:      r.Peer,
		full:    r.Services&wire.SFNodeNetwork != 0,
		serves:  r.Services&(wire.SFNodeNetwork|wire.SFNodeNetworkLimited) != 0,
		chosen:  !r.Inbound && !r.Manual,
		headers: remoteHeaders{askAt: f.now},
		route:   remoteRoute{shared: noShared},
		orders:  remoteOrders{limit: f.cfg.StartInFlight},
	}
	p.blocks = p.serves && r.Services&wire.SFNodeWitness != 0
	if r.Inbound {
		p.orders.limit = f.cfg.MinInFlight // anybody can come, and be many
	}
	f.ready = slices.Insert(f.ready, at, p)
}

// search returns where in ready a peer is, or would be.
func (f *facts) search(id actor.ID) (int, bool) {
	return slices.BinarySearchFunc(f.ready, id, func(p *remote, id actor.ID) int { return cmp.Compare(p.id, id) })
}

// find returns the remote of a peer, or nil if it is gone. The keys of netsync's
// questions are peers.
func (f *facts) find(id actor.ID) *remote {
	if at, found := f.search(id); found {
		return f.ready[at]
	}
	return nil
}

// drop notes why a peer is to go. At the end of the step advance forgets the peer
// and orders its cell to end.
func (f *facts) drop(p *remote, reason string, fault bool) {
	if p.why == (actor.End{}) {
		p.why = actor.End{Reason: reason, Fault: fault}
	}
}

// unprove takes back what a peer had proved. It is asked to prove it again.
func (f *facts) unprove(p *remote) {
	p.best, p.common, p.route = chain.Point{}, chain.Point{}, remoteRoute{shared: noShared}
	p.headers.more, p.headers.ranOut = false, false
	p.headers.askBy(f.now.Add(f.cfg.Pause))
}

// lowest is the height of the first block that the peer has not pruned.
func (p *remote) lowest() int32 {
	if p.full {
		return 0
	}
	return p.best.Height - limitedBlocks + 1
}

// check verifies the list of remotes. It is bounded: each has a connection's seat.
func (f *facts) check() error {
	for i, p := range f.ready {
		if i > 0 && f.ready[i-1].id >= p.id || p.why != (actor.End{}) {
			return fmt.Errorf("peer %v is out of order, or was not dropped: %q", p.id, p.why.Reason)
		}
	}
	return nil
}

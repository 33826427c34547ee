package server

import (
	"fmt"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// TestPeersThatGoLeaveNothing: peers come, ask and tell, and go before the book has
// answered. Names are added and taken back before they are found, and dials end in
// nothing.
func TestPeersThatGoLeaveNothing(t *testing.T) {
	cfg := seeking()
	cfg.MaxPeers, cfg.MaxAdded = 20, 8
	b := newBench(t, cfg)
	b.pick(0)
	b.Churn(func(i int) {
		var ids []actor.ID
		for n := range 5 {
			addr := fmt.Sprintf("8.8.%d.%d:1", i, n)
			id := b.arrive(addr)
			if n > 0 { // one does not end its handshake
				b.ready(id, addr)
			}
			b.Give(peer.AddrsWanted{Peer: id})
			b.Give(peer.AddrsReceived{Peer: id, Addrs: netAddrs(b.Now, "1.2.3.4:5", "1.2.3.5:5")})
			ids = append(ids, id)
		}
		for n := range 4 {
			b.Ask(AddNode{Command: "add", Addr: fmt.Sprintf("%d.example", n)})
			b.Ask(AddNode{Command: "onetry", Addr: fmt.Sprintf("9.9.%d.%d", i, n)})
		}
		b.Advance(time.Second)
		for n, id := range ids {
			if n == 1 {
				b.Give(peer.Gone{Peer: id, Remote: at(fmt.Sprintf("8.8.%d.%d:1", i, n)), Fault: true})
			}
			b.end(id)
		}
		for n := range 4 {
			b.Ask(AddNode{Command: "remove", Addr: fmt.Sprintf("%d.example", n)})
		}
		for b.EndAll(actor.ErrGone, actor.ErrTimeout, actor.ErrBusy) > 0 {
		}
		b.Advance(25 * time.Hour) // until the bans are over
		b.EndAll(actor.ErrBusy)
	}, nil)
}

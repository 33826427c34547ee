package transport

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/server"
)

// A cell that ends a connection closes nothing itself. The pumps do, at once and
// all of them: no goroutine and no socket is left, whatever the pumps were at.
func TestCellsEndManyConnections(t *testing.T) {
	const n = 100
	for _, c := range []struct {
		why    string
		credit int // of the owner
		frames int // written to each remote, which reads none of them
		with   func(id peer.ConnID) any
	}{
		{"the pumps are idle", 1000, 0, func(id peer.ConnID) any { return peer.Close{Conn: id} }},
		{"the pumps are idle, with a drain", 1000, 0, func(id peer.ConnID) any { return peer.Close{Conn: id, Drain: true} }},
		{"the read pump waits for credit", 0, 0, func(id peer.ConnID) any { return peer.Close{Conn: id} }},
		{"the write pump waits for the remote", 1000, 10, func(id peer.ConnID) any { return peer.Close{Conn: id} }},
		{"the server refuses", 1000, 0, func(id peer.ConnID) any { return server.Refuse{Conn: id} }},
	} {
		r := newRig(t, Config{Bounds: Bounds{WriteTimeout: time.Hour, DrainTimeout: time.Hour, Draining: n}}, c.credit)
		var remotes []*remote
		for range n {
			remotes = append(remotes, r.connect())
		}
		r.cells.await(t, c.why, func(owner *fakeCell) bool { return owner.asked >= n && (c.credit > 0 || owner.waiting == n) })
		big := bulk(1_000_000)
		for i := range peer.ConnID(c.frames * n) {
			r.Tell(ownerID, writeOf(first+i%n, big))
		}
		var cells sync.WaitGroup
		for i := range peer.ConnID(n) {
			cells.Go(func() { r.Tell(ownerID, c.with(first+i)) })
		}
		cells.Wait()
		if c.frames == 0 {
			for _, p := range remotes {
				p.ends(c.why)
				p.Close()
			}
		}
		r.awaitConns(c.why, 0)
		r.cells.await(t, c.why, func(owner *fakeCell) bool { return owner.waiting == 0 })
		r.stop()
	}
}

// A connection that is refused before a cell has claimed it has no pump to close it.
func TestUnclaimedConnectionIsRefused(t *testing.T) {
	ids := make(chan peer.ConnID, 1)
	admit := func(_ context.Context, _ int, id peer.ConnID, _, _ netip.AddrPort) bool { ids <- id; return true }
	r := newRig(t, Config{Admit: admit, Bounds: Bounds{ClaimTimeout: time.Hour}}, 1)
	p := r.connect()
	r.Tell(actor.ID(9), server.Refuse{Conn: <-ids})
	p.ends("refused")
	r.awaitConns("it is forgotten", 0)
}

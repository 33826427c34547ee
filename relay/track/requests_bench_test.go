package track

import (
	"testing"

	"acyclic/internal/kernel/actor"
)

// full is a tracker in which 125 peers have announced 5,000 transactions each: the same
// ones, or each its own.
func full(b *testing.B, same bool) *Requests {
	b.Helper()
	r := NewRequests(DefaultBounds(), [2]uint64{1, 2})
	for id := range actor.ID(benchPeers) {
		for n := range benchTxs {
			if !same {
				n += int(id) * benchTxs
			}
			r.ReceivedInv(id+1, byWTxID(n), id%12 == 0, start)
		}
	}
	r.Advance(start)
	return r
}

const benchPeers, benchTxs = 125, 5000

func both(b *testing.B, run func(b *testing.B, r *Requests, same bool)) {
	for name, same := range map[string]bool{"same": true, "own": false} {
		b.Run(name, func(b *testing.B) { run(b, full(b, same), same) })
	}
}

// What one step of the machine costs in which a request expires and the next peer is
// asked, in a tracker that is full.
func BenchmarkNextAnnouncer(b *testing.B) {
	both(b, func(b *testing.B, r *Requests, same bool) {
		n := 0
		for b.Loop() {
			id := actor.ID(n%benchPeers + 1)
			for _, name := range r.Requestable(id, 1) {
				r.Requested(id, name.Hash, after(60))
				r.Response(id, name.Hash)
			}
			r.Advance(after(1))
			_ = r.Deadline()
			if n++; len(r.peers[id].all) < benchTxs/2 {
				b.StopTimer()
				r = full(b, same)
				b.StartTimer()
			}
		}
	})
}

// A step in which nothing can be done.
func BenchmarkIdleStep(b *testing.B) {
	both(b, func(b *testing.B, r *Requests, _ bool) {
		for b.Loop() {
			r.Advance(start)
			_ = r.Waiting()
			_ = r.Deadline()
		}
	})
}

// An announcement comes and is forgotten again.
func BenchmarkAnnounce(b *testing.B) {
	both(b, func(b *testing.B, r *Requests, _ bool) {
		n := 0
		for b.Loop() {
			r.ReceivedInv(9999, byWTxID(n%benchTxs), true, start)
			r.Advance(start)
			r.ForgetPeer(9999)
			n++
		}
	})
}

// A getdata of a hundred for a peer with 5,000 to be asked for.
func BenchmarkRequestable(b *testing.B) {
	r := full(b, false)
	for b.Loop() {
		r.Requestable(1, 100)
	}
}

// A peer with 5,000 announcements comes, and is gone.
func BenchmarkPeer(b *testing.B) {
	both(b, func(b *testing.B, r *Requests, _ bool) {
		for b.Loop() {
			for n := range benchTxs {
				r.ReceivedInv(9999, byWTxID(n), true, start)
			}
			r.Advance(start)
			r.ForgetPeer(9999)
		}
	})
}

package track

import (
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

type held struct {
	requests *Requests
	known    []*Filter
}

// fill makes the trackers hold all that they may hold of some peers, and returns how much
// that is for each. Announcements are asked for or wait.
func fill(b Bounds, peers int) int {
	return steptest.Heap(func() any {
		h := held{requests: NewRequests(b, [2]uint64{})}
		for p := range peers {
			f := NewFilter(b.Known, [2]uint64{uint64(p)})
			h.known = append(h.known, f)
			for n := range b.MaxAnnounced {
				h.requests.ReceivedInv(actor.ID(p+1), byWTxID(p*b.MaxAnnounced+n), false, start.Add(time.Duration(n%2)*time.Second))
				f.Add(txHash(n))
			}
			h.requests.Advance(start)
		}
		return h
	}) / peers
}

// The control is a tracker with larger bounds: it must hold more than the smaller ones
// allow, or the peers have not filled it.
func TestL4PerPeerIsWhatTheTrackersHold(t *testing.T) {
	b := DefaultBounds()
	for _, peers := range []int{1, 4, 30, 45} { // a map is the least full when it has just grown
		got := fill(b, peers)
		t.Logf("%d peers: %d bytes each, at most %d; %d an announcement", peers, got, b.PerPeer(), (got-b.Known.Bytes())/b.MaxAnnounced)
		if got > b.PerPeer() {
			t.Errorf("%d bytes are held of a peer, more than PerPeer's %d", got, b.PerPeer())
		}
	}
	for name, larger := range map[string]func(*Bounds){
		"MaxAnnounced": func(l *Bounds) { l.MaxAnnounced *= 2 },
		"Known":        func(l *Bounds) { l.Known.Entries *= 10 },
	} {
		l := b
		larger(&l)
		if got := fill(l, 4); got > l.PerPeer() || got <= b.PerPeer() {
			t.Errorf("with more %s: %d bytes are held of a peer, want more than %d and at most %d", name, got, b.PerPeer(), l.PerPeer())
		}
	}
}

// fillTogether makes the trackers hold all that they may hold for all peers together, and
// returns how much that is.
func fillTogether(b Bounds) int {
	return steptest.Heap(func() any {
		rejected, confirmed := NewFilter(b.Rejected, [2]uint64{}), NewFilter(b.Confirmed, [2]uint64{})
		rejected.Add(txHash(1))
		confirmed.Add(txHash(1))
		o, u := NewOrphans(b), NewUnbroadcast(b)
		for n := range 2 * b.MaxOrphans {
			o.Add(start, txID(n), actor.ID(n%7+1), hashes(1000, b.MaxMissing))
			for id := range actor.ID(2 * b.MaxSources) {
				o.Announced(id+1, byWTxID(n))
			}
		}
		for n := range 2 * b.MaxUnbroadcast {
			u.Add(start, dice(1), txID(n))
		}
		return []any{rejected, confirmed, o, u}
	})
}

// Each of the bounds is counted: with more of it, more is held and may be held.
func TestL4TogetherIsWhatTheTrackersHold(t *testing.T) {
	const page = 8192 // what the allocator rounds up, which is little beside the node's bounds
	small := Bounds{
		Rejected: FilterSize{100, 1e-6}, Confirmed: FilterSize{100, 1e-6}, Known: FilterSize{100, 1e-6},
		MaxOrphans: 8, MaxMissing: 3, MaxSources: 2, MaxUnbroadcast: 4, ReannounceSpread: 1,
	}
	for name, larger := range map[string]func(*Bounds){
		"Rejected":       func(l *Bounds) { l.Rejected.Entries *= 100 },
		"Confirmed":      func(l *Bounds) { l.Confirmed.Entries *= 100 },
		"MaxOrphans":     func(l *Bounds) { l.MaxOrphans *= 50 },
		"MaxMissing":     func(l *Bounds) { l.MaxMissing *= 200 },
		"MaxSources":     func(l *Bounds) { l.MaxSources *= 200 },
		"MaxUnbroadcast": func(l *Bounds) { l.MaxUnbroadcast *= 200 },
	} {
		l := small
		larger(&l)
		if got := fillTogether(l); got > l.Together()+page || got <= small.Together() {
			t.Errorf("with more %s: %d bytes are held, want more than %d and at most %d", name, got, small.Together(), l.Together())
		}
	}
	b := DefaultBounds()
	got := fillTogether(b)
	t.Logf("%d bytes, at most %d", got, b.Together())
	if got > b.Together() || got < b.Together()/2 {
		t.Errorf("%d bytes are held together, want at most %d, and over half of it", got, b.Together())
	}
}

// When the announcements are gone, their memory is.
func TestL4MemoryComesBack(t *testing.T) {
	b := DefaultBounds()
	const peers = 8
	left := steptest.Heap(func() any {
		r := NewRequests(b, [2]uint64{})
		for p := range actor.ID(peers) {
			for n := range b.MaxAnnounced {
				r.ReceivedInv(p+1, byWTxID(int(p)*b.MaxAnnounced+n), false, start)
			}
		}
		r.Advance(start)
		for p := range actor.ID(peers) {
			r.ForgetPeer(p + 1)
		}
		return r
	})
	if left > 10_000 {
		t.Errorf("%d bytes are left", left)
	}
}

func txID(n int) chain.TxID { return chain.TxID{TxID: txHash(n), WTxID: txHash(n)} }

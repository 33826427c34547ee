package track

import (
	"slices"
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

const (
	alice actor.ID = 1 + iota
	bob
	carol
)

var start = time.Unix(1_000_000, 0)

func after(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func byTxID(n int) peer.TxName  { return peer.TxName{Hash: txHash(n)} }
func byWTxID(n int) peer.TxName { return peer.TxName{Hash: txHash(n), WTxID: true} }

// may says which of the three may be asked for transaction 1.
func may(r *Requests) (ids []actor.ID) {
	for _, id := range []actor.ID{alice, bob, carol} {
		if slices.ContainsFunc(r.Requestable(id, 10), func(n peer.TxName) bool { return n.Hash == txHash(1) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

func wantMay(t *testing.T, r *Requests, why string, want ...actor.ID) {
	t.Helper()
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if got := may(r); !slices.Equal(got, want) {
		t.Errorf("%v may be asked, want %v: %s", got, want, why)
	}
}

func TestRequestTime(t *testing.T) {
	for _, c := range []struct {
		why                   string
		name                  peer.TxName
		preferred, wtxids     bool
		inFlight, wantSeconds int
	}{
		{"a peer that we chose, by wtxid: nothing speaks against it", byWTxID(1), true, true, 0, 0},
		{"who connects to us may want to be the only one who is asked", byWTxID(1), false, true, 0, 1},
		{"another peer may name the witness data too", byTxID(1), true, true, 0, 2},
		{"no peer can name the witness data", byTxID(1), true, false, 0, 0},
		{"19 in flight are not too many", byWTxID(1), true, true, 19, 0},
		{"a peer with 20 in flight is slow", byWTxID(1), true, true, 20, 4},
		{"the delays add up", byTxID(1), false, true, 20, 7},
	} {
		b := DefaultBounds()
		b.MaxInFlight = 20
		b.NonPreferredDelay, b.TxIDDelay, b.OverloadedDelay = time.Second, 2*time.Second, 4*time.Second
		r := NewRequests(b, [2]uint64{})
		for n := range c.inFlight {
			r.ReceivedInv(alice, byWTxID(100+n), true, start)
		}
		r.Advance(start)
		for _, name := range r.Requestable(alice, 1000) {
			r.Requested(alice, name.Hash, after(60))
		}
		if got := r.RequestTime(start, alice, c.name, c.preferred, c.wtxids); !got.Equal(after(c.wantSeconds)) {
			t.Errorf("after %v, want %d s: %s", got.Sub(start), c.wantSeconds, c.why)
		}
	}
}

// A transaction that the first two peers do not deliver comes from the third. No two are
// asked at a time, and none is asked twice.
func TestL9ATransactionComesInSpiteOfSilentPeers(t *testing.T) {
	r := NewRequests(DefaultBounds(), [2]uint64{1})
	r.ReceivedInv(alice, byWTxID(1), false, after(2))
	r.ReceivedInv(bob, byWTxID(1), true, after(0))
	r.ReceivedInv(carol, byTxID(1), false, after(4))
	wantMay(t, r, "no time has passed")
	r.Advance(start)
	wantMay(t, r, "bob is preferred and does not wait", bob)

	r.Requested(bob, txHash(1), after(60))
	r.Advance(after(59))
	wantMay(t, r, "bob has a minute")
	if d := r.Deadline(); !d.Equal(after(60)) {
		t.Errorf("the deadline is %v, want the end of bob's minute", d)
	}
	if e := r.Advance(after(60)); !slices.Equal(e, []Request{{bob, byWTxID(1)}}) {
		t.Errorf("expired: %v", e)
	}
	next := may(r)
	if len(next) != 1 || next[0] == bob {
		t.Fatalf("%v may be asked, want one of the others", next)
	}

	r.Requested(next[0], txHash(1), after(120))
	if r.ReceivedInv(bob, byWTxID(1), true, after(60)) {
		t.Error("bob announces again what he did not deliver, and it counts")
	}
	r.ForgetPeer(next[0])
	wantMay(t, r, "who was asked is gone, the third is left", alice+carol-next[0])

	last := alice + carol - next[0]
	r.Requested(last, txHash(1), after(120))
	if !r.Asked(last, txHash(1)) {
		t.Error("the last one was asked, and it is not known")
	}
	r.Response(last, txHash(1))
	if len(r.peers) != 0 || !r.Deadline().IsZero() {
		t.Errorf("announcements of %d peers are left, and nobody to ask", len(r.peers))
	}
}

// Preferred peers come first even if they announce last, as long as nobody was asked.
func TestAPreferredPeerTakesTheTurn(t *testing.T) {
	r := NewRequests(DefaultBounds(), [2]uint64{})
	r.ReceivedInv(alice, byWTxID(1), false, start)
	r.Advance(start)
	wantMay(t, r, "she is the only one", alice)
	r.ReceivedInv(bob, byWTxID(1), true, start)
	r.Advance(start)
	wantMay(t, r, "bob is preferred", bob)
	if r.Requested(alice, txHash(1), after(60)) {
		t.Error("alice is asked out of turn")
	}
	r.Requested(bob, txHash(1), after(60))
	r.ReceivedInv(carol, byWTxID(1), true, start)
	r.Advance(start)
	wantMay(t, r, "one is asked already")
}

// Among equals chance decides, by the key alone: in which order they announce changes
// nothing, and each has the same chance.
func TestL10ChanceIsTheKey(t *testing.T) {
	turns := map[actor.ID]int{}
	const keys = 3000
	for key := range uint64(keys) {
		var first []actor.ID
		for _, ids := range [][]actor.ID{{alice, bob, carol}, {carol, alice, bob}} {
			r := NewRequests(DefaultBounds(), [2]uint64{key, 7})
			for _, id := range ids {
				r.ReceivedInv(id, byWTxID(1), true, start)
				r.Advance(start)
			}
			first = append(first, may(r)...)
		}
		if len(first) != 2 || first[0] != first[1] {
			t.Fatalf("key %d: %v are asked first", key, first)
		}
		turns[first[0]]++
	}
	for id, n := range turns {
		if n < keys/3-150 || n > keys/3+150 { // over five standard deviations
			t.Errorf("%v is asked first with %d of %d keys", id, n, keys)
		}
	}
}

// A peer that announces without end costs what MaxAnnounced allows, and takes no room
// from others.
func TestL4AnnouncementsAreBounded(t *testing.T) {
	b := DefaultBounds()
	r := NewRequests(b, [2]uint64{})
	for n := range 2 * b.MaxAnnounced {
		if took := r.ReceivedInv(alice, byWTxID(n), false, start); took != (n < b.MaxAnnounced) {
			t.Fatalf("announcement %d is taken: %v", n, took)
		}
	}
	if !r.ReceivedInv(bob, byWTxID(1), false, start) || r.Count(alice) != b.MaxAnnounced {
		t.Error("bob's announcement is not taken")
	}
	r.Advance(start)
	if n := r.Ready(alice) + r.Ready(bob); n != b.MaxAnnounced {
		t.Errorf("%d can be asked for", n)
	}
	// What was announced first is asked for first.
	for i, name := range r.Requestable(alice, 300) {
		if i == 0 && name == byWTxID(1) {
			break
		}
		if want := byWTxID(i); name != want && name != byWTxID(i+1) {
			t.Fatalf("number %d is %v", i, name)
		}
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
	r.ForgetPeer(alice)
	if r.Count(alice) != 0 || r.Count(bob) != 1 || len(r.times) != 0 {
		t.Errorf("%d and %d announcements are left", r.Count(alice), r.Count(bob))
	}
}

// Who may have a transaction may have its parents: the best is named first, and who has
// answered is not named.
func TestAnnouncers(t *testing.T) {
	r := NewRequests(DefaultBounds(), [2]uint64{})
	r.ReceivedInv(alice, byWTxID(1), false, start)
	r.ReceivedInv(bob, byWTxID(1), true, after(2))
	r.ReceivedInv(carol, byWTxID(1), true, start)
	r.Advance(start)
	r.Response(carol, txHash(1))
	if got := r.Announcers(txHash(1)); !slices.Equal(got, []actor.ID{bob, alice}) {
		t.Errorf("announcers are %v", got)
	}
	if got := r.Announcers(txHash(2)); got != nil {
		t.Errorf("nobody has announced it, and these are named: %v", got)
	}
}

// Check finds each kind of damage.
func TestCheckFindsDamage(t *testing.T) {
	build := func() *Requests {
		r := NewRequests(small(), [2]uint64{})
		for _, id := range []actor.ID{alice, bob, carol} {
			r.ReceivedInv(id, byWTxID(1), id == bob, start)
			r.ReceivedInv(id, byWTxID(2), id == bob, after(int(id)))
		}
		r.Advance(start)
		r.ReceivedInv(alice, byTxID(3), true, start)
		r.Advance(start)
		r.Requested(alice, txHash(3), after(60))
		return r
	}
	if err := build().Check(); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(r *Requests){
		"a count of those to ask":       func(r *Requests) { r.ready++ },
		"a count of flights":            func(r *Requests) { r.inFlight-- },
		"a peer's count of flights":     func(r *Requests) { r.peers[alice].inFlight++ },
		"a peer too many":               func(r *Requests) { r.peers[9] = &announcer{id: 9} },
		"a peer lost":                   func(r *Requests) { delete(r.peers, alice) },
		"too many announcements":        func(r *Requests) { r.cfg.MaxAnnounced = 2 },
		"a transaction lost":            func(r *Requests) { delete(r.txs, txHash(2)) },
		"a transaction under two names": func(r *Requests) { r.txs[txHash(9)] = r.txs[txHash(2)] },
		"an announcement lost":          func(r *Requests) { r.txs[txHash(2)].all = r.txs[txHash(2)].all[1:] },
		"announcements out of order":    func(r *Requests) { slices.Reverse(r.txs[txHash(2)].all) },
		"a count of open ones":          func(r *Requests) { r.txs[txHash(1)].open-- },
		"nobody selected":               func(r *Requests) { r.txs[txHash(1)].selected = nil },
		"a selected one that is ready":  func(r *Requests) { r.announced(bob, txHash(1)).state = ready },
		"times out of order":            func(r *Requests) { r.times.swap(0, 1) },
		"a deadline lost":               func(r *Requests) { r.times = r.times[:1] },
		"a place forgotten":             func(r *Requests) { r.times[0].place = 1 },
		"a worse one is the best":       func(r *Requests) { r.announced(bob, txHash(1)).rank = 0 },
		"the index in a peer's list":    func(r *Requests) { r.peers[alice].all[0].inFrom = 1 },
		"a ready one out of its queue":  func(r *Requests) { r.txs[txHash(1)].ready = r.txs[txHash(1)].ready[:1] },
		"the best is another peer's": func(r *Requests) {
			r.peers[alice].best, r.peers[bob].best = r.peers[bob].best, r.peers[alice].best
		},
	} {
		r := build()
		damage(r)
		if r.Check() == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

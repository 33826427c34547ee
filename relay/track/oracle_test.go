package track

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// naive does what Requests does, with one list that it scans from end to end. It keeps
// no order, no counts, and does not note which announcement is the best: it looks.
type naive struct {
	cfg  Bounds
	key  [2]uint64
	next int
	list []word
}

// word is an announcement.
type word struct {
	peer      actor.ID
	name      peer.TxName
	preferred bool
	at        time.Time // of the delay's end, or of the expiry
	sequence  int
	over      bool // its delay is
	asked     bool // and no answer yet
	done      bool
}

func (n *naive) count(fits func(w word) bool) (c int) {
	for _, w := range n.list {
		if fits(w) {
			c++
		}
	}
	return c
}

func (n *naive) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	if n.Count(id) >= n.cfg.MaxAnnounced || n.count(func(w word) bool { return w.peer == id && w.name.Hash == name.Hash }) > 0 {
		return false
	}
	n.list = append(n.list, word{peer: id, name: name, preferred: preferred, at: at, sequence: n.next})
	n.next++
	return true
}

func (n *naive) Advance(now time.Time) (expired []Request) {
	due := slices.Clone(n.list)
	slices.SortFunc(due, func(a, b word) int { return cmp.Or(a.at.Compare(b.at), a.sequence-b.sequence) })
	for i, w := range n.list {
		n.list[i].over = w.over || !w.at.After(now)
	}
	for _, w := range due {
		if w.asked && !w.at.After(now) {
			expired = append(expired, Request{w.peer, w.name})
			n.Response(w.peer, w.name.Hash)
		}
	}
	return expired
}

// best says whether w is the one to be asked for: nobody is asked, and of all that could
// be, w is preferred, or as much preferred and luckier.
func (n *naive) best(w word) bool {
	can := func(w word) bool { return w.over && !w.asked && !w.done }
	luck := func(w word) uint64 { return sipHash(n.key, &w.name.Hash, uint64(w.peer)) >> 1 }
	return can(w) && n.count(func(o word) bool {
		if o.name.Hash != w.name.Hash || o.peer == w.peer {
			return false
		}
		return o.asked || can(o) && (o.preferred && !w.preferred || o.preferred == w.preferred && luck(o) > luck(w))
	}) == 0
}

func (n *naive) Requestable(id actor.ID, max int) (names []peer.TxName) {
	for _, w := range n.list { // in the order of the sequence
		if w.peer == id && n.best(w) && len(names) < max {
			names = append(names, w.name)
		}
	}
	return names
}

func (n *naive) Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool {
	for i, w := range n.list {
		if w.peer == id && w.name.Hash == h && n.best(w) {
			n.list[i].asked, n.list[i].at = true, expiry
			return true
		}
	}
	return false
}

func (n *naive) Response(id actor.ID, h chainhash.Hash) {
	for i, w := range n.list {
		if w.peer == id && w.name.Hash == h {
			n.list[i].done, n.list[i].asked = true, false
		}
	}
	n.sweep()
}

// sweep forgets what nobody is left to be asked for.
func (n *naive) sweep() {
	open := map[chainhash.Hash]bool{}
	for _, w := range n.list {
		open[w.name.Hash] = open[w.name.Hash] || !w.done
	}
	n.list = slices.DeleteFunc(n.list, func(w word) bool { return !open[w.name.Hash] })
}

func (n *naive) ForgetTx(h chainhash.Hash) {
	n.list = slices.DeleteFunc(n.list, func(w word) bool { return w.name.Hash == h })
}

func (n *naive) ForgetPeer(id actor.ID) {
	n.list = slices.DeleteFunc(n.list, func(w word) bool { return w.peer == id })
	n.sweep()
}

func (n *naive) Deadline() (first time.Time) {
	for _, w := range n.list {
		if (w.asked || !w.over && !w.done) && (first.IsZero() || w.at.Before(first)) {
			first = w.at
		}
	}
	return first
}

func (n *naive) Count(id actor.ID) int { return n.count(func(w word) bool { return w.peer == id }) }
func (n *naive) InFlight(id actor.ID) int {
	return n.count(func(w word) bool { return w.peer == id && w.asked })
}
func (n *naive) Ready(id actor.ID) int {
	return n.count(func(w word) bool { return w.peer == id && n.best(w) })
}
func (n *naive) Asked(id actor.ID, h chainhash.Hash) bool {
	return n.count(func(w word) bool { return w.peer == id && w.name.Hash == h && w.asked }) > 0
}
func (n *naive) Flying() int  { return n.count(func(w word) bool { return w.asked }) }
func (n *naive) Waiting() int { return n.count(n.best) }
func (n *naive) Check() error { return nil }

func (n *naive) Announcers(h chainhash.Hash) (ids []actor.ID) {
	for rest := (&naive{n.cfg, n.key, 0, slices.Clone(n.list)}); ; {
		var first actor.ID
		for i := range rest.list {
			rest.list[i].over, rest.list[i].asked = true, false
		}
		for _, w := range rest.list {
			if w.name.Hash == h && rest.best(w) {
				first = w.peer
			}
		}
		if first == 0 {
			return ids
		}
		ids = append(ids, first)
		rest.ForgetPeer(first)
	}
}

// tracker is what the naive one, the real one and broken ones have in common.
type tracker interface {
	ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool
	Advance(now time.Time) []Request
	Requestable(id actor.ID, max int) []peer.TxName
	Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool
	Asked(id actor.ID, h chainhash.Hash) bool
	Response(id actor.ID, h chainhash.Hash)
	ForgetTx(h chainhash.Hash)
	ForgetPeer(id actor.ID)
	Deadline() time.Time
	Count(id actor.ID) int
	InFlight(id actor.ID) int
	Ready(id actor.ID) int
	Flying() int
	Waiting() int
	Announcers(h chainhash.Hash) []actor.ID
	Check() error
}

// Count is how many announcements of a peer are kept.
func (r *Requests) Count(id actor.ID) int {
	if p := r.peers[id]; p != nil {
		return len(p.all)
	}
	return 0
}

// A small world, in which everything happens often.
const (
	fewPeers = 4
	fewTxs   = 5
	fewSteps = 60
)

func small() Bounds {
	b := DefaultBounds()
	b.MaxAnnounced = 4
	return b
}

func txHash(n int) chainhash.Hash { return chainhash.Hash{byte(n), byte(n >> 8), byte(n >> 16), 1} }

// compare does to two trackers what a source of numbers below n says, and returns how
// they differ.
func compare(draw func(n int) int, a, b tracker) error {
	now := time.Unix(1_000_000, 0)
	for step := range fewSteps {
		id, h := actor.ID(1+draw(fewPeers)), txHash(draw(fewTxs))
		var was, is any
		what := draw(12)
		switch what {
		case 0, 1, 2, 3:
			// An inbound peer may announce as a preferred one, and a delay may be over.
			name, preferred := peer.TxName{Hash: h, WTxID: draw(2) > 0}, draw(2) > 0
			at := now.Add(time.Duration(draw(4)-1) * time.Second)
			was, is = a.ReceivedInv(id, name, preferred, at), b.ReceivedInv(id, name, preferred, at)
		case 4, 5, 6: // as the machine does
			most := draw(3)
			was, is = ask(a, id, now, most), ask(b, id, now, most)
		case 7: // out of turn
			was, is = a.Requested(id, h, now.Add(time.Second)), b.Requested(id, h, now.Add(time.Second))
		case 8, 9:
			was, is = a.Asked(id, h), b.Asked(id, h)
			a.Response(id, h)
			b.Response(id, h)
		case 10:
			a.ForgetTx(h)
			b.ForgetTx(h)
		case 11:
			a.ForgetPeer(id)
			b.ForgetPeer(id)
		}
		if fmt.Sprint(was) != fmt.Sprint(is) {
			return fmt.Errorf("step %d: input %d for peer %v and %v gives %v, want %v", step, what, id, h, is, was)
		}
		now = now.Add(time.Duration(draw(2)) * time.Second)
		if was, is := fmt.Sprint(a.Advance(now)), fmt.Sprint(b.Advance(now)); was != is {
			return fmt.Errorf("step %d: expired are %s, want %s", step, is, was)
		}
		if was, is := look(a), look(b); was != is {
			return fmt.Errorf("step %d, after input %d: the tracker shows\n%s, want\n%s", step, what, is, was)
		}
		if d := b.Deadline(); !d.IsZero() && !d.After(now) {
			return fmt.Errorf("step %d: the deadline is over", step)
		}
		if err := b.Check(); err != nil {
			return fmt.Errorf("step %d: %w", step, err)
		}
	}
	return nil
}

// ask asks a peer for what can be asked of it.
func ask(t tracker, id actor.ID, now time.Time, most int) (names []peer.TxName) {
	names = t.Requestable(id, most)
	for i, name := range names {
		if !t.Requested(id, name.Hash, now.Add(time.Duration(2+i)*time.Second)) {
			return nil
		}
	}
	return names
}

// look is all that a tracker shows.
func look(t tracker) (s string) {
	s = fmt.Sprintln(t.Flying(), t.Waiting(), t.Deadline())
	for id := actor.ID(1); id <= fewPeers; id++ {
		s += fmt.Sprintln(id, t.Count(id), t.InFlight(id), t.Ready(id), t.Requestable(id, fewTxs), t.Requestable(id, 1))
	}
	for n := range fewTxs {
		s += fmt.Sprintln(t.Announcers(txHash(n)))
	}
	return s
}

// Whatever happens, the tracker shows what one shows that scans a list.
func TestL10RequestsAreAsTheNaiveOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ints := rapid.IntRange(0, 1<<16)
		draw := func(n int) int { return ints.Draw(t, "n") % n }
		key := [2]uint64{uint64(ints.Draw(t, "key"))}
		if err := compare(draw, &naive{cfg: small(), key: key}, NewRequests(small(), key)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzRequests(f *testing.F) {
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 0))
		input := make([]byte, 8*fewSteps)
		for i := range input {
			input[i] = byte(rng.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		draw := func(n int) int {
			if len(input) == 0 {
				return 0
			}
			first := input[0]
			input = input[1:]
			return int(first) % n
		}
		key := [2]uint64{uint64(draw(256))}
		if err := compare(draw, &naive{cfg: small(), key: key}, NewRequests(small(), key)); err != nil {
			t.Fatal(err)
		}
	})
}

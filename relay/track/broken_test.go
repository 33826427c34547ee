package track

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// A broken tracker is the real one with one fault. Its Check is silent, so that the
// comparison has to find the fault by itself.
type silent struct{ *Requests }

func (silent) Check() error { return nil }

type (
	likesAllPeers     struct{ silent }
	skipsDelays       struct{ silent }
	countsToFive      struct{ silent }
	givesNoTime       struct{ silent }
	expiresInSilence  struct{ silent }
	asksAgain         struct{ silent }
	forgetsAnswerers  struct{ silent }
	forgetsNoTx       struct{ silent }
	losesRequests     struct{ silent }
	keepsPeers        struct{ silent }
	turnsOrder        struct{ silent }
	ignoresMax        struct{ silent }
	asksTwo           struct{ silent }
	takesTheFirst     struct{ silent }
	keepsTheFirst     struct{ silent }
	asksOutOfTurn     struct{ silent }
	delaysAgain       struct{ silent }
	expectsNothing    struct{ silent }
	wakesLate         struct{ silent }
	countsNoFlights   struct{ silent }
	mixesNames        struct{ silent }
	namesTheCompleted struct{ silent }
)

func (b likesAllPeers) ReceivedInv(id actor.ID, name peer.TxName, _ bool, at time.Time) bool {
	return b.silent.ReceivedInv(id, name, false, at)
}

func (b skipsDelays) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, _ time.Time) bool {
	return b.silent.ReceivedInv(id, name, preferred, time.Time{})
}

func (b countsToFive) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	b.cfg.MaxAnnounced = small().MaxAnnounced + 1
	return b.silent.ReceivedInv(id, name, preferred, at)
}

func (b mixesNames) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	return b.silent.ReceivedInv(id, peer.TxName{Hash: name.Hash, WTxID: true}, preferred, at)
}

func (b delaysAgain) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	if a := b.announced(id, name.Hash); a != nil && a.state == delayed && at.After(a.at) {
		b.leave(a)
		a.at = at
		b.enter(a, delayed)
	}
	return b.silent.ReceivedInv(id, name, preferred, at)
}

// takesTheFirst gives those that announce first the best chance.
func (b takesTheFirst) ReceivedInv(id actor.ID, name peer.TxName, preferred bool, at time.Time) bool {
	took := b.silent.ReceivedInv(id, name, preferred, at)
	if a := b.announced(id, name.Hash); took {
		a.rank = a.rank>>63<<63 | 1<<62 - a.sequence
	}
	return took
}

// keepsTheFirst does not let a better one take the place of the best.
func (b keepsTheFirst) Advance(now time.Time) []Request {
	for len(b.times) > 0 && !b.times[0].at.After(now) && b.times[0].state == delayed {
		if a := b.times[0]; a.tx.selected != nil {
			b.leave(a)
			b.enter(a, ready)
		} else {
			b.promote(a)
		}
	}
	return b.silent.Advance(now)
}

func (b givesNoTime) Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool {
	return b.silent.Requested(id, h, expiry.Add(time.Hour))
}

func (b expiresInSilence) Advance(now time.Time) []Request {
	b.silent.Advance(now)
	return nil
}

// asksAgain asks the peer again that has not delivered.
func (b asksAgain) Response(id actor.ID, h chainhash.Hash) {
	a := b.announced(id, h)
	if a == nil || a.state != requested {
		b.silent.Response(id, h)
		return
	}
	b.leave(a)
	b.enter(a, best)
}

// forgetsAnswerers lets a peer announce again what it has not delivered.
func (b forgetsAnswerers) Response(id actor.ID, h chainhash.Hash) {
	b.silent.Response(id, h)
	if a := b.announced(id, h); a != nil {
		b.drop(a)
	}
}

func (expectsNothing) Asked(actor.ID, chainhash.Hash) bool { return false }

func (forgetsNoTx) ForgetTx(chainhash.Hash) {}

// losesRequests forgets with a peer what it had announced, others' announcements
// included.
func (b losesRequests) ForgetPeer(id actor.ID) {
	for p := b.peers[id]; p != nil && len(p.all) > 0; {
		b.dropTx(p.all[0].tx)
	}
}

// keepsPeers completes what a peer has announced, and keeps it.
func (b keepsPeers) ForgetPeer(id actor.ID) {
	if p := b.peers[id]; p != nil {
		for _, a := range slices.Clone(p.all) {
			b.complete(a)
		}
	}
}

func (b turnsOrder) Requestable(id actor.ID, most int) []peer.TxName {
	names := b.silent.Requestable(id, most)
	slices.Reverse(names)
	return names
}

func (b ignoresMax) Requestable(id actor.ID, most int) []peer.TxName {
	return b.silent.Requestable(id, most+1)
}

// asksTwo lets another peer be asked while one is.
func (b asksTwo) Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool {
	took := b.silent.Requested(id, h, expiry)
	if tx := b.txs[h]; took && len(tx.ready) > 0 {
		next := tx.ready[0]
		b.leave(next)
		b.enter(next, best)
	}
	return took
}

// asksOutOfTurn takes the word of its caller for who is to be asked.
func (b asksOutOfTurn) Requested(id actor.ID, h chainhash.Hash, expiry time.Time) bool {
	a := b.announced(id, h)
	if a != nil && a.state == ready && a.tx.selected.state == best {
		was := a.tx.selected
		b.leave(was)
		b.enter(was, ready)
		b.leave(a)
		b.enter(a, best)
	}
	return b.silent.Requested(id, h, expiry)
}

func (b wakesLate) Deadline() time.Time {
	if d := b.silent.Deadline(); !d.IsZero() {
		return d.Add(time.Nanosecond)
	}
	return time.Time{}
}

func (countsNoFlights) InFlight(actor.ID) int { return 0 }

func (b namesTheCompleted) Announcers(h chainhash.Hash) (ids []actor.ID) {
	ids = b.silent.Announcers(h)
	if tx := b.txs[h]; tx != nil {
		for _, a := range tx.all {
			if a.state == completed {
				ids = append(ids, a.from.id)
			}
		}
	}
	return ids
}

// Each broken tracker differs from the naive one, and the real one does not, under the
// same numbers.
func TestL10TheComparisonFindsBrokenTrackers(t *testing.T) {
	const seeds = 300
	for name, broken := range map[string]func(r silent) tracker{
		"likes all peers":            func(r silent) tracker { return likesAllPeers{r} },
		"skips delays":               func(r silent) tracker { return skipsDelays{r} },
		"takes one too many":         func(r silent) tracker { return countsToFive{r} },
		"mixes the names":            func(r silent) tracker { return mixesNames{r} },
		"delays again":               func(r silent) tracker { return delaysAgain{r} },
		"takes who comes first":      func(r silent) tracker { return takesTheFirst{r} },
		"keeps who was ready first":  func(r silent) tracker { return keepsTheFirst{r} },
		"lets no request expire":     func(r silent) tracker { return givesNoTime{r} },
		"does not say what expired":  func(r silent) tracker { return expiresInSilence{r} },
		"asks the same peer again":   func(r silent) tracker { return asksAgain{r} },
		"forgets who has answered":   func(r silent) tracker { return forgetsAnswerers{r} },
		"forgets whom it has asked":  func(r silent) tracker { return expectsNothing{r} },
		"forgets no transaction":     func(r silent) tracker { return forgetsNoTx{r} },
		"forgets others with a peer": func(r silent) tracker { return losesRequests{r} },
		"keeps peers that are gone":  func(r silent) tracker { return keepsPeers{r} },
		"turns the order":            func(r silent) tracker { return turnsOrder{r} },
		"names one too many":         func(r silent) tracker { return ignoresMax{r} },
		"asks two at a time":         func(r silent) tracker { return asksTwo{r} },
		"asks out of turn":           func(r silent) tracker { return asksOutOfTurn{r} },
		"wakes late":                 func(r silent) tracker { return wakesLate{r} },
		"counts no flights":          func(r silent) tracker { return countsNoFlights{r} },
		"names the completed":        func(r silent) tracker { return namesTheCompleted{r} },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(seeds) {
				if err := tryBroken(seed, func(r silent) tracker { return r }); err != nil {
					t.Fatalf("seed %d: the real one: %v", seed, err)
				}
				if err := tryBroken(seed, broken); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("%d seeds and nothing found", seeds)
		})
	}
}

func tryBroken(seed uint64, broken func(r silent) tracker) (found error) {
	defer func() {
		if recover() != nil { // a crash is not a finding
			found = nil
		}
	}()
	rng, key := rand.New(rand.NewPCG(seed, 0)), [2]uint64{seed}
	return compare(rng.IntN, &naive{cfg: small(), key: key}, broken(silent{NewRequests(small(), key)}))
}

package track

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
)

// Orphans keeps in mind which transactions have missing parents. Who has sent or
// announced such a transaction is likely to have its parents, and is asked for them by
// txid, since nothing else is known of them. The transactions themselves are elsewhere.
//
// An orphan is forgotten when it is accepted or rejected, after OrphanTimeout, or when
// no peer is left that has it. Of MaxOrphans a peer can fill as many as others leave:
// when there are too many, the oldest one goes of whoever has brought the most. So a
// flood pushes out itself.
//
// There are few, so a list is enough. Each method looks at all of it.
type Orphans struct {
	cfg  Bounds
	list []orphan // the oldest first
}

type orphan struct {
	id      chain.TxID
	missing []chainhash.Hash // txids, each once, at most MaxMissing
	from    []actor.ID       // who has it, the sender first; at most MaxSources
	until   time.Time
}

// NewOrphans returns an empty list.
func NewOrphans(b Bounds) *Orphans { return &Orphans{cfg: b} }

// Add notes that a peer has sent a transaction whose parents are missing. If that is
// known, the peer becomes one of those that have it, and missing is what is missing now.
// Add returns false, and forgets it, if so many parents are missing that it is not worth
// it, or none.
func (o *Orphans) Add(now time.Time, child chain.TxID, from actor.ID, missing []chainhash.Hash) bool {
	if len(missing) == 0 || len(missing) > o.cfg.MaxMissing {
		o.Remove(child)
		return false
	}
	if i := o.index(peer.TxName{Hash: child.WTxID, WTxID: true}); i >= 0 {
		o.list[i].missing = slices.Clone(missing)
		o.source(&o.list[i], from)
		return true
	}
	if len(o.list) >= o.cfg.MaxOrphans {
		o.evict()
	}
	o.list = append(o.list, orphan{
		id: child, missing: slices.Clone(missing), from: []actor.ID{from}, until: now.Add(o.cfg.OrphanTimeout),
	})
	return true
}

// source notes that a peer has an orphan.
func (o *Orphans) source(x *orphan, id actor.ID) {
	if len(x.from) < o.cfg.MaxSources && !slices.Contains(x.from, id) {
		x.from = append(x.from, id)
	}
}

// evict forgets the oldest orphan of the peer that has brought the most.
func (o *Orphans) evict() {
	brought, most, oldest := map[actor.ID]int{}, 0, 0
	for _, x := range o.list {
		brought[x.from[0]]++
		most = max(most, brought[x.from[0]])
	}
	for i, x := range o.list {
		if brought[x.from[0]] == most {
			oldest = i
			break
		}
	}
	o.list = slices.Delete(o.list, oldest, oldest+1)
}

// Announced notes that a peer announces an orphan, and returns what to ask it for. It
// returns false if the transaction is no orphan.
func (o *Orphans) Announced(id actor.ID, name peer.TxName) (missing []chainhash.Hash, is bool) {
	i := o.index(name)
	if i < 0 {
		return nil, false
	}
	o.source(&o.list[i], id)
	return slices.Clone(o.list[i].missing), true
}

func (o *Orphans) index(name peer.TxName) int {
	return slices.IndexFunc(o.list, func(x orphan) bool { return isNamed(x.id, name) })
}

// Found notes that a transaction is no longer missing. Its children may be accepted now,
// and stay until it is said what became of them.
func (o *Orphans) Found(parent chainhash.Hash) {
	for i := range o.list {
		x := &o.list[i]
		x.missing = slices.DeleteFunc(x.missing, func(h chainhash.Hash) bool { return h == parent })
	}
}

// Remove forgets an orphan: it was accepted or rejected.
func (o *Orphans) Remove(child chain.TxID) {
	o.list = slices.DeleteFunc(o.list, func(x orphan) bool { return x.id.WTxID == child.WTxID })
}

// ForgetPeer forgets that a peer had orphans, and those that nobody else has.
func (o *Orphans) ForgetPeer(id actor.ID) {
	for i := range o.list {
		x := &o.list[i]
		x.from = slices.DeleteFunc(x.from, func(has actor.ID) bool { return has == id })
	}
	o.list = slices.DeleteFunc(o.list, func(x orphan) bool { return len(x.from) == 0 })
}

// Advance forgets the orphans whose time is up.
func (o *Orphans) Advance(now time.Time) {
	o.list = slices.DeleteFunc(o.list, func(x orphan) bool { return !x.until.After(now) })
}

// Deadline is when the next orphan expires. Zero: there is none.
func (o *Orphans) Deadline() time.Time {
	if len(o.list) == 0 {
		return time.Time{}
	}
	return o.list[0].until
}

// Check returns an error if the list makes no sense.
func (o *Orphans) Check() error {
	if len(o.list) > o.cfg.MaxOrphans {
		return fmt.Errorf("%d orphans, at most %d are kept", len(o.list), o.cfg.MaxOrphans)
	}
	for i, x := range o.list {
		switch {
		case o.index(peer.TxName{Hash: x.id.WTxID, WTxID: true}) != i:
			return fmt.Errorf("orphan %v is listed twice", x.id.WTxID)
		case len(x.missing) > o.cfg.MaxMissing:
			return fmt.Errorf("orphan %v has %d missing parents", x.id.WTxID, len(x.missing))
		case len(x.from) == 0 || len(x.from) > o.cfg.MaxSources:
			return fmt.Errorf("orphan %v has %d peers", x.id.WTxID, len(x.from))
		case i > 0 && x.until.Before(o.list[i-1].until):
			return fmt.Errorf("orphan %v expires before an older one", x.id.WTxID)
		}
	}
	return nil
}

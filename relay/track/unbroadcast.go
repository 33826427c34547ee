package track

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// Unbroadcast has the transactions that were sent by RPC and that no peer has asked for.
// Perhaps no peer has heard of them: there was none, or the connection broke. So they
// are announced again, all together, every ReannounceAfter and a random time of
// ReannounceSpread at most. A peer that sends getdata for one ends that. Who sends its
// own transactions so needs not announce them for ever, which would tell whose they are
// (Core's m_unbroadcast_txids).
type Unbroadcast struct {
	cfg  Bounds
	list []chain.TxID // the order in which they were sent, so parents come first
	due  time.Time    // when they are announced again
}

// NewUnbroadcast returns an empty set.
func NewUnbroadcast(b Bounds) *Unbroadcast { return &Unbroadcast{cfg: b} }

// Add adds a transaction that has just been announced for the first time. It returns
// false if there are too many: then it is not announced again.
func (u *Unbroadcast) Add(now time.Time, rng *rand.Rand, id chain.TxID) bool {
	if slices.Contains(u.list, id) {
		return true
	}
	if len(u.list) >= u.cfg.MaxUnbroadcast {
		return false
	}
	if len(u.list) == 0 {
		u.due = u.next(now, rng)
	}
	u.list = append(u.list, id)
	return true
}

func (u *Unbroadcast) next(now time.Time, rng *rand.Rand) time.Time {
	return now.Add(u.cfg.ReannounceAfter + time.Duration(rng.Int64N(int64(u.cfg.ReannounceSpread)+1)))
}

// Asked notes that a peer has asked for a transaction: it is in the network now.
func (u *Unbroadcast) Asked(name peer.TxName) {
	u.list = slices.DeleteFunc(u.list, func(id chain.TxID) bool { return isNamed(id, name) })
}

// Remove notes that a transaction is confirmed, or has left the pool.
func (u *Unbroadcast) Remove(id chain.TxID) {
	u.list = slices.DeleteFunc(u.list, func(x chain.TxID) bool { return x.TxID == id.TxID })
}

// Advance returns the transactions that are to be announced again now.
func (u *Unbroadcast) Advance(now time.Time, rng *rand.Rand) []chain.TxID {
	if len(u.list) == 0 || u.due.After(now) {
		return nil
	}
	u.due = u.next(now, rng)
	return slices.Clone(u.list)
}

// Deadline is when they are announced again. Zero: there are none.
func (u *Unbroadcast) Deadline() time.Time {
	if len(u.list) == 0 {
		return time.Time{}
	}
	return u.due
}

// Len is how many there are.
func (u *Unbroadcast) Len() int { return len(u.list) }

// TxIDs names them.
func (u *Unbroadcast) TxIDs() []chainhash.Hash {
	txids := make([]chainhash.Hash, 0, len(u.list))
	for _, id := range u.list {
		txids = append(txids, id.TxID)
	}
	return txids
}

// Check returns an error if the set makes no sense.
func (u *Unbroadcast) Check() error {
	switch {
	case len(u.list) > u.cfg.MaxUnbroadcast:
		return fmt.Errorf("%d transactions that nobody has asked for, at most %d are kept", len(u.list), u.cfg.MaxUnbroadcast)
	case len(u.list) > 0 && u.due.IsZero():
		return fmt.Errorf("%d transactions are never announced again", len(u.list))
	}
	for i, id := range u.list {
		if slices.Index(u.list, id) != i {
			return fmt.Errorf("transaction %v is listed twice", id.TxID)
		}
	}
	return nil
}

// isNamed says whether a name is one of a transaction's.
func isNamed(id chain.TxID, name peer.TxName) bool {
	return name.WTxID && id.WTxID == name.Hash || !name.WTxID && id.TxID == name.Hash
}

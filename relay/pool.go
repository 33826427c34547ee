package relay

import (
	"fmt"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// pool is a tracker: the transactions of chain's pool by name, as last heard. It says
// what need not be fetched, what is announced, and what a peer may be given.
//
// It may be behind chain's. What it lacks is fetched once too often, and chain knows it.
type pool struct {
	max      int // transactions; further ones are left out
	next     uint64
	gone     uint64 // how many have left it
	byTxID   map[chainhash.Hash]*pooled
	byWTxID  map[chainhash.Hash]*pooled // those with witness data: their wtxid is not their txid
	byNumber map[uint64]*pooled
}

// pooled is a transaction of the pool.
type pooled struct {
	id        chain.TxID
	number    uint64 // in the order heard; parents have lower ones
	rate      int64  // its fee rate
	size      int    // bytes that it can have at most
	ancestors int
	since     time.Time // when it came to the pool
}

func newPool(max int) pool {
	return pool{
		max: max, byTxID: map[chainhash.Hash]*pooled{}, byWTxID: map[chainhash.Hash]*pooled{}, byNumber: map[uint64]*pooled{},
	}
}

// witnessScale is how many bytes a virtual byte can be (BIP141).
const witnessScale = 4

// add adds a transaction, unless it is there, and returns it. It returns nil if there is
// no room.
func (l *pool) add(t chain.PoolTx) *pooled {
	if e := l.byTxID[t.ID.TxID]; e != nil && e.id == t.ID {
		return e
	}
	l.remove(t.ID)
	if len(l.byTxID) >= l.max {
		return nil
	}
	e := &pooled{
		id: t.ID, number: l.next, rate: t.FeeRate(), size: witnessScale * int(t.VSize),
		ancestors: t.Ancestors, since: t.Added,
	}
	l.next++
	l.byTxID[e.id.TxID], l.byNumber[e.number] = e, e
	if e.id.WTxID != e.id.TxID {
		l.byWTxID[e.id.WTxID] = e
	}
	return e
}

// remove takes out the transaction with a txid, if it is there.
func (l *pool) remove(id chain.TxID) {
	e := l.byTxID[id.TxID]
	if e == nil {
		return
	}
	delete(l.byTxID, e.id.TxID)
	delete(l.byWTxID, e.id.WTxID)
	delete(l.byNumber, e.number)
	l.gone++
	if len(l.byTxID) == 0 { // maps that were large stay large
		next, gone := l.next, l.gone
		*l = newPool(l.max)
		l.next, l.gone = next, gone
	}
}

// keep takes out what is not on a list.
func (l *pool) keep(txs []chain.PoolTx) {
	stays := make(map[chainhash.Hash]bool, len(txs))
	for _, t := range txs {
		stays[t.ID.TxID] = true
	}
	for txid, e := range l.byTxID { //tidy:order each is taken out by itself
		if !stays[txid] {
			l.remove(e.id)
		}
	}
}

// find returns the transaction with a name, or nil.
func (l *pool) find(name peer.TxName) *pooled {
	if e := l.byTxID[name.Hash]; e != nil && (!name.WTxID || e.id.WTxID == e.id.TxID) {
		return e
	}
	if name.WTxID {
		return l.byWTxID[name.Hash]
	}
	return nil
}

func (l *pool) check() error {
	witness := 0
	for _, e := range l.byTxID { //tidy:order each is looked at by itself
		if e.id.WTxID != e.id.TxID {
			witness++
		}
		if l.byNumber[e.number] != e || e.number >= l.next {
			return fmt.Errorf("transaction %v of the pool cannot be found by its number", e.id.TxID)
		}
		if l.find(peer.TxName{Hash: e.id.WTxID, WTxID: true}) != e {
			return fmt.Errorf("transaction %v of the pool cannot be found by its wtxid", e.id.TxID)
		}
	}
	switch {
	case len(l.byTxID) > l.max:
		return fmt.Errorf("%d transactions of the pool are remembered, at most %d may", len(l.byTxID), l.max)
	case witness != len(l.byWTxID) || len(l.byTxID) != len(l.byNumber):
		return fmt.Errorf("%d transactions of the pool, %d of them with witness data, and %d wtxids and %d numbers",
			len(l.byTxID), witness, len(l.byWTxID), len(l.byNumber))
	}
	return nil
}

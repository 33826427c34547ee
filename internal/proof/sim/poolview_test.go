package sim_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
	"acyclic/internal/proof/sim/fake"
)

// poolView is the pool as a subscriber of chain's Txs knows it. When it is told that it has
// missed events, it asks for the whole pool, as relay does.
type poolView struct {
	ask    actor.Port[chain.GetPool, chain.Pool]
	accuse func(error)

	there    map[chainhash.Hash]bool
	left     map[chainhash.Hash]bool // what has ever been removed
	reasons  map[chain.Removal]int
	accepted int
	lagged   int
	behind   bool            // the whole pool is to be asked for
	asking   bool            // and has been
	since    []chain.TxEvent // what came meanwhile, to be applied to the answer
}

func newPoolView(p *actor.Ports) poolView {
	return poolView{
		ask:   actor.Connect[chain.GetPool](p, "payer.pool", node.ToReaders, 1, time.Minute),
		there: map[chainhash.Hash]bool{}, left: map[chainhash.Hash]bool{}, reasons: map[chain.Removal]int{},
	}
}

// hear takes in an event, or the whole pool.
func (w *poolView) hear(in actor.Input) {
	switch e := in.Body.(type) {
	case actor.Lagged:
		w.lagged++
		w.behind = true
	case chain.TxEvent:
		w.apply(e)
		if w.asking {
			w.since = append(w.since, e)
		}
	case chain.Pool:
		w.whole(e, in.Err)
	}
}

func (w *poolView) apply(e chain.TxEvent) {
	switch e := e.(type) {
	case chain.TxAccepted:
		for _, t := range e.Txs {
			if w.accepted++; w.there[t.ID.TxID] && w.lagged == 0 {
				w.accuse(fmt.Errorf("%v is accepted, and was there", t.ID.TxID))
			}
			w.there[t.ID.TxID] = true
		}
	case chain.TxRemoved:
		for _, id := range e.Txs {
			if w.reasons[e.Reason]++; !w.there[id.TxID] && w.lagged == 0 {
				w.accuse(fmt.Errorf("%v is removed (%v), and was not there", id.TxID, e.Reason))
			}
			delete(w.there, id.TxID)
			w.left[id.TxID] = true
		}
	}
}

// resync asks for the whole pool if events were missed.
func (w *poolView) resync(out *actor.Outbox) {
	if w.behind && !w.asking {
		if _, ok := w.ask.Ask(out, 0, chain.GetPool{}); ok {
			w.asking, w.behind, w.since = true, false, nil
		}
	}
}

func (w *poolView) whole(p chain.Pool, err error) {
	w.asking = false
	if err != nil {
		w.behind = true
		return
	}
	clear(w.there)
	for _, t := range p.Txs {
		w.there[t.ID.TxID] = true
	}
	for _, e := range w.since {
		w.apply(e)
	}
	w.since = nil
}

// agrees says whether the subscriber knows the pool, and whether each transaction that the
// pool has taken is still there, is in a block, or was said to have left. Who has missed
// events cannot tell the last.
func (w *poolView) agrees(s *fake.Store, took []chainhash.Hash, missed bool) error {
	var there []chainhash.Hash
	for txid := range w.there {
		there = append(there, txid)
	}
	pooled := s.Pooled()
	slices.SortFunc(there, func(a, b chainhash.Hash) int { return slices.Compare(a[:], b[:]) })
	if !slices.Equal(there, pooled) {
		return fmt.Errorf("%d transactions are heard of, the pool has %d", len(there), len(pooled))
	}
	for _, txid := range took {
		if !w.there[txid] && !w.left[txid] && w.lagged == 0 && !missed && !s.Confirmed(txid) {
			return fmt.Errorf("%v was taken, and is nowhere", txid)
		}
	}
	return nil
}

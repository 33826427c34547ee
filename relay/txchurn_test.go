package relay

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// filters are the lists of the rolling filters. They have a fixed size from the first entry
// on.
var filters = map[string]string{
	"transactions.confirmed.words": "a filter, of one size from the first entry on",
	"transactions.rejected.words":  "a filter, likewise",
}

// TestTransactionsThatGoLeaveNothing: peers announce transactions, deliver some, ask for
// others, and go. The pool takes them and gives them up again.
func TestTransactionsThatGoLeaveNothing(t *testing.T) {
	r := txRig(t)
	next := alice
	n := uint32(0)
	r.Churn(func(round int) {
		first := next
		for i := range 8 {
			r.Give(peer.Ready{Peer: next, WTxIDs: i%2 == 0, Inbound: i%3 == 0, Protocol: wire.FeeFilterVersion})
			next++
		}
		var came chain.TxAccepted
		var went []chain.TxID
		for range 12 {
			n++
			tx, id := aTx(n)
			for from := first; from < next; from += 2 {
				announce(r, from, id)
			}
			deliver(r, first+actor.ID(n%8), tx)
			came.Txs = append(came.Txs, pooledTx(r, id, first))
			went = append(went, id)
		}
		r.Give(came)
		r.Give(actor.Lagged{Topic: topics.Txs.ID, N: 1})
		judgeAll(r)
		r.Advance(20 * time.Second)
		r.Give(peer.DataWanted{Peer: first + 1, Items: items(wire.InvTypeTx, 0, 5)})
		r.Give(peer.DataWanted{Peer: first + 3, Items: []wire.InvVect{{Type: wire.InvTypeTx, Hash: went[0].TxID}}})
		inform(r)
		r.EndAll(actor.ErrBusy, actor.ErrTimeout, actor.ErrGone)
		r.Advance(time.Second)
		r.Give(chain.TxRemoved{Reason: chain.RemovedEvicted, Txs: went[:6]})
		r.Give(chain.TxConfirmed{Txs: went[6:]})
		for id := first; id < next; id++ {
			r.Give(peer.Gone{Peer: id})
		}
		for range 3 {
			inform(r)
			r.EndAll(actor.ErrGone, actor.ErrTimeout)
			r.Advance(time.Hour) // orphans are forgotten
		}
	}, filters)
}

// judgeAll ends what chain was offered: one in three is an orphan, one was rejected.
func judgeAll(r *steptest.Rig) {
	for i := 0; ; i++ {
		var open []actor.Effect
		for _, e := range r.Pending() {
			if _, is := e.Body.(chain.SubmitTx); is && r.Waits(steptest.AskedBy(e)) {
				open = append(open, e)
			}
		}
		if len(open) == 0 {
			return
		}
		for _, e := range open {
			id := e.Body.(chain.SubmitTx).ID
			v := chain.TxVerdict{ID: id, Code: []chain.TxCode{chain.TxOK, chain.TxOrphan, chain.TxPolicy}[i%3]}
			if v.Code == chain.TxOrphan {
				v.Missing = []chainhash.Hash{number(i + 1<<20)}
			}
			r.Reply(steptest.AskedBy(e), v)
		}
	}
}

// inform answers what relay asks of the pool.
func inform(r *steptest.Rig) {
	for _, e := range r.Pending() {
		a := steptest.AskedBy(e)
		switch e.Body.(type) {
		case chain.GetPool:
			if r.Waits(a) {
				r.Reply(a, chain.Pool{})
			}
		case chain.GetPoolInfo:
			if r.Waits(a) {
				r.Reply(a, chain.PoolInfo{MinFee: 1000, MinRelayFee: 1000})
			}
		}
	}
}

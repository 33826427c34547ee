package pool

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What RPC sends is ours, also what the pool has already, from a peer or with other witness
// data. It is told once more then, and nothing else changes.
func TestWhatRPCSendsIsOurs(t *testing.T) {
	r := newRig(t, Config{})
	coins := r.coins(2, 1_000_000)
	first, theirs := spend(1000, 1, coins[0]), spend(1000, 1, coins[1])
	other := theirs.Copy()
	other.TxIn[0].Witness = wire.TxWitness{{1}, opener}
	ours := func(tx *wire.MsgTx) bool {
		list := r.pool.Tx(chain.GetPoolTx{TxID: tx.TxHash()})
		entry := r.pool.Entries(chain.GetPoolEntries{TxID: tx.TxHash()}).Entries[0]
		named := false
		for _, x := range r.pool.List().Txs {
			named = named || x.ID.TxID == tx.TxHash() && x.Ours
		}
		if list.Ours != named || entry.Ours != named {
			t.Errorf("%s: the readers do not agree", name(tx))
		}
		return named
	}
	r.offer(Offer{Tx: first, Ours: true})
	r.offer(Offer{Tx: theirs, Source: alice})
	if a, b := r.events[0].(chain.TxAccepted), r.events[1].(chain.TxAccepted); !a.Txs[0].Ours || b.Txs[0].Ours {
		t.Errorf("told %+v and %+v", a, b)
	}
	r.events = nil
	for _, o := range []Offer{{Tx: theirs, Source: bob}, {Tx: theirs, Ours: true, Test: true}, {Tx: first}} {
		r.offer(o)
	}
	if len(r.events) > 0 || ours(theirs) || !ours(first) {
		t.Errorf("nobody has sent one of them again: %v", r.take())
	}
	for i, tx := range []*wire.MsgTx{theirs, other, first} {
		before := r.pool.Info()
		v := r.offer(Offer{Tx: tx, Ours: true})
		e, is := r.events[i].(chain.TxResent)
		if v.Code == chain.TxOK || !is || len(r.events) != i+1 || !e.Tx.Ours || e.Tx.ID.TxID != tx.TxHash() || r.pool.Info() != before {
			t.Errorf("sent again: %+v, and told %+v", v, r.events)
		}
	}
	if e := r.events[1].(chain.TxResent); e.Tx.ID != chain.NameOf(theirs) || !ours(theirs) {
		t.Errorf("what is announced is %+v, want that of the pool", e)
	}
	unknown := spend(1000, 1, coin{wire.OutPoint{Index: 9}, 5000})
	if v := r.offer(Offer{Tx: unknown, Ours: true}); v.Code != chain.TxOrphan || len(r.events) != 3 {
		t.Errorf("one that is not there: %+v, %v", v, r.events)
	}
}

// After a reorganisation what was ours is ours, and what a block gives back is not.
func TestOursAfterAReorganisation(t *testing.T) {
	r := newRig(t, Config{})
	parent := spend(1000, 1, r.coins(1, 1_000_000)...)
	child := spend(1000, 1, outputs(parent)...)
	r.block(parent)
	r.offer(Offer{Tx: child, Ours: true})
	r.reorg(1, nil, nil)
	list := r.pool.List().Txs
	if len(list) != 2 || list[0].Ours || !list[1].Ours {
		t.Errorf("%+v", list)
	}
}

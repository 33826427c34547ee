package relay

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/proof/steptest"
	"acyclic/peer"
)

// plainID names a transaction without witness data.
func plainID(n int) chain.TxID { return chain.TxID{TxID: number(n), WTxID: number(n)} }

// A txid is no wtxid. For a transaction without witness data they are the same hash.
func TestTheNamesOfThePool(t *testing.T) {
	l := newPool(2)
	witness := l.add(chain.PoolTx{ID: aPooledID(1), Fee: 1000, VSize: 250, Ancestors: 3})
	plain := l.add(chain.PoolTx{ID: plainID(2), Fee: 1000, VSize: 500})
	if witness.rate != 4000 || witness.size != 1000 || witness.ancestors != 3 || plain.number != witness.number+1 {
		t.Errorf("%+v is before %+v", witness, plain)
	}
	for _, c := range []struct {
		why  string
		name peer.TxName
		want *pooled
	}{
		{"by its txid", peer.TxName{Hash: aPooledID(1).TxID}, witness},
		{"by its wtxid", peer.TxName{Hash: aPooledID(1).WTxID, WTxID: true}, witness},
		{"a txid, said to be a wtxid", peer.TxName{Hash: aPooledID(1).TxID, WTxID: true}, nil},
		{"a wtxid, said to be a txid", peer.TxName{Hash: aPooledID(1).WTxID}, nil},
		{"no witness data, by txid", peer.TxName{Hash: number(2)}, plain},
		{"no witness data, by wtxid", peer.TxName{Hash: number(2), WTxID: true}, plain},
		{"another", peer.TxName{Hash: number(3)}, nil},
	} {
		if got := l.find(c.name); got != c.want {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
	if l.add(chain.PoolTx{ID: plainID(3)}) != nil || l.add(chain.PoolTx{ID: plainID(2)}) != plain {
		t.Error("two are all that there is room for, and what is there stays")
	}
	l.remove(plainID(2))
	if l.find(peer.TxName{Hash: number(2)}) != nil || l.add(chain.PoolTx{ID: plainID(3)}) == nil {
		t.Error("what has gone makes room")
	}
}

// While events are missed a transaction may go and come back with other witness data. The
// copy that has gone is not found any more, and takes no room.
func TestAnotherCopyTakesThePlaceOfTheOld(t *testing.T) {
	l := newPool(1)
	old, other := chain.TxID{TxID: number(1), WTxID: number(11)}, chain.TxID{TxID: number(1), WTxID: number(12)}
	first := l.add(chain.PoolTx{ID: old})
	e := l.add(chain.PoolTx{ID: other})
	if e == nil || e.id != other || e.number <= first.number {
		t.Fatalf("%+v", e)
	}
	if l.find(peer.TxName{Hash: old.WTxID, WTxID: true}) != nil || l.find(peer.TxName{Hash: other.WTxID, WTxID: true}) != e {
		t.Error("the old copy is found, or the new one is not")
	}
	if err := l.check(); err != nil {
		t.Error(err)
	}
}

// What is on the list stays, and what is excepted. Both are named by their txids.
func TestThePoolKeepsWhatIsListed(t *testing.T) {
	l := newPool(9)
	for n := range 3 {
		l.add(chain.PoolTx{ID: aPooledID(n)})
		l.add(chain.PoolTx{ID: plainID(10 + n)})
	}
	l.keep([]chain.PoolTx{{ID: aPooledID(1)}, {ID: plainID(11)}}, map[chainhash.Hash]struct{}{number(2): {}, number(12): {}})
	for n, want := range map[int]bool{0: false, 10: false, 1: true, 11: true, 2: true, 12: true} {
		if got := l.find(peer.TxName{Hash: number(n)}) != nil; got != want {
			t.Errorf("transaction %d is there: %v, want %v", n, got, want)
		}
	}
	if err := l.check(); err != nil {
		t.Error(err)
	}
}

// A pool that was large and is empty takes no memory. The numbers go on: old ones are on
// the queues of peers.
func TestL4AnEmptyPoolGivesItsMemoryBack(t *testing.T) {
	const many = 10_000
	l := newPool(many)
	left := steptest.Heap(func() any {
		for n := range many {
			l.add(chain.PoolTx{ID: aPooledID(n)})
		}
		for n := range many {
			l.remove(aPooledID(n))
		}
		return &l
	})
	if left > 10_000 {
		t.Errorf("%d bytes are left", left)
	}
	if e := l.add(chain.PoolTx{ID: plainID(1)}); e == nil || e.number != many {
		t.Errorf("%+v has the number of another", e)
	}
}

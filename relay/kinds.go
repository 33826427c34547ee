package relay

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/peer"
)

// kind is a kind of item that peers ask for with getdata.
type kind uint8

const (
	unserved kind = iota // not in the table: answered with notfound
	block
	tx
	numKinds = int(iota)
)

// kinds says how the items of each kind are served: which inventory vectors are of
// this kind, and which read brings such an item. startRead begins the read. The
// handler of its answer serves the item with take, or misses it. What is missed is
// answered with notfound, whatever its kind. Machine.served counts by kind.
//
// Peers also ask for filtered blocks (BIP37) and compact blocks (BIP152). We announce
// none of them, and they are not in the table.
var kinds = [numKinds]struct {
	types [3]wire.InvType // one may stand twice
	read  readKind
}{
	block: {[...]wire.InvType{wire.InvTypeBlock, wire.InvTypeWitnessBlock, wire.InvTypeWitnessBlock}, readBlock},
	tx:    {[...]wire.InvType{wire.InvTypeTx, wire.InvTypeWitnessTx, peer.InvTypeWTx}, readTxs},
}

func kindOf(v *want) kind {
	for k, row := range kinds {
		if slices.Contains(row.types[:], v.invType()) {
			return kind(k)
		}
	}
	return unserved
}

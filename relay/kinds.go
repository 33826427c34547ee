package relay

import (
	"slices"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
)

// kind is a kind of item that peers ask for with getdata.
type kind uint8

const (
	unserved kind = iota // not in the table: answered with notfound
	block
	numKinds = int(iota)
)

// kinds says how the items of each kind are served. The answer to a read comes as
// an input of its own type; its handler serves the item with take or miss. What a
// read does not find is answered with notfound, whatever its kind.
//
// Peers also ask for transactions, filtered blocks (BIP37) and compact blocks
// (BIP152). We announce none of them, and they are not in the table.
var kinds = [numKinds]struct {
	types []wire.InvType // the inventory vectors of this kind
	read  func(p *Ports, key uint64, v *wire.InvVect, out *actor.Outbox) (asked bool)
}{
	block: {
		types: []wire.InvType{wire.InvTypeBlock, wire.InvTypeWitnessBlock},
		read: func(p *Ports, key uint64, v *wire.InvVect, out *actor.Outbox) bool {
			_, ok := p.Block.Ask(out, key, chain.GetBlock{Hash: v.Hash, Witness: v.Type == wire.InvTypeWitnessBlock})
			return ok
		},
	},
}

func kindOf(v *wire.InvVect) kind {
	for k, row := range kinds {
		if slices.Contains(row.types, v.Type) {
			return kind(k)
		}
	}
	return unserved
}

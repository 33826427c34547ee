package sim_test

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/peer"
	"acyclic/relay"
	"acyclic/relay/track"
)

// The mutants of relay's transactions that take more than a line.

// notOurs makes transactions those of others.
func notOurs(txs []chain.PoolTx) []chain.PoolTx {
	txs = slices.Clone(txs)
	for i := range txs {
		txs[i].Ours = false
	}
	return txs
}

// deafLater makes a machine that loses some inputs if it is not the first of its cell.
func deafLater(meant func(actor.Input) bool) *mutant {
	later := false
	return &mutant{loses: func(in actor.Input) bool {
		if b, is := in.Body.(actor.Start); is {
			later = b.Generation > 0
		}
		return later && meant(in)
	}}
}

// firstAnnouncer makes a relay that hears of each transaction from one peer only.
func firstAnnouncer() *mutant {
	by := map[chainhash.Hash]actor.ID{}
	return hears(func(_ actor.Input, e *peer.TxsAnnounced) {
		e.Txs = slices.DeleteFunc(slices.Clone(e.Txs), func(name peer.TxName) bool {
			if by[name.Hash] == 0 {
				by[name.Hash] = e.Peer
			}
			return by[name.Hash] != e.Peer
		})
	})
}

// echo makes a relay that takes what comes of a peer for its own, and knows nothing of what
// peers know.
func echo() *mutant {
	x := hears(func(_ actor.Input, e *chain.TxAccepted) {
		e.Txs = slices.Clone(e.Txs)
		for i := range e.Txs {
			e.Txs[i].Source, e.Txs[i].Ours = 0, true
		}
	})
	x.after = func(in actor.Input, _ *actor.Outbox) {
		if is[peer.TxReceived](in) || is[peer.TxsAnnounced](in) {
			forgetKnown(x.Machine)
		}
	}
	return x
}

// forgetKnown clears what a relay knows of what its peers know.
func forgetKnown(m actor.Machine) {
	for peers := field(reflect.ValueOf(m.(*relay.Machine)), "peers"); peers.Len() > 0; peers = peers.Slice(1, peers.Len()) {
		field(field(peers.Index(0), "tells").Addr(), "known").Interface().(*track.Filter).Clear()
	}
}

// field reaches an unexported field of what p points to.
func field(p reflect.Value, name string) reflect.Value {
	f := p.Elem().FieldByName(name)
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

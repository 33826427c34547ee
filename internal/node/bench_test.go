package node

import (
	"bytes"
	"context"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"

	"acyclic/chain"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// BenchmarkWay is a transaction's way to chain, to a worker that answers at once, and
// back: what it costs that one transaction is at the worker at a time. Beside it, a
// signature.
func BenchmarkWay(b *testing.B) {
	b.Run("there and back", func(b *testing.B) {
		n := alone(&memory{}, func(_ context.Context, in actor.Input) any {
			if _, ok := in.Body.(chain.ApplyTx); ok {
				return chain.TxApplied{}
			}
			return chain.CaughtUp{}
		})
		n.Node.Start()
		var ports actor.Ports
		port, asker := ConnectLoader(&ports, n.Settings.Limits).Submit, n.Asker(Loader)
		q := chain.SubmitTx{Tx: txNumber(1)}
		for b.Loop() {
			if _, err := adapter.Ask(b.Context(), asker, port, q); err != nil {
				b.Fatal(err)
			}
		}
		if err := n.Node.Stop(n.Settings.Limits.StopWithin); err != nil {
			b.Error(err)
		}
	})
	b.Run("signature", func(b *testing.B) {
		key, public := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
		hash := chainhash.HashB(nil)
		signature := ecdsa.Sign(key, hash)
		for b.Loop() {
			if !signature.Verify(hash, public) {
				b.Fatal("it is not valid")
			}
		}
	})
}

package relay

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
)

func TestKnownForgetsTheOldest(t *testing.T) {
	k := newKnown(3)
	for i := range byte(9) {
		k.add(chainhash.Hash{i}, i%2 == 0)
		k.add(chainhash.Hash{i}, false)
	}
	for i := range byte(9) {
		h := chainhash.Hash{i}
		if k.contains(h) != (i >= 6) || k.hasHeader(h) != (i >= 6 && i%2 == 0) {
			t.Errorf("%d: contains %v, has header %v", i, k.contains(h), k.hasHeader(h))
		}
	}
}

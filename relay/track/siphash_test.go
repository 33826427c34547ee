package track

import (
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// The first result is the 40th vector of the reference implementation. The others were
// made by another implementation.
func TestSipHash(t *testing.T) {
	key := [2]uint64{0x0706050403020100, 0x0f0e0d0c0b0a0908}
	for _, c := range []struct {
		times int
		extra uint64
		want  uint64
	}{
		{1, 0x2726252423222120, 0x0e3ea96b5304a7d0},
		{1, 7, 0x06ba77c37e72629b},
		{2, 1<<40 + 7, 0xe40e0afaf2019931},
		{3, 2<<40 + 7, 0xdb1e57584da22cf2},
	} {
		var h chainhash.Hash
		for i := range h {
			h[i] = byte(i * c.times)
		}
		if got := sipHash(key, &h, c.extra); got != c.want {
			t.Errorf("the hash of %v and %d is %#x, want %#x", h, c.extra, got, c.want)
		}
	}
}

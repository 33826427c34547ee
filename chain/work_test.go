package chain

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

var limit = new(big.Int).Lsh(big.NewInt(1), 128)

func draw(t *rapid.T, label string) Work {
	return Work{Hi: rapid.Uint64().Draw(t, label+".hi"), Lo: rapid.Uint64().Draw(t, label+".lo")}
}

// big.Int is the oracle; sums stop at the end of the range.
func TestAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		if got := WorkFromBig(a.Big()); got != a {
			t.Fatalf("there and back: %v became %v", a, got)
		}
		if got, want := a.Cmp(b), a.Big().Cmp(b.Big()); got != want {
			t.Fatalf("cmp: %d, want %d", got, want)
		}
		sum := new(big.Int).Add(a.Big(), b.Big())
		if sum.Cmp(limit) >= 0 {
			sum.Sub(limit, big.NewInt(1))
		}
		if got := a.Add(b).Big(); got.Cmp(sum) != 0 {
			t.Fatalf("add: %v, want %v", got, sum)
		}
	})
}

func TestEnds(t *testing.T) {
	if WorkFromBig(limit) != MaxWork || WorkFromBig(big.NewInt(-1)) != (Work{}) {
		t.Fatal("values out of range must stop at the ends")
	}
	if top := new(big.Int).Lsh(big.NewInt(1), 127); WorkFromBig(top) != (Work{Hi: 1 << 63}) {
		t.Fatal("the highest bit fits")
	}
}

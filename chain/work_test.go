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

// The high half counts first, and the low half only where the high halves are equal. A
// sum carries from one to the other.
func TestHalvesOfWork(t *testing.T) {
	const top = ^uint64(0)
	for _, c := range []struct {
		a, b Work
		cmp  int
		sum  Work
	}{
		{Work{1, 9}, Work{2, 3}, -1, Work{3, 12}},
		{Work{5, 3}, Work{5, 9}, -1, Work{10, 12}},
		{Work{5, 9}, Work{5, 3}, 1, Work{10, 12}},
		{Work{9, 5}, Work{3, 9}, 1, Work{12, 14}},
		{Work{3, 9}, Work{9, 3}, -1, Work{12, 12}},
		{Work{9, 3}, Work{9, 3}, 0, Work{18, 6}},
		{Work{4, top}, Work{6, 3}, -1, Work{11, 2}},
		{Work{top, 2}, Work{0, top}, 1, MaxWork},
		{Work{top, 2}, Work{7, 1}, 1, MaxWork},
	} {
		if got := c.a.Cmp(c.b); got != c.cmp {
			t.Errorf("%v to %v is %d, want %d", c.a, c.b, got, c.cmp)
		}
		if got, other := c.a.Add(c.b), c.b.Add(c.a); got != c.sum || other != c.sum {
			t.Errorf("%v and %v are %v, the other way round %v, want %v", c.a, c.b, got, other, c.sum)
		}
	}
}

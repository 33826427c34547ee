package track

import (
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"pgregory.net/rapid"

	"acyclic/internal/proof/steptest"
)

// dice is chance with a seed.
func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// hashes are n hashes of transactions from a number on.
func hashes(from, n int) (all []chainhash.Hash) {
	for i := range n {
		all = append(all, txHash(from+i))
	}
	return all
}

// The last Entries are remembered for certain, and nothing longer than half as many more,
// but for a false positive. These are more frequent in a filter of a few bits.
func TestFilterRemembersTheLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := FilterSize{Entries: rapid.IntRange(1, 100).Draw(t, "entries"), FalsePositives: 1e-6}
		f := NewFilter(size, [2]uint64{rapid.Uint64().Draw(t, "key")})
		wrong := 0
		for n := range rapid.IntRange(1, 600).Draw(t, "added") {
			f.Add(txHash(n))
			if err := f.Check(); err != nil {
				t.Fatal(err)
			}
			for back := range min(size.Entries, n+1) {
				if !f.Contains(txHash(n - back)) {
					t.Fatalf("%d was added %d ago and is forgotten", n-back, back)
				}
			}
			if old := n - 3*size.generation(); old >= 0 && f.Contains(txHash(old)) {
				wrong++
			}
		}
		if size.Entries >= 10 && wrong > 3 {
			t.Fatalf("%d of the old ones are remembered", wrong)
		}
	})
}

// A full filter is wrong as often as its size says, at worst. The control is one of a
// quarter of the memory.
func TestFilterIsSeldomWrong(t *testing.T) {
	wrong := func(size FilterSize, entries int) (n int) {
		f := NewFilter(size, [2]uint64{3, 4})
		for _, h := range hashes(0, entries) {
			f.Add(h)
		}
		for _, h := range hashes(1<<20, 200_000) {
			if f.Contains(h) {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		size FilterSize
		most int // of 200,000: what is to be expected, and five standard deviations
	}{
		{FilterSize{3_000, 1e-2}, 2_000 + 225},
		{FilterSize{3_000, 1e-3}, 200 + 71},
		{FilterSize{20_000, 1e-6}, 3},
	} {
		full := 3 * c.size.generation() // three full generations are the worst
		got := wrong(c.size, full)
		t.Logf("%+v: %d of 200,000 are wrong, in %d bytes", c.size, got, c.size.Bytes())
		if got > c.most {
			t.Errorf("%+v: %d of 200,000 are wrong, want at most %d", c.size, got, c.most)
		}
		small := FilterSize{c.size.Entries / 4, c.size.FalsePositives}
		f := NewFilter(small, [2]uint64{3, 4})
		f.size.Entries = c.size.Entries // counts as the large one does
		f.words = make([]uint64, 2*small.words())
		for _, h := range hashes(0, full) {
			f.Add(h)
		}
		n := 0
		for _, h := range hashes(1<<20, 200_000) {
			if f.Contains(h) {
				n++
			}
		}
		if n <= c.most {
			t.Errorf("a filter with a quarter of the memory is wrong only %d times", n)
		}
	}
}

// The sizes of the node's filters, in bytes. Core has 539 KB for each peer.
func TestL4FilterBytes(t *testing.T) {
	b := DefaultBounds()
	for name, c := range map[string]struct {
		size FilterSize
		want int
	}{
		"rejected":       {b.Rejected, 1_294_096},
		"confirmed":      {b.Confirmed, 517_696},
		"known":          {b.Known, 216_496},
		"known, in Core": {FilterSize{50_000, 1e-6}, 539_264},
	} {
		if got := c.size.Bytes(); got < c.want-1000 || got > c.want+1000 {
			t.Errorf("%s: %d bytes, want about %d", name, got, c.want)
		}
	}
}

// A filter has a place for each bit that it needs, be it ever so small, and counts all that
// it holds.
func TestL4TheSizeOfAFilter(t *testing.T) {
	tiny := NewFilter(FilterSize{1, 0.5}, [2]uint64{})
	if tiny.Add(txHash(1)); !tiny.Contains(txHash(1)) {
		t.Error("the smallest filter remembers nothing")
	}
	size := FilterSize{1, 1e-6}
	for size.words() < 32 { // 512 bytes, which the allocator does not round up
		size.Entries++
	}
	const many = 1000
	held := steptest.Heap(func() any {
		all := make([]*Filter, many)
		for i := range all {
			all[i] = NewFilter(size, [2]uint64{})
			all[i].Add(txHash(i))
		}
		return all
	})
	if counted := many * size.Bytes(); size.words() != 32 || held > counted || held < counted*9/10 {
		t.Errorf("%d filters of %d words hold %d bytes, counted are %d", many, size.words(), held, counted)
	}
}

// After Clear nothing is known, and chance begins anew.
func TestFilterClear(t *testing.T) {
	f := NewFilter(FilterSize{10, 1e-3}, [2]uint64{1, 2})
	if f.Contains(txHash(1)) {
		t.Error("an empty filter contains something")
	}
	f.Add(txHash(1))
	first, _ := f.start(&chainhash.Hash{})
	f.Clear()
	if again, _ := f.start(&chainhash.Hash{}); f.Contains(txHash(1)) || first == again || f.words != nil {
		t.Error("the filter is not as a new one with another key")
	}
}

func TestFilterCheckFindsDamage(t *testing.T) {
	for name, damage := range map[string]func(f *Filter){
		"a fourth generation": func(f *Filter) { f.generation = 4 },
		"too many entries":    func(f *Filter) { f.written = 99 },
		"memory lost":         func(f *Filter) { f.words = nil },
		"memory of a size":    func(f *Filter) { f.words = f.words[2:] },
	} {
		f := NewFilter(FilterSize{10, 1e-3}, [2]uint64{})
		f.Add(txHash(1))
		if err := f.Check(); err != nil {
			t.Fatal(err)
		}
		if damage(f); f.Check() == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	f, n := NewFilter(DefaultBounds().Rejected, [2]uint64{1, 2}), 0
	for b.Loop() {
		f.Add(txHash(n))
		f.Contains(txHash(n + 1))
		n++
	}
}

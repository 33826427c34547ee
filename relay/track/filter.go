package track

import (
	"errors"
	"math"
	"math/bits"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// FilterSize says how many entries a filter remembers at least, and with which
// probability it wrongly says that it has seen something.
type FilterSize struct {
	Entries        int
	FalsePositives float64
}

// hashes is how many bits an entry has.
func (s FilterSize) hashes() int { return max(1, int(math.Round(-math.Log2(s.FalsePositives)))) }

// generation is how many entries a generation has. Two full ones are what a filter
// remembers at least.
func (s FilterSize) generation() int { return (s.Entries + 1) / 2 }

// words is how many pairs of 64 bits a filter needs for three generations.
func (s FilterSize) words() int {
	k := float64(s.hashes())
	bits := -k * float64(3*s.generation()) / math.Log1p(-math.Exp(math.Log(s.FalsePositives)/k))
	return int(bits)/64 + 1
}

// Bytes is what a filter holds.
func (s FilterSize) Bytes() int { return 16*s.words() + 96 }

// Filter remembers hashes, as Bitcoin Core's CRollingBloomFilter does. It contains the
// last Entries of them for certain, and up to half as many more. Of others it says with
// the probability FalsePositives that it contains them.
//
// Each place of the filter has two bits for the generation that wrote it last: 1, 2 or
// 3, or 0 for none. When a generation is full, the oldest one is wiped and the next one
// begins.
type Filter struct {
	size FilterSize
	key  [2]uint64
	// low and high have the two bits of 64 places in a pair of words, one after the
	// other. It is nil until something is added.
	words      []uint64
	generation uint8 // 1, 2 or 3: the one that is being written
	written    int   // entries of this generation
}

// NewFilter returns an empty filter. The key must be random and secret, or others could
// choose hashes that it takes for one another. A filter takes its memory when something
// is added.
func NewFilter(s FilterSize, key [2]uint64) *Filter { return &Filter{size: s, key: key, generation: 1} }

// Add adds a hash. If it was there, it is remembered for longer.
func (f *Filter) Add(h chainhash.Hash) {
	if f.words == nil {
		f.words = make([]uint64, 2*f.size.words())
	}
	if f.written == f.size.generation() {
		f.turn()
	}
	f.written++
	low, high := uint64(f.generation&1), uint64(f.generation>>1)
	one, step := f.start(&h)
	for range f.size.hashes() {
		word, bit := f.place(one)
		f.words[word] = f.words[word]&^(1<<bit) | low<<bit
		f.words[word+1] = f.words[word+1]&^(1<<bit) | high<<bit
		one += step
	}
}

// turn begins the next generation in place of the oldest one.
func (f *Filter) turn() {
	f.generation = f.generation%3 + 1
	f.written = 0
	low, high := -uint64(f.generation&1), -uint64(f.generation>>1)
	for i := 0; i < len(f.words); i += 2 {
		keep := (f.words[i] ^ low) | (f.words[i+1] ^ high) // places of other generations
		f.words[i] &= keep
		f.words[i+1] &= keep
	}
}

// Contains says whether a hash was added, as far as the filter knows.
func (f *Filter) Contains(h chainhash.Hash) bool {
	if f.words == nil {
		return false
	}
	one, step := f.start(&h)
	for range f.size.hashes() {
		word, bit := f.place(one)
		if (f.words[word]|f.words[word+1])>>bit&1 == 0 {
			return false
		}
		one += step
	}
	return true
}

// Clear forgets everything and gives the memory back. What was wrongly contained before
// is so afterwards by a chance of its own.
func (f *Filter) Clear() {
	f.words, f.generation, f.written = nil, 1, 0
	f.key[0]++
}

// start begins the sequence of an entry's places: each is a fixed step from the last.
func (f *Filter) start(h *chainhash.Hash) (first, step uint64) {
	return sipHash(f.key, h, 0), sipHash(f.key, h, 1) | 1
}

// place is the pair of words and the bit in them that a number stands for. The number's
// upper bits choose the words, for all words are as likely then.
func (f *Filter) place(n uint64) (word int, bit uint) {
	pair, rest := bits.Mul64(n, uint64(len(f.words)/2))
	return int(2 * pair), uint(rest >> 58)
}

// Check returns an error if the filter's state makes no sense.
func (f *Filter) Check() error {
	switch {
	case f.generation < 1 || f.generation > 3:
		return errors.New("the filter's generation is none of three")
	case f.written > f.size.generation():
		return errors.New("the filter's generation has too many entries")
	case f.words == nil && (f.written > 0 || f.generation > 1):
		return errors.New("the filter has entries and no memory")
	case f.words != nil && len(f.words) != 2*f.size.words():
		return errors.New("the filter's memory has another size")
	}
	return nil
}

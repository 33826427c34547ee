package track

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/btcsuite/btcd/btcutil/v2"
)

// MaxFeeRate is a fee rate that no transaction pays, in satoshi per 1,000 virtual bytes: a
// node that is catching up has it, since it can use none (Core's MAX_MONEY).
const MaxFeeRate int64 = btcutil.MaxSatoshi

const (
	// maxRounded is the highest of the rounded rates (Core's MAX_FILTER_FEERATE).
	maxRounded = 1e7
	// spacing is the ratio of one rounded rate to the one below (Core's
	// FEE_FILTER_SPACING).
	spacing = 1.1
)

// FeeRounder rounds fee rates as Bitcoin Core's FeeFilterRounder does. The exact minimum
// fee of a pool would tell one node from another, and which of two addresses belong to
// the same.
type FeeRounder struct{ rates []int64 } // zero, and then each 1.1 times the one before

// NewFeeRounder returns a rounder whose lowest rate but zero is half of the incremental
// relay fee.
func NewFeeRounder(incremental int64) FeeRounder {
	rates := []int64{0}
	for rate := float64(max(1, incremental/2)); rate <= maxRounded; rate *= spacing {
		if int64(rate) > rates[len(rates)-1] {
			rates = append(rates, int64(rate))
		}
	}
	return FeeRounder{rates}
}

func (f FeeRounder) highest() int64 { return f.rates[len(f.rates)-1] }

// Round returns a rounded rate: in two of three cases the next lower one, and otherwise
// the next higher one. The highest one is also that for all rates above.
func (f FeeRounder) Round(rng *rand.Rand, rate int64) int64 {
	i, _ := slices.BinarySearch(f.rates, rate)
	if i == len(f.rates) || i > 0 && rng.Uint32N(3) != 0 {
		i--
	}
	return f.rates[i]
}

// FeeFilter says when a peer is told which fee rate is the least that is of use to us, and
// which it is told (BIP133). That is at random times, so that the rates that several
// nodes tell do not change at the same moment. If the rate has changed by much, that is
// sooner: a quarter down, for transactions are missed, or a third up, for what is sent
// is thrown away.
//
// The zero value is for a peer that was told nothing yet. It is told at once.
type FeeFilter struct {
	told int64     // the last rate; no filter is zero
	none bool      // that was because no transaction was of use
	next time.Time // when it is told again, if there is something new
}

// Advance returns the rate that the peer is to be told now, if it is to be told one. Rate
// is the least that the pool takes now, or MaxFeeRate if no transaction is of use. Least
// is the least that it takes ever. When transactions become of use, that is said at once.
func (f *FeeFilter) Advance(now time.Time, rng *rand.Rand, b Bounds, round FeeRounder, rate, least int64) (filter int64, send bool) {
	none := rate >= MaxFeeRate
	if f.next.After(now) && (none || !f.none) {
		told := min(rate, round.highest())
		much := told < 3*f.told/4 || told > 4*f.told/3
		if much && f.next.After(now.Add(b.FeeFilterHurry)) {
			f.next = now.Add(time.Duration(rng.Int64N(int64(b.FeeFilterHurry))))
		}
		return 0, false
	}
	f.next = now.Add(Poisson(rng, b.FeeFilterInterval))
	filter = max(round.Round(rng, rate), least)
	send = filter != f.told
	f.told, f.none = filter, none
	return filter, send
}

// Deadline is when Advance may have something to say.
func (f *FeeFilter) Deadline() time.Time { return f.next }

// Check returns an error if the filter makes no sense.
func (f *FeeFilter) Check() error {
	if f.told < 0 || f.next.IsZero() && f.told > 0 {
		return fmt.Errorf("a peer was told the fee rate %d, and is told again at %v", f.told, f.next.UTC())
	}
	return nil
}

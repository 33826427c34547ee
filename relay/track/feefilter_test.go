package track

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Rates are zero, half of the incremental fee, and each further one a tenth more, up to
// ten million.
func TestFeeRounderRates(t *testing.T) {
	f := NewFeeRounder(1000)
	if got := f.rates[:5]; !slices.Equal(got, []int64{0, 500, 550, 605, 665}) {
		t.Errorf("the lowest rates are %v", got)
	}
	if high := f.highest(); high > maxRounded || float64(high)*spacing < maxRounded {
		t.Errorf("the highest rate is %d", high)
	}
	if low := NewFeeRounder(0).rates; !slices.Equal(low[:4], []int64{0, 1, 2, 3}) {
		t.Errorf("without an incremental fee the lowest rates are %v", low[:4])
	}
}

// A rate between two becomes the lower one in two of three cases.
func TestFeeRounderRoundsByChance(t *testing.T) {
	f, rng := NewFeeRounder(1000), dice(5)
	const n = 30_000
	for _, c := range []struct {
		why       string
		rate      int64
		low, high int64
		lower     int // of n
	}{
		{"between two", 600, 550, 605, n * 2 / 3},
		{"equal to one: as if between it and the one below", 605, 550, 605, n * 2 / 3},
		{"below all", 1, 0, 500, n * 2 / 3},
		{"zero stays", 0, 0, 0, n},
		{"above all there is only the highest", MaxFeeRate, f.highest(), 0, n},
	} {
		lower := 0
		for range n {
			switch got := f.Round(rng, c.rate); got {
			case c.low:
				lower++
			case c.high:
			default:
				t.Fatalf("%s: %d becomes %d", c.why, c.rate, got)
			}
		}
		if lower < c.lower-500 || lower > c.lower+500 { // six standard deviations
			t.Errorf("%s: %d becomes the lower one in %d of %d cases, want %d", c.why, c.rate, lower, n, c.lower)
		}
	}
}

// told is a filter that has told a rate, and must not tell again for half an hour.
func told(rate int64, none bool) FeeFilter {
	return FeeFilter{told: rate, none: none, next: start.Add(30 * time.Minute)}
}

func TestWhenAFeeFilterIsSent(t *testing.T) {
	b, round := DefaultBounds(), NewFeeRounder(1000)
	for _, c := range []struct {
		why  string
		f    FeeFilter
		rate int64
		send bool          // now
		wait time.Duration // at most, otherwise
	}{
		{"a new peer is told at once", FeeFilter{}, 5000, true, 0},
		{"zero is what a peer takes for granted", FeeFilter{}, 0, false, 0},
		{"the rate is as it was", told(4000, false), 4000, false, 30 * time.Minute},
		{"a quarter less is not more than a quarter", told(4000, false), 3000, false, 30 * time.Minute},
		{"more than a quarter less: transactions are missed", told(4000, false), 2999, false, b.FeeFilterHurry},
		{"a third more is not more than a third", told(3000, false), 4000, false, 30 * time.Minute},
		{"more than a third more: what comes is thrown away", told(3000, false), 4001, false, b.FeeFilterHurry},
		{"we have caught up, and want transactions at once", told(round.highest(), true), 1000, true, 0},
		{"its time has come", FeeFilter{told: 4000, next: start}, 1000, true, 0},
		{"we are still catching up", told(round.highest(), true), MaxFeeRate, false, 30 * time.Minute},
	} {
		for seed := range uint64(50) {
			f, rng := c.f, dice(seed)
			_, send := f.Advance(start, rng, b, round, c.rate, 0)
			if wait := f.Deadline().Sub(start); send != c.send || c.wait > 0 && (wait < 0 || wait > c.wait) ||
				c.wait > b.FeeFilterHurry && wait != c.wait {
				t.Errorf("sent %v, the next after %v: %s", send, wait, c.why)
			}
			if at := f.Deadline(); c.wait == b.FeeFilterHurry {
				if f.Advance(start, rng, b, round, c.rate, 0); f.Deadline() != at {
					t.Error("the time is chosen again")
				}
			}
			if err := f.Check(); err != nil {
				t.Error(err)
			}
		}
	}
}

// The time of the next feefilter is chance: in mean FeeFilterInterval, and when much has
// changed at any time of FeeFilterHurry. A time within that stays.
func TestL10WhenAFeeFilterIsSentNext(t *testing.T) {
	b, round := DefaultBounds(), NewFeeRounder(1000)
	const n = 5000
	var sum time.Duration
	late := 0
	for seed := range uint64(n) {
		f, g := FeeFilter{}, told(4000, false)
		f.Advance(start, dice(seed), b, round, 5000, 0)
		sum += f.Deadline().Sub(start)
		g.Advance(start, dice(seed), b, round, 1000, 0)
		if g.Deadline().After(start.Add(b.FeeFilterHurry / 2)) {
			late++
		}
	}
	if mean := sum / n; mean < b.FeeFilterInterval*92/100 || mean > b.FeeFilterInterval*108/100 { // over five standard deviations
		t.Errorf("the next one comes after %v in mean, want %v", mean, b.FeeFilterInterval)
	}
	if late < n/2-200 || late > n/2+200 { // likewise
		t.Errorf("%d of %d come in the second half", late, n)
	}
	f := FeeFilter{told: 4000, next: start.Add(b.FeeFilterHurry)}
	if f.Advance(start, dice(1), b, round, 1000, 0); !f.Deadline().Equal(start.Add(b.FeeFilterHurry)) {
		t.Errorf("the time was soon enough, and is %v now", f.Deadline())
	}
}

// Less than the least that is ever taken is not told. While a node is catching up it tells
// the highest rate.
func TestWhatAFeeFilterSays(t *testing.T) {
	b, round := DefaultBounds(), NewFeeRounder(1000)
	var f FeeFilter
	if got, send := f.Advance(start, dice(1), b, round, 0, 1000); got != 1000 || !send {
		t.Errorf("told %d, %v: want the least rate", got, send)
	}
	var g FeeFilter
	if got, send := g.Advance(start, dice(1), b, round, MaxFeeRate, 1000); got != round.highest() || !send {
		t.Errorf("told %d, %v: want the highest rate", got, send)
	}
}

// Whatever the rate does: after five minutes a peer has been told of a large change,
// nothing is said twice in a row, and time alone changes nothing before the deadline.
func TestL9AFeeFilterFollowsTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, round, rng := DefaultBounds(), NewFeeRounder(1000), dice(rapid.Uint64().Draw(t, "seed"))
		var f FeeFilter
		now, last := start, int64(0)
		for range 30 {
			rate := rapid.SampledFrom([]int64{0, 1000, 1200, 2000, 50_000, MaxFeeRate}).Draw(t, "rate")
			for until := now.Add(b.FeeFilterHurry); !now.After(until); {
				got, send := f.Advance(now, rng, b, round, rate, 1000)
				if send && got == last {
					t.Fatalf("%d is said twice", got)
				}
				if send {
					last = got
				}
				if d := f.Deadline(); d.After(now) {
					early := f
					if _, send := early.Advance(d.Add(-1), dice(1), b, round, rate, 1000); send {
						t.Fatal("something is said before the deadline")
					}
				}
				now = now.Add(10 * time.Second)
			}
			want := max(min(rate, round.highest()), 1000)
			if last < want*3/4-want/10 || last > want*4/3+want/5 {
				t.Fatalf("the rate is %d for five minutes, and the peer was told %d", rate, last)
			}
		}
	})
}

func TestFeeFilterCheckFindsDamage(t *testing.T) {
	for _, f := range []FeeFilter{{told: -1}, {told: 1}} {
		if f.Check() == nil {
			t.Errorf("%+v is not found", f)
		}
	}
}

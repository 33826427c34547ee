package track

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Times between events are mean in mean, and without memory: e^-1 of them are longer
// than the mean, and e^-2 than twice the mean.
func TestPoisson(t *testing.T) {
	const n, mean = 100_000, 2 * time.Second
	rng := dice(7)
	var sum time.Duration
	longer, twice := 0.0, 0.0
	for range n {
		d := Poisson(rng, mean)
		if d < 0 {
			t.Fatal("time goes back")
		}
		sum += d
		if d > mean {
			longer++
		}
		if d > 2*mean {
			twice++
		}
	}
	for what, c := range map[string]struct{ got, want float64 }{
		"mean":          {float64(sum) / n / float64(mean), 1},
		"longer":        {longer / n, math.Exp(-1)},
		"twice as long": {twice / n, math.Exp(-2)},
	} {
		if math.Abs(c.got-c.want) > 0.016 { // five standard deviations of the mean
			t.Errorf("%s: %.4f, want %.4f", what, c.got, c.want)
		}
	}
}

// Peers that connected to us are told together, however many ask. Others are not.
func TestL10InboundPeersShareATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr, rng, now := NewTrickle(DefaultBounds()), dice(rapid.Uint64().Draw(t, "seed")), start
		for range 20 {
			first := tr.Next(now, rng, true)
			if !first.After(now) && first != now {
				t.Fatalf("at %v peers are told at %v", now, first)
			}
			other := tr.Next(now, rng, false)
			if again := tr.Next(now, rng, true); first.After(now) && again != first {
				t.Fatalf("two inbound peers are told at %v and %v", first, again)
			}
			if other.Before(now) || other == first && first != now {
				t.Fatalf("an outbound peer is told at %v, the inbound ones at %v", other, first)
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "s")) * time.Second)
		}
	})
}

// The means are 5 s and 2 s.
func TestTrickleMeans(t *testing.T) {
	b, rng := DefaultBounds(), dice(3)
	for _, inbound := range []bool{true, false} {
		tr, now := NewTrickle(b), start
		const rounds = 20_000
		for range rounds {
			now = tr.Next(now, rng, inbound)
		}
		want := b.TrickleOutbound
		if inbound {
			want = b.TrickleInbound
		}
		if got := now.Sub(start) / rounds; got < want*96/100 || got > want*104/100 {
			t.Errorf("inbound %v: told every %v, want %v", inbound, got, want)
		}
	}
}

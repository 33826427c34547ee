package netsync

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"acyclic/internal/proof/steptest"
)

func TestMeter(t *testing.T) {
	var m meter
	now := steptest.Epoch
	if m.rate(now) != 0 {
		t.Fatal("nothing happened")
	}
	for range 100 {
		m.add(now, 7)
		now = now.Add(time.Second)
	}
	if got := m.rate(now.Add(-time.Second)); got != 7 {
		t.Fatalf("7 a second are %v a second", got)
	}
	if got := m.rate(now.Add(14 * time.Second)); got != 3.5 {
		t.Fatalf("15 s of silence halve the rate over 30 s, not %v", got)
	}
	if got := m.rate(now.Add(time.Hour)); got != 0 {
		t.Fatalf("after an hour of silence: %v", got)
	}
}

// A rate is a number that can be shown, whatever the clock does.
func TestMeterWhenTheClockIsSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		var m meter
		now := steptest.Epoch
		for range 3600 {
			m.add(now, 1)
			now = now.Add(time.Second)
		}
		now = now.Add(-back)
		for range 100 {
			if got := m.rate(now); got < 0 || got > 1 {
				t.Fatalf("set back by %v: one a second are %v", back, got)
			}
			m.add(now, 1)
			now = now.Add(time.Second)
		}
		if got := m.rate(now.Add(-time.Second)); got != 1 {
			t.Fatalf("set back by %v: in the end one a second are %v", back, got)
		}
	}
	var m meter
	m.add(steptest.Epoch, 7)
	if got := m.rate(steptest.Epoch.Add(-time.Second)); got != 0 {
		t.Fatalf("7 events, and a second back: %v", got)
	}
}

// TestMeterAgainstList compares the ring with a list of all events.
func TestMeterAgainstList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m meter
		type ev struct {
			sec int64
			n   int
		}
		var all []ev
		now := steptest.Epoch
		var start time.Time
		sec := func() int64 { return int64(now.Sub(start) / time.Second) }
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			n := rapid.IntRange(0, 5).Draw(t, "n")
			m.add(now, n)
			if n > 0 {
				if len(all) == 0 {
					start = now
				}
				all = append(all, ev{sec(), n})
			}
			sum := 0
			for _, e := range all {
				if sec()-e.sec < meterSeconds {
					sum += e.n
				}
			}
			want := 0.0
			if len(all) > 0 {
				want = float64(sum) / float64(min(sec()+1, meterSeconds))
			}
			if got := m.rate(now); got != want {
				t.Fatalf("rate %v, want %v", got, want)
			}
		}
	})
}

func TestRateFollowsThePeer(t *testing.T) {
	var r rate
	if r.perBlock() != unmeasured {
		t.Fatal("a peer without history")
	}
	for range 1000 {
		r.add(10 * time.Millisecond)
	}
	if got := r.perBlock(); got < 9900*time.Microsecond || got > 10100*time.Microsecond {
		t.Fatalf("%v a block, want 10 ms", got)
	}
	if got := r.inFlight(); got < 199 || got > 201 {
		t.Fatalf("%d blocks in two seconds, want 200", got)
	}
	for range 60 {
		r.add(time.Second)
	}
	if got := r.inFlight(); got > 3 {
		t.Fatalf("%d blocks in two seconds after it has become slow", got)
	}
}

// The clock is set back by less than the meter has run: what it counted is gone, and
// what it counts from now on is not.
func TestAMeterBeginsAgain(t *testing.T) {
	var m meter
	now := steptest.Epoch
	for range 100 {
		m.add(now, 1)
		now = now.Add(time.Second)
	}
	now = now.Add(-50 * time.Second)
	m.add(now, 6)
	if got := m.rate(now); got != 6 {
		t.Errorf("6 in the first second are %v a second", got)
	}
	if got := m.rate(now.Add(2 * time.Second)); got != 2 {
		t.Errorf("6 in three seconds are %v a second", got)
	}
}

// The sums are halved once they stand for more than eight seconds, or for more than
// 4,096 blocks.
func TestMeasurementsFade(t *testing.T) {
	for _, c := range []struct {
		took  time.Duration
		times int
		want  rate
	}{
		{time.Second, 8, rate{8, 8}},
		{time.Second, 9, rate{4.5, 4.5}},
		{0, 4096, rate{4096, 0}},
		{0, 4097, rate{2048.5, 0}},
	} {
		var r rate
		for range c.times {
			r.add(c.took)
		}
		if r != c.want {
			t.Errorf("%d blocks, each in %v: %+v, want %+v", c.times, c.took, r, c.want)
		}
	}
}

// What a block costs is divided by, and a clock that is set back makes nobody quick.
func TestABlockCostsSomething(t *testing.T) {
	var r rate
	r.add(0)
	if got := r.perBlock(); got != quickest {
		t.Errorf("a block that took no time costs %v, want %v", got, quickest)
	}
	r.add(-time.Hour)
	r.add(3 * time.Second)
	if got := r.perBlock(); got != time.Second {
		t.Errorf("three blocks in three seconds cost %v each", got)
	}
	if got := (&rate{}).inFlight(); got != int(lookahead/unmeasured) {
		t.Errorf("a peer without history delivers %d blocks in the lookahead", got)
	}
}

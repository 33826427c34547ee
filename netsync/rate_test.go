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

package netsync

import (
	"testing"
	"time"

	"acyclic/internal/proof/steptest"
)

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

package report

import (
	"strings"
	"testing"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/storm"
)

// TestARunIsGoodOnlyIfItRelayed: each way to fail honest peers makes a run bad,
// and the verdict says which it was.
func TestARunIsGoodOnlyIfItRelayed(t *testing.T) {
	fine := func() *Run {
		return &Run{Ours: true, Stopped: true, Relayed: &storm.Relayed{Listeners: 3, Sent: 7}}
	}
	if r := fine(); !r.Good() || !strings.Contains(r.Verdict(), "all 7 transactions reached all 3 honest peers") {
		t.Errorf("%v: %s", r.Good(), r.Verdict())
	}
	for want, harm := range map[string]func(*Run){
		"1 of 21 transactions MISSING": func(r *Run) { r.Relayed.Missing = 1 },
		"1 announced and NOT served":   func(r *Run) { r.Relayed.Unserved = 1 },
		"1 served with ANOTHER":        func(r *Run) { r.Relayed.Wrong = 1 },
		"1 announced that NOBODY":      func(r *Run) { r.Relayed.Strange = 1 },
		"its pool was OVER its cap": func(r *Run) {
			r.Samples = []probe.Sample{{Pool: probe.Pool{Usage: 6, Cap: 5}}}
		},
	} {
		r := fine()
		harm(r)
		if r.Good() || !strings.Contains(r.Verdict(), want) {
			t.Errorf("%s: good is %v: %s", want, r.Good(), r.Verdict())
		}
	}
}

// TestFacts: what was measured before, during and after the storm is told apart.
func TestFacts(t *testing.T) {
	sample := func(at float64, rss int64, goroutines int, behind float64) probe.Sample {
		return probe.Sample{At: at, RSS: rss << 20, Goroutines: goroutines, Behind: behind, CPU: at,
			Pool: probe.Pool{Txs: goroutines, Usage: 4_000_000, Cap: 5_000_000, MinFee: 0.00012}}
	}
	r := &Run{
		StormFrom: 3, StormUntil: 5, LoadCPU: 2,
		Samples: []probe.Sample{sample(2, 50, 100, 0), sample(3.1, 80, 400, 0.4), sample(4.9, 70, 300, 0), sample(20, 60, 120, 0)},
		Delays:  []probe.Delay{{Method: "getpeerinfo", Asked: 60, Median: 0.002, P99: 0.031, Most: 0.04}},
		Relayed: &storm.Relayed{Kept: 9, Announced: 20, Confirmed: 10, Relay: storm.Spread{Median: 2.5, P99: 7, Most: 8}},
	}
	text := strings.Join(r.Facts(), "\n")
	for _, want := range []string{
		"20 announcements, 10 confirmed before one", "the 9 in no block: median 2.50 s, 99 % 7.00 s, most 8.00 s",
		"getpeerinfo from another process: median 2.0 ms, 99 % 31.0 ms, most 40 ms (60 asked, 0 unanswered)",
		"blocks behind for 0.4 s at most", "memory 50, 80, 60 MiB and goroutines 100, 400, 120 before, at the peak, after",
		"pool: 400 transactions at most, 120 at the end", "pool: 4.0 of 5.0 MB at most; lowest fee rate up to 12.00 sat/vB",
		"processor: 2 s node, 2 s load (53 % of both)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if facts := (&Run{}).Facts(); facts != nil {
		t.Errorf("of a run without samples: %q", facts)
	}
}

package report

import (
	"fmt"

	"acyclic/cmd/stormlab/storm"
)

// Overfull is true if the node's pool was ever over its cap, as it says itself.
func (r *Run) Overfull() bool {
	for _, s := range r.Samples {
		if s.Pool.Cap > 0 && s.Pool.Usage > s.Pool.Cap {
			return true
		}
	}
	return false
}

// relay is what the verdict says of transactions.
func (r *Run) relay() (parts []string) {
	if r.Overfull() {
		parts = append(parts, "its pool was OVER its cap")
	}
	s := r.Relayed
	if s == nil {
		return parts
	}
	if s.Missing == 0 {
		parts = append(parts, fmt.Sprintf("all %d transactions reached all %d honest peers", s.Sent, s.Listeners))
	} else {
		parts = append(parts, fmt.Sprintf("%d of %d transactions MISSING (all of %d honest peers)",
			s.Missing, s.Sent*int64(s.Listeners), s.Listeners))
	}
	for _, c := range []struct {
		n    int64
		what string
	}{
		{s.Unserved, "announced and NOT served"}, {s.Wrong, "served with ANOTHER witness"},
		{s.Strange, "announced that NOBODY had sent as valid"}, {s.Lost, "connections of honest peers ended"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return parts
}

// Facts are further figures of a run, for the page and for the table.
func (r *Run) Facts() (facts []string) {
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	if s := r.Relayed; s != nil {
		add("relayed: %d announcements, %d confirmed before one; from sending to the announcement of the %d in no block: %s",
			s.Announced, s.Confirmed, s.Kept, spread(s.Relay))
		add("from offering a block to its announcement: %s", spread(s.Blocks))
	}
	for _, d := range r.Delays {
		add("%s from another process: median %.1f ms, 99 %% %.1f ms, most %.0f ms (%d asked, %d unanswered)",
			d.Method, d.Median*1e3, d.P99*1e3, d.Most*1e3, d.Asked, d.Failed)
	}
	behind := 0.0
	var before, peak, after struct {
		rss        int64
		goroutines int
	}
	var pool, most int
	var usage, limit int64
	fee := 0.0
	for _, s := range r.Samples {
		if s.At <= r.StormFrom {
			before.rss, before.goroutines = s.RSS, s.Goroutines
		} else {
			behind = max(behind, s.Behind)
		}
		peak.rss, peak.goroutines = max(peak.rss, s.RSS), max(peak.goroutines, s.Goroutines)
		if s.RSS > 0 {
			after.rss, after.goroutines = s.RSS, s.Goroutines
		}
		pool, most = s.Pool.Txs, max(most, s.Pool.Txs)
		usage, limit, fee = max(usage, s.Pool.Usage), s.Pool.Cap, max(fee, s.Pool.MinFee)
	}
	if len(r.Samples) == 0 {
		return facts
	}
	add("blocks behind for %.1f s at most", behind)
	add("memory %d, %d, %d MiB and goroutines %d, %d, %d before, at the peak, after",
		before.rss>>20, peak.rss>>20, after.rss>>20, before.goroutines, peak.goroutines, after.goroutines)
	if most > 0 {
		add("pool: %d transactions at most, %d at the end", most, pool)
	}
	if limit > 0 {
		add("pool: %.1f of %.1f MB at most; lowest fee rate up to %.2f sat/vB",
			float64(usage)/1e6, float64(limit)/1e6, fee*1e5)
	}
	if cpu := r.CPU(); cpu > 0 && r.LoadCPU > 0 {
		add("processor: %.0f s node, %.0f s load (%.0f %% of both)", cpu, r.LoadCPU, 100*r.LoadCPU/(cpu+r.LoadCPU))
	}
	return facts
}

func spread(s storm.Spread) string {
	return fmt.Sprintf("median %.2f s, 99 %% %.2f s, most %.2f s", s.Median, s.P99, s.Most)
}

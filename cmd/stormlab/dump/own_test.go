package dump

import (
	"strings"
	"testing"
	"time"

	"acyclic/internal/adapters/watch"
)

// TestOwnReport reads what the node's watchdog writes.
func TestOwnReport(t *testing.T) {
	now := time.Now()
	well := watch.Report{At: now}.Text()
	ill := watch.Report{At: now, Stuck: []watch.Stall{
		{Name: "engine", Why: watch.Running, With: "chain.ApplyBlock", Since: now.Add(-time.Minute)},
		{Name: "chain", Why: watch.Queued, With: "netsync.Block", Lane: "requests", Since: now.Add(-time.Second)},
	}}.Text()
	for _, c := range []struct {
		why, text, want string
	}{
		{"nothing is stuck", well, "It reports nothing stuck; 0 of its components wait for another."},
		{"what is stuck is named", ill, "It reports as stuck: engine has been at work on chain.ApplyBlock for 1m0s; " +
			"chain has had netsync.Block in its requests lane for 1s; 0 of its components wait for another."},
		{"the last report counts", ill + "other output\n" + well, "It reports nothing stuck; 0 of its components wait for another."},
		{"half a report is none", ill[:strings.Index(ill, "wait edges")], ""},
		{"no report", "panic: oh", ""},
	} {
		got, ok := Own(c.text)
		if got.Sentence != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", c.why, got.Sentence, ok)
		}
	}
}

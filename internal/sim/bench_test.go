package sim_test

import "testing"

// A step is one input: taken, handled, its effects performed, the invariants of
// the machine and of its mailbox verified.
func BenchmarkWholeNodes(b *testing.B) {
	var steps uint64
	for seed := range uint64(b.N) {
		c, err := largeTown.run(seed, nil)
		if err != nil {
			b.Fatal(err)
		}
		steps += c.Steps
	}
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
}

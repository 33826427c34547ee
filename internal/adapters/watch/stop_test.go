package watch

import (
	"runtime/trace"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/proof/bubble"
)

// L8: a stop waits until the recording is written, and no longer than it is allowed to.
// The flight recorder is ended when nobody writes from it any more.
func TestL8StopWaitsForARecordingButNotForEver(t *testing.T) {
	const bound = time.Minute
	for _, c := range []struct {
		why           string
		writing, want time.Duration
		flies         bool // afterwards
	}{
		{"nothing is written", 0, 0, false},
		{"the disk is slow", time.Second, time.Second, false},
		{"the disk does not answer", time.Hour, bound, true},
	} {
		bubble.Run(t, func(t *testing.T) {
			w := New(Config{Bounds: Bounds{Every: 24 * time.Hour}})
			w.flight.rec = trace.NewFlightRecorder(trace.FlightRecorderConfig{})
			w.writes.Go(func() { time.Sleep(c.writing) })
			w.Start()
			start := time.Now()
			w.Stop(bound)
			if took := time.Since(start); took != c.want || (w.flight.rec != nil) != c.flies {
				t.Errorf("%s: the stop took %v, want %v; the flight recorder runs: %v", c.why, took, c.want, w.flight.rec != nil)
			}
			w.writes.Wait() // the disk answers in the end
			synctest.Wait()
		})
	}
}

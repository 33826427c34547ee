package engine

import (
	"sync"
	"time"
)

// Progress says how far Open or Close has come.
type Progress struct {
	Stage   string // "loading the block index", ...
	Done    int64  // of Total; headers
	Total   int64  // zero: not known
	Elapsed time.Duration
}

// often is how often progress is reported.
const often = time.Second

// report reports the progress of a stage at most once a second.
type report struct {
	to      func(Progress)
	stage   string
	started time.Time
	last    time.Time
}

func newReport(to func(Progress), stage string) *report {
	now := time.Now()
	return &report{to: to, stage: stage, started: now, last: now}
}

func (r *report) done(done, total int64) {
	if now := time.Now(); now.Sub(r.last) >= often {
		r.last = now
		r.to(Progress{Stage: r.stage, Done: done, Total: total, Elapsed: now.Sub(r.started)})
	}
}

// during runs f, a stage that btcd does not count, and reports that it is still
// at it.
//
// correctness: the goroutine ends with f; nothing waits for it but during, and
// it waits for nothing but the clock and the end of f.
func during(to func(Progress), stage string, f func() error) error {
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		r := newReport(to, stage)
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.done(0, 0)
			case <-over:
				return
			}
		}
	})
	defer wg.Wait()
	defer close(over)
	return f()
}

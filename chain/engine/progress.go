package engine

import (
	"sync"
	"time"
)

// Progress says how far Open or Close is.
type Progress struct {
	Stage   string // "loading the block index", ...
	Done    int64  // of Total; headers
	Total   int64  // zero: not known
	Elapsed time.Duration
}

// often is the time between two reports.
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

// during runs f and reports meanwhile that it is still at work.
//
// correctness: the goroutine waits for the clock and the end of f only. It ends
// with f, and only during waits for it.
func during(to func(Progress), stage string, f func() error) error {
	over := make(chan struct{})
	var wg sync.WaitGroup
	// goroutines: one while f runs.
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

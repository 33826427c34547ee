package watch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"

	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
)

// set is a time as it reads once the wall clock has been set forward, or back:
// its monotonic reading is what it was. The clock of a process under test cannot
// be set, and package time has no other way to make such a time.
func set(t time.Time, forward time.Duration) time.Time {
	type layout struct { // of time.Time
		wall uint64 // bits from 30 on: seconds
		ext  int64
		loc  *time.Location
	}
	was := t
	(*layout)(unsafe.Pointer(&t)).wall += uint64(forward/time.Second) << 30
	if t.Sub(was) != 0 || t.Round(0).Sub(was.Round(0)) != forward {
		panic("package time has changed")
	}
	return t
}

// A clock that is set, forward or back, for a while or for good, neither makes a
// stall nor hides one, whatever it consists of.
func TestL12ASetClockHidesNoStall(t *testing.T) {
	const tenDays = 10 * 24 * time.Hour
	const bound = 10*time.Minute + 30*time.Second
	for _, clock := range []struct {
		why      string
		by       time.Duration
		from, to time.Duration
	}{
		{"a clock that is right", 0, 0, 0},
		{"a clock that jumps ahead and is set right", tenDays, 3 * time.Minute, 5 * time.Minute},
		{"a clock that is set ahead", tenDays, 3 * time.Minute, time.Hour},
		{"a clock that is set back", -tenDays, 3 * time.Minute, time.Hour},
	} {
		for _, stall := range []struct {
			why    watch.Why
			bounds watch.Patience
			says   string
		}{
			{watch.Running, watch.Patience{Run: bound, Queue: time.Hour, Owe: time.Hour}, "worker has been at work on watch_test.Spin for 11m"},
			{watch.Queued, watch.Patience{Run: time.Hour, Queue: bound, Owe: time.Hour}, "worker has had watch_test.Ping in its questions lane for 11m"},
			{watch.Owing, watch.Patience{Run: time.Hour, Queue: time.Hour, Owe: bound - timeout}, "worker has owed the answer to watch_test.Spin for 11m"},
		} {
			t.Run(clock.why+", "+string(stall.why), func(t *testing.T) {
				cfg := bounds
				cfg.Cells, cfg.Every = stall.bounds, time.Minute
				release := make(chan struct{})
				r := newRig(t, cfg, func() { <-release }, answerWork)
				r.dog.Stop(time.Second) // from here on it looks when it is told
				var asked sync.WaitGroup
				defer func() {
					close(release)
					asked.Wait()
					if err := r.node.Stop(time.Second); err != nil {
						t.Error(err)
					}
				}()
				c := r.node.System().Lookup(worker)
				asked.Go(func() { adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{}) })
				until(func() bool { return len(c.Work(nil)) == 1 })
				asked.Go(func() { adapter.Ask(context.Background(), r.node.Asker(client+1), r.ports.ping[0], Ping{}) })
				until(func() bool { _, queued := c.Mail.Oldest(); return queued })

				start := time.Now()
				for at := time.Duration(0); at <= 11*time.Minute; at += cfg.Every {
					r.wantStuck(fmt.Sprintf("before its bound, at %v", at))
					now := start.Add(at)
					if clock.from <= at && at < clock.to {
						now = set(now, clock.by)
					}
					r.dog.Look(now)
				}
				r.wantStuck("after its bound", "worker")
				r.wantOne(actor.Warn, stall.says, "oldest[worker] watch_test.Ping for 11m", "client asked worker watch_test.Spin (client.spin) 11m")
			})
		}
	}
}

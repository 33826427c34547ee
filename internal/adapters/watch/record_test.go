package watch_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/proof/bubble"
)

// Stalls that come and go do not fill the log or the disk: one entry in a
// second, one recording in a minute, two recordings kept.
func TestL12TheWatchdogIsBrief(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		cfg := bounds
		cfg.Dir = t.TempDir()
		r := newRig(t, cfg, func() { time.Sleep(100 * time.Millisecond) }, answerWork)
		for range 20 * 60 * 3 {
			if _, err := adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if n := r.dog.Stalls(); n != 3600 {
			t.Errorf("%d stalls are counted, of 3600", n)
		}
		if n := len(r.entries(actor.Warn)); n < 100 || n > 541 {
			t.Errorf("%d entries in 540 seconds", n)
		}
		recorded := 0
		for _, e := range r.entries(actor.Info) {
			if strings.Contains(e, "the stall is recorded") {
				recorded++
			}
		}
		if recorded < 5 || recorded > 10 {
			t.Errorf("%d recordings in 9 minutes", recorded)
		}
		if files, _ := filepath.Glob(filepath.Join(cfg.Dir, "*")); len(files) != 2 {
			t.Errorf("kept are %v, want 2 files", files)
		}
		r.stop()
	})
}

// The flight recorder costs something: it runs while something is on its way to
// its bound, and for as long as it reaches back after that.
func TestL12TheFlightRecorderIsForSuspects(t *testing.T) {
	release := make(chan struct{})
	cfg := bounds
	cfg.Dir, cfg.TraceBytes, cfg.TraceAge = t.TempDir(), 1<<20, time.Minute
	cfg.Cells, cfg.Every = watch.Patience{Run: time.Hour, Queue: time.Hour, Owe: 10 * time.Hour}, time.Hour
	r := newRig(t, cfg, func() { <-release }, answerWork)
	r.dog.Stop(time.Second)
	start := time.Now()
	look := func(after time.Duration, want bool, why string) {
		t.Helper()
		if r.dog.Look(start.Add(after)); r.dog.Flies() != want {
			t.Errorf("%s: the flight recorder runs: %v", why, !want)
		}
	}
	look(0, false, "all is well")
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{})
	}()
	until(func() bool { return len(r.node.System().Lookup(worker).Work(nil)) > 0 })
	look(14*time.Minute, false, "a step has used less than a quarter of its time")
	look(16*time.Minute, true, "it has used more")
	close(release)
	<-asked
	until(func() bool { return len(r.node.System().Lookup(worker).Work(nil)) == 0 })
	look(16*time.Minute+30*time.Second, true, "it was suspect half a minute ago")
	r.dog.Recording(true)
	look(17*time.Minute+20*time.Second, true, "what it has recorded is being written")
	r.dog.Recording(false)
	look(17*time.Minute+30*time.Second, false, "nothing has been suspect for more than a minute")
	if err := r.node.Stop(time.Second); err != nil {
		t.Error(err)
	}
}

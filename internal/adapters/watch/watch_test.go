package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/proof/bubble"
)

// A call of an adapter that hangs, as an engine call might: the adapter is named
// within its own, longer bound, with the question, the stack of the worker, and
// the cell that waits for it. When the call returns, the log says so, once.
func TestL12AnAdapterThatHangsIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		r := newRig(t, bounds, nil, func(context.Context, actor.Input) any {
			hangInEngine(release)
			return Pong{}
		})
		go adapter.Ask(context.Background(), r.node.Asker(client), r.ports.work, Work{})
		time.Sleep(59 * time.Second)
		r.wantStuck("the adapter may take a minute", []string{}...)
		time.Sleep(2 * time.Second)
		r.wantStuck("its minute is over", "disk")
		r.wantOne(actor.Warn, "disk has been at work on watch_test.Work for 1m0", "hangInEngine (watch_test.go:",
			"questions 0", "worker asked disk watch_test.Work (worker.disk)", "given it up")

		close(release)
		time.Sleep(time.Second)
		r.wantStuck("the call has returned")
		r.wantOne(actor.Info, "no longer stuck: disk")
		if n := r.dog.Stalls(); n != 1 {
			t.Errorf("%d stalls are counted", n)
		}
		r.stop()
	})
}

//go:noinline
func hangInEngine(release chan struct{}) { <-release }

// A step that blocks: the cell is named, not the asker that waits for it. The report shows
// the wait, which the source of a component cannot contain (L1).
func TestL12AStepThatBlocksIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		r := newRig(t, bounds, func() { <-release }, answerWork)
		go adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{})
		synctest.Wait()
		go adapter.Ask(context.Background(), r.node.Asker(client+1), r.ports.ping[0], Ping{})
		time.Sleep(49 * time.Millisecond)
		r.wantStuck("its bound has not passed")
		time.Sleep(20 * time.Millisecond)
		r.wantStuck("its bound has passed", "worker")
		r.wantOne(actor.Warn, "worker has been at work on watch_test.Spin for", "queued[worker] control 0, answers 0, events 0, questions 1",
			"oldest[worker] watch_test.Ping for", "client asked worker watch_test.Spin (client.spin)", "(*machine).Step (rig_test.go:")

		report := r.dog.Report()
		if len(report.WaitEdges) != 1 || report.WaitEdges[0].Name != "worker" || report.WaitEdges[0].For != "a receive" {
			t.Errorf("the waits of components: %+v", report.WaitEdges)
		}
		for _, want := range []string{"worker 1 (component): waiting for a receive, at work on watch_test.Spin", "wait edges between components: 1",
			"client asked worker watch_test.Spin (client.spin)", "second asked worker watch_test.Ping (client.ping)", "asks 0, owes 2", "asks 1, owes 0"} {
			if text := report.Text(); !strings.Contains(text, want) {
				t.Errorf("the report does not say %q but\n%s", want, text)
			}
		}
		if q := report.Questions; len(q) != 2 || q[0].FromName != "client" || q[1].FromName != "second" {
			t.Errorf("the questions are not the oldest first: %v", q)
		}
		close(release)
		time.Sleep(50 * time.Millisecond)
		r.wantStuck("it has gone on")
		r.wantOne(actor.Info, "no longer stuck: worker")
		if report := r.dog.Report(); len(report.WaitEdges) != 0 || len(report.Questions) != 0 {
			t.Errorf("everything is done, and the report is\n%s", report.Text())
		}
		r.stop()
	})
}

// A step that spins, on the real clock: its stack is in the log and on disk.
func TestL12AStepThatSpinsIsNamed(t *testing.T) {
	var released atomic.Bool
	// A loaded machine may starve the watchdog for a while, and then no cell is
	// to blame. So the looks are further apart than that, and the bound leaves
	// time for a trace.
	cfg := bounds
	cfg.Every, cfg.Cells.Run = 50*time.Millisecond, time.Second
	cfg.Dir, cfg.TraceBytes, cfg.TraceAge = filepath.Join(t.TempDir(), "stalls"), 1<<20, time.Second
	r := newRig(t, cfg, func() { spinHere(&released) }, answerWork)
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{})
	}()
	if entry := words(<-r.got); !strings.Contains(entry, "worker has been at work on watch_test.Spin") || !strings.Contains(entry, "spinHere (watch_test.go:") {
		t.Errorf("the log says %s", entry)
	}
	if entry := words(<-r.got); !strings.Contains(entry, "the stall is recorded") {
		t.Errorf("the log says %s", entry)
	}
	files, _ := filepath.Glob(filepath.Join(cfg.Dir, "*"))
	if len(files) != 2 || !strings.HasSuffix(files[0], ".goroutines.txt") || !strings.HasSuffix(files[1], ".trace") {
		t.Fatalf("recorded are %v", files)
	}
	profile, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(profile), `# labels: {"cell":"worker", "id":"1"}`) || !strings.Contains(string(profile), "spinHere") {
		t.Errorf("the profile does not show which cell spins (%v):\n%s", err, profile)
	}
	if trace, err := os.ReadFile(files[1]); err != nil || !strings.HasPrefix(string(trace), "go 1.") {
		t.Errorf("no execution trace: %v, %d bytes", err, len(trace))
	}
	if report := r.dog.Report(); len(report.WaitEdges) != 0 {
		t.Errorf("a cell that spins waits for nothing: %+v", report.WaitEdges)
	}
	released.Store(true)
	if entry := words(<-r.got); !strings.Contains(entry, "no longer stuck: worker") {
		t.Errorf("the log says %s", entry)
	}
	<-asked
	r.stop()
}

//go:noinline
func spinHere(released *atomic.Bool) {
	for !released.Load() {
		runtime.Gosched()
	}
}

// A cell that takes every input and answers none is named when its asker's
// patience and its own bound are over.
func TestL12ASilentCellIsNamed(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		r := newRig(t, bounds, nil, answerWork)
		go adapter.Ask(context.Background(), r.node.Asker(client), r.ports.mute, Mute{})
		time.Sleep(timeout + 199*time.Millisecond)
		r.wantStuck("its bound has not passed")
		time.Sleep(10 * time.Millisecond)
		r.wantStuck("its bound has passed", "worker")
		r.wantOne(actor.Warn, "worker has owed the answer to watch_test.Mute for 1.2", "client asked worker watch_test.Mute (client.mute)")
		r.stop()
	})
}

// A machine that slept has no stuck cells: what is old then grew old while no cell
// could work.
func TestL12ASleepIsNoStall(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		release := make(chan struct{})
		r := newRig(t, bounds, func() { <-release }, answerWork)
		go adapter.Ask(context.Background(), r.node.Asker(client), r.ports.spin, Spin{})
		time.Sleep(10 * time.Millisecond)
		r.dog.Stop(time.Second) // from here on it looks when it is told
		now := time.Now()
		r.dog.Look(now.Add(time.Hour)) // an hour passes between two looks
		r.wantStuck("no cell could work in that hour")
		r.dog.Look(now.Add(time.Hour + 30*time.Millisecond))
		r.wantStuck("awake again for less than the bound")
		r.dog.Look(now.Add(time.Hour + 60*time.Millisecond))
		r.wantStuck("awake again for longer than the bound", "worker")
		r.dog.Look(now.Add(3 * time.Hour))
		r.wantStuck("a stuck cell does not become well by sleeping", "worker")
		close(release)
		if err := r.node.Stop(time.Second); err != nil {
			t.Error(err)
		}
	})
}

// The control: busy cells that are not stuck are not named, and no component
// waits, however often one looks.
func TestL12BusyIsNotStuck(t *testing.T) {
	r := newRig(t, watch.Config{
		Bounds: watch.Bounds{
			Cells: watch.Patience{Run: 10 * time.Second, Queue: 10 * time.Second, Owe: 10 * time.Second},
			Every: time.Millisecond, LogEvery: time.Second,
		},
	}, nil, answerWork)
	var wg sync.WaitGroup
	for i := range 2 {
		asker := r.node.Asker(client + actor.ID(i))
		wg.Go(func() {
			for range 5000 {
				if _, err := adapter.Ask(context.Background(), asker, r.ports.ping[i], Ping{}); err != nil {
					t.Error(err)
				}
				if _, err := adapter.Ask(context.Background(), asker, r.ports.work, Work{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for reports := 0; ; reports++ {
		select {
		case <-done:
			r.stop()
			if all := r.entries(actor.Warn); len(all) > 0 {
				t.Errorf("healthy cells are called stuck: %v", all)
			}
			if reports == 0 {
				t.Error("no report was made under load")
			}
			return
		default:
			if report := r.dog.Report(); len(report.WaitEdges) > 0 {
				t.Errorf("a component waits: %+v", report.WaitEdges)
			}
		}
	}
}

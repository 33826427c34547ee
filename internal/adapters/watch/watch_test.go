package watch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/adapter"
	"acyclic/internal/kernel/bus"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The messages of the cells of these tests.
type (
	Ping struct{ actor.Asks[Pong, target] } // answered at once
	Work struct{ actor.Asks[Pong, target] } // passed to the adapter
	Spin struct{ actor.Asks[Pong, target] } // never comes back
	Mute struct{ actor.Asks[Pong, target] } // never answered
	Pong struct{}

	target struct{} // answers them
)

const (
	worker, other, disk, client actor.ID = 1, 2, 3, 4
)

// machine answers Ping, passes Work to the disk, and breaks the laws when told.
type machine struct {
	disk    actor.Port[Work, Pong]
	spin    func()
	waiting map[actor.Ticket]actor.Call[Pong]
}

func (m *machine) Step(_ time.Time, in actor.Input, out *actor.Outbox) {
	switch q := in.Body.(type) {
	case Ping:
		q.Call(in).Answer(out, Pong{})
	case Work:
		if t, ok := m.disk.Ask(out, 0, Work{}); ok {
			m.waiting[t] = q.Call(in)
		} else {
			q.Call(in).Refuse(out)
		}
	case Pong:
		m.waiting[in.Ticket].Answer(out, Pong{})
		delete(m.waiting, in.Ticket)
	case Spin:
		m.spin()
		q.Call(in).Answer(out, Pong{})
	case Mute:
	case actor.Stop:
		out.Finish("stopped")
	}
}
func (m *machine) Deadline() time.Time { return time.Time{} }
func (m *machine) Check() error        { return nil }

// rig is two cells, an adapter with two workers, a client, and their watchdog.
type rig struct {
	t     testing.TB
	node  *live.Node
	dog   *watch.Watchdog
	ports struct {
		ping [2]actor.Port[Ping, Pong]
		work actor.Port[Work, Pong]
		spin actor.Port[Spin, Pong]
		mute actor.Port[Mute, Pong]
	}

	mu  sync.Mutex
	log []actor.Record
	got chan actor.Record // the log, for tests that wait for an entry
}

type quiet struct{}

func (quiet) Record(string, actor.ID, actor.Record) {}

// bounds are those of these tests: short enough for one that runs on the real
// clock, and each with another length.
var bounds = watch.Config{
	Bounds: watch.Bounds{
		Cells:    watch.Patience{Run: 50 * time.Millisecond, Queue: 100 * time.Millisecond, Owe: 200 * time.Millisecond},
		Every:    5 * time.Millisecond,
		LogEvery: time.Second, RecordEvery: time.Minute, Keep: 2,
	},
	Of: map[actor.ID]watch.Patience{disk: {Run: time.Minute, Queue: time.Minute, Owe: time.Minute}},
}

const timeout = time.Second // of every port

func newRig(t testing.TB, cfg watch.Config, spin func(), handle adapter.HandlerFunc, more ...cell.Static) *rig {
	r := &rig{t: t, got: make(chan actor.Record, 100)}
	var diskPorts, ask actor.Ports
	toDisk := actor.Connect[Work](&diskPorts, "worker.disk", actor.Ref[target](disk), 4, timeout)
	r.ports.ping[0] = actor.Connect[Ping](&ask, "client.ping", actor.Ref[target](worker), 4, timeout)
	r.ports.ping[1] = actor.Connect[Ping](&ask, "client.ping2", actor.Ref[target](other), 4, timeout)
	r.ports.work = actor.Connect[Work](&ask, "client.work", actor.Ref[target](worker), 4, timeout)
	r.ports.spin = actor.Connect[Spin](&ask, "client.spin", actor.Ref[target](worker), 4, timeout)
	r.ports.mute = actor.Connect[Mute](&ask, "client.mute", actor.Ref[target](worker), 4, timeout)
	build := func(uint32) actor.Machine {
		return &machine{disk: toDisk, spin: spin, waiting: map[actor.Ticket]actor.Call[Pong]{}}
	}
	r.node = live.New(quiet{}).Wire(&cell.Plan{
		Cells: append([]cell.Static{
			{ID: worker, Name: "worker", Build: build, Ports: diskPorts.Specs},
			{ID: other, Name: "other", Build: build},
		}, more...),
		Adapters: []cell.Adapter{{ID: disk, Name: "disk", Handler: handle, Workers: 2}},
		Askers:   []cell.Asker{{ID: client, Name: "client", Ports: ask.Specs}, {ID: client + 1, Name: "second", Ports: ask.Specs}},
		Topics:   []bus.Topic{},
	})
	cfg.System = r.node.System()
	cfg.Log = func(rec actor.Record) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.log = append(r.log, rec)
		select {
		case r.got <- rec:
		default:
		}
	}
	r.dog = watch.New(cfg)
	r.node.Start()
	for _, c := range r.node.System().Cells() {
		until(func() bool { // a Start that waits would be as old as the time at which a test looks
			_, queued := c.Mail.Oldest()
			return !queued && len(c.Work(nil)) == 0
		})
	}
	r.dog.Start()
	return r
}

// firstOfMany is the first of many cells that do nothing.
const firstOfMany actor.ID = 10

func many(n int, ports []actor.PortSpec) (cells []cell.Static) {
	for i := range n {
		cells = append(cells, cell.Static{
			ID: firstOfMany + actor.ID(i), Name: "one of many", Ports: ports,
			Build: func(uint32) actor.Machine { return &machine{} },
		})
	}
	return cells
}

func (r *rig) stop() {
	r.t.Helper()
	if err := r.node.Stop(time.Second); err != nil {
		r.t.Error(err)
	}
	r.dog.Stop(time.Second)
}

// entries are the log's, as text, of a level.
func (r *rig) entries(level actor.Level) (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.log {
		if rec.Level == level {
			all = append(all, words(rec))
		}
	}
	return all
}

func words(rec actor.Record) string { return rec.Msg + " " + fmt.Sprintln(rec.Fields...) }

// wantOne checks that there is one entry of a level and that it says all this.
func (r *rig) wantOne(level actor.Level, want ...string) {
	r.t.Helper()
	all := r.entries(level)
	if len(all) != 1 {
		r.t.Fatalf("%d log entries, want one:\n%s", len(all), strings.Join(all, "\n"))
	}
	for _, w := range want {
		if !strings.Contains(all[0], w) {
			r.t.Errorf("the log does not say %q but:\n%s", w, all[0])
		}
	}
}

func (r *rig) wantStuck(why string, names ...string) {
	r.t.Helper()
	var got []string
	for _, s := range r.dog.Stuck() {
		got = append(got, s.Name)
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		r.t.Errorf("%s: stuck are %v, want %v", why, got, names)
	}
}

func answerWork(context.Context, actor.Input) any { return Pong{} }

// A call of an adapter that hangs, as an engine call might: the adapter is named
// within its own, longer bound, with the question, the stack of the worker, and
// the cell that waits for it. When the call returns, the log says so, once.
func TestL12AnAdapterThatHangsIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
	synctest.Test(t, func(t *testing.T) {
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
			"oldest[worker] watch_test.Ping for", "client asked worker watch_test.Spin (client.spin)", "(*machine).Step (watch_test.go:")

		report := r.dog.Report()
		if len(report.WaitEdges) != 1 || report.WaitEdges[0].Name != "worker" || report.WaitEdges[0].For != "a receive" {
			t.Errorf("the waits of components: %+v", report.WaitEdges)
		}
		for _, want := range []string{"worker 1 (component): waiting for a receive, at work on watch_test.Spin", "wait edges between components: 1",
			"client asked worker watch_test.Spin (client.spin)", "second asked worker watch_test.Ping (client.ping)"} {
			if text := report.Text(); !strings.Contains(text, want) {
				t.Errorf("the report does not say %q but\n%s", want, text)
			}
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
	synctest.Test(t, func(t *testing.T) {
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

// Stalls that come and go do not fill the log or the disk: one entry in a
// second, one recording in a minute, two recordings kept.
func TestL12TheWatchdogIsBrief(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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

// A machine that slept has no stuck cells: what is old then grew old while no cell
// could work.
func TestL12ASleepIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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

// until lets others run until something is so.
func until(so func() bool) {
	for !so() {
		runtime.Gosched()
	}
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
	look(17*time.Minute+30*time.Second, false, "nothing has been suspect for more than a minute")
	if err := r.node.Stop(time.Second); err != nil {
		t.Error(err)
	}
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

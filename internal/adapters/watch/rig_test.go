package watch_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
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

// until lets others run until something is so.
func until(so func() bool) {
	for !so() {
		runtime.Gosched()
	}
}

package watch

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Config is what a Watchdog is made with.
type Config struct {
	System *cell.System
	Log    func(actor.Record) // must not wait
	Dir    string             // where recordings go; "": there are none

	Bounds
	Of map[actor.ID]Patience // with cells and adapters that may take longer
}

// Watchdog looks after the cells of a node.
type Watchdog struct {
	cfg    Config
	stop   chan struct{}
	done   chan struct{}
	writes sync.WaitGroup // of recordings

	stuck     atomic.Pointer[[]Stall]
	stalls    atomic.Uint64 // since the start
	recording atomic.Bool

	// What follows belongs to the goroutine that looks.
	flight     flight
	known      map[actor.ID]*known
	lastLook   time.Time
	lastLog    time.Time
	lastRecord time.Time
	floor      int64 // a mailbox.Stamp; the time before it does not count
	suspect    bool  // the look under way has found something that may soon be stuck

	cells []*cell.Cell // buffers
	work  []cell.Work
	open  []mailbox.Open
}

// known is a stall that has been seen.
type known struct {
	Stall
	named bool // in the log
}

// New returns a Watchdog that does not look yet.
func New(cfg Config) *Watchdog {
	w := &Watchdog{cfg: cfg, stop: make(chan struct{}), done: make(chan struct{}), known: map[actor.ID]*known{}}
	w.stuck.Store(&[]Stall{})
	return w
}

// Start lets it look until Stop.
func (w *Watchdog) Start() {
	// goroutines: one, until Stop.
	go w.run()
}

// Stop ends it. It waits for a recording that is being written, but no longer than
// bound.
//
// correctness: the caller waits for a look, which waits for nothing, and for the disk
// no longer than bound.
func (w *Watchdog) Stop(bound time.Duration) {
	close(w.stop)
	<-w.done
	written := make(chan struct{})
	// goroutines: one: the watchdog is stopped once.
	go func() {
		w.writes.Wait() // correctness: left behind if the disk does not answer; the process is about to end.
		close(written)
	}()
	timeout := time.NewTimer(bound)
	defer timeout.Stop()
	select {
	case <-written:
		w.flight.stop()
	case <-timeout.C:
	}
}

// correctness: this goroutine holds nothing while it waits for its next look. Stop ends
// it.
func (w *Watchdog) run() {
	defer close(w.done)
	ticker := time.NewTicker(w.cfg.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.look(time.Now())
		case <-w.stop:
			return
		}
	}
}

// Stuck lists what is stuck now.
func (w *Watchdog) Stuck() []Stall { return *w.stuck.Load() }

// Stalls counts them since the start.
func (w *Watchdog) Stalls() uint64 { return w.stalls.Load() }

// asleepAfter is how many missed looks mean that the machine slept, or is too busy even
// for the watchdog. What has become old meanwhile is then no cell's fault.
const asleepAfter = 8

// look compares what is with the bounds.
func (w *Watchdog) look(now time.Time) {
	if !w.lastLook.IsZero() && now.Sub(w.lastLook) > asleepAfter*w.cfg.Every {
		w.floor = mailbox.Stamp(now)
	}
	w.lastLook = now
	stalls, suspect := w.judge(now)
	w.fly(now, suspect)
	w.stuck.Store(&stalls)
	w.update(now, stalls)
}

// update logs what is new and what is over.
func (w *Watchdog) update(now time.Time, stalls []Stall) {
	still := map[actor.ID]bool{}
	var fresh []Stall
	for _, s := range stalls {
		still[s.ID] = true
		k := w.known[s.ID]
		if k == nil {
			k = &known{Stall: s}
			w.known[s.ID] = k
			w.stalls.Add(1)
		}
		if !k.named {
			fresh = append(fresh, s)
		}
	}
	w.clear(now, still)
	if len(fresh) == 0 || !w.lastLog.IsZero() && now.Sub(w.lastLog) < w.cfg.LogEvery {
		return
	}
	w.lastLog = now
	for _, s := range fresh {
		w.known[s.ID].named = true
	}
	p := capture()
	w.cfg.Log(w.record(now, fresh, p))
	if w.cfg.Dir != "" && (w.lastRecord.IsZero() || now.Sub(w.lastRecord) >= w.cfg.RecordEvery) {
		w.lastRecord = now
		w.save(now, p)
	}
}

// clear forgets the stalls that are over. It logs the end of those that are in the log.
func (w *Watchdog) clear(now time.Time, still map[actor.ID]bool) {
	var over []string
	for id, k := range w.known {
		if still[id] {
			continue
		}
		delete(w.known, id)
		if k.named {
			over = append(over, fmt.Sprintf("%s (%v)", k.Name, now.Sub(k.Since).Round(time.Millisecond)))
		}
	}
	if len(over) > 0 {
		slices.Sort(over)
		w.cfg.Log(actor.Record{Level: actor.Info, Msg: "no longer stuck: " + strings.Join(over, ", ")})
	}
}

// maxNamed bounds the stalls that one log entry tells in full, and maxOwed the questions
// that it lists.
const (
	maxNamed = 3
	maxOwed  = 8
)

// record is the log entry about stalls. Each has the input, the lanes, the questions and
// the stacks of its goroutines.
func (w *Watchdog) record(now time.Time, fresh []Stall, p profile) actor.Record {
	var words []string
	var fields []any
	questions := w.questions(now)
	for i, s := range fresh {
		if i == maxNamed {
			words = append(words, fmt.Sprintf("%d others: see getwaitgraph", len(fresh)-i))
			break
		}
		words = append(words, s.what(now))
		c := w.cfg.System.Lookup(s.ID)
		if c == nil {
			continue
		}
		name := func(field string) string { return field + "[" + s.Name + "]" }
		fields = append(fields, name("queued"), depths(c.Mail.Stats().Depth))
		if o, ok := c.Mail.Oldest(); ok {
			fields = append(fields, name("oldest"), fmt.Sprintf("%s for %v", typeName(o.Type), mailbox.Age(o.Since, now).Round(time.Millisecond)))
		}
		if asked := about(questions, s.ID); len(asked) > 0 {
			fields = append(fields, name("waits"), strings.Join(asked, "; "))
		}
		for _, g := range p.of(s.ID) {
			if g.State != Asleep {
				fields = append(fields, name("stack"), strings.Join(g.Stack, " < "))
			}
		}
	}
	return actor.Record{Level: actor.Warn, Msg: "stuck: " + strings.Join(words, "; "), Fields: fields}
}

// about words the oldest questions to and from a cell.
func about(questions []Question, id actor.ID) (words []string) {
	for _, q := range questions {
		if q.From != id && q.To != id {
			continue
		}
		if len(words) == maxOwed {
			return append(words, "and more")
		}
		words = append(words, q.String())
	}
	return words
}

func depths(d [actor.NumLanes]int) string {
	var lanes []string
	for lane, n := range d {
		lanes = append(lanes, fmt.Sprintf("%s %d", actor.Lane(lane), n))
	}
	return strings.Join(lanes, ", ")
}

func typeName(t reflect.Type) string {
	if t == nil {
		return "an input"
	}
	return t.String()
}

package logging

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"acyclic/internal/kernel/actor"
)

// Config is what New needs.
type Config struct {
	Levels Levels
	// JSON makes each line an object for machines, instead of text for people.
	JSON bool
	// Dir is where the log file goes. If it is "" there is none.
	Dir string
	// Screen is where lines go besides the file. Nil means standard error.
	Screen io.Writer
	// Terminal says that Screen is a terminal: the progress of the sync is
	// shown there on one live line.
	Terminal bool
	// Queue is how many records may wait to be written, and how many lines may
	// wait for the screen. 0 means DefaultQueue.
	Queue int
}

// DefaultQueue is how many records may wait: several seconds of a busy node. With some
// hundred bytes a record it is less than a megabyte.
const DefaultQueue = 4096

// Logs is the logging adapter.
type Logs struct {
	cfg     Config
	sink    *sink
	loggers map[actor.Level]*logrus.Logger
	queue   chan entry
	dropped atomic.Uint64 // records that found the queue full, and were not reported yet
	closing sync.Once
	stop    chan struct{} // closed by Close
	done    chan struct{} // closed when the writer has finished
}

// entry is a record on its way to the writer. Its values are rendered.
type entry struct {
	at        time.Time
	subsystem string
	id        actor.ID
	rec       actor.Record
}

// New opens the log file and starts the writer.
func New(cfg Config) (*Logs, error) {
	if cfg.Screen == nil {
		cfg.Screen = os.Stderr
	}
	if cfg.Queue == 0 {
		cfg.Queue = DefaultQueue
	}
	sink, err := newSink(cfg.Screen, cfg.Queue, cfg.Terminal, cfg.Dir)
	if err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			err = errno // without the path, which the message names
		}
		return nil, fmt.Errorf("--logdir: cannot write a log file in %s, %w; want a directory that can be written", cfg.Dir, err)
	}
	l := &Logs{
		cfg: cfg, sink: sink, loggers: map[actor.Level]*logrus.Logger{},
		queue: make(chan entry, cfg.Queue), stop: make(chan struct{}), done: make(chan struct{}),
	}
	var formatter logrus.Formatter = textFormatter{}
	if cfg.JSON {
		formatter = &logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	}
	for level := actor.Error; level <= actor.Trace; level++ {
		logger := logrus.New()
		logger.SetOutput(sink)
		logger.SetFormatter(formatter)
		logger.SetLevel(toLogrus(level))
		l.loggers[level] = logger
	}
	// goroutines: one, until Close.
	go l.write()
	return l, nil
}

// Enabled says whether a record of a subsystem would be written.
func (l *Logs) Enabled(subsystem string, level actor.Level) bool {
	return level <= l.cfg.Levels.Level(subsystem)
}

// Record takes what a cell wants logged. It never waits: if the queue is full, the
// record is dropped and counted. Any goroutine may call it, also after Close.
func (l *Logs) Record(subsystem string, id actor.ID, rec actor.Record) {
	if !l.Enabled(subsystem, rec.Level) {
		return
	}
	rec.Fields = render(rec.Fields)
	select {
	case l.queue <- entry{time.Now(), subsystem, id, rec}:
	default:
		l.dropped.Add(1)
	}
}

// render makes values of fields that the cell may still change.
func render(fields []any) []any {
	values := make([]any, len(fields))
	for i, f := range fields {
		switch f := f.(type) {
		case string, bool, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64, float32, float64, nil:
			values[i] = f
		default:
			values[i] = fmt.Sprint(f) // survives an error that is a nil pointer
		}
	}
	return values
}

// Logger returns a logger for an adapter or for main. Its callers may wait for the
// disk.
func (l *Logs) Logger(subsystem string) *logrus.Entry {
	return l.loggers[l.cfg.Levels.Level(subsystem)].WithField(subsystemField, subsystem)
}

// write is the writer's goroutine.
//
// correctness: it waits for records and for stop, and holds nothing while it waits.
// Only Close waits for it.
func (l *Logs) write() {
	defer close(l.done)
	for {
		select {
		case e := <-l.queue:
			l.emit(e)
		case <-l.stop:
			l.drain()
			return
		}
		l.reportDropped()
	}
}

// drain writes what was queued when the node stopped.
func (l *Logs) drain() {
	for {
		select {
		case e := <-l.queue:
			l.emit(e)
		default:
			l.reportDropped()
			return
		}
	}
}

func (l *Logs) emit(e entry) {
	fields := logrus.Fields{}
	if e.id.Parent() != 0 {
		fields[cellField] = e.id.String()
	}
	for i := 0; i+1 < len(e.rec.Fields); i += 2 {
		fields[fmt.Sprint(e.rec.Fields[i])] = e.rec.Fields[i+1]
	}
	l.Logger(e.subsystem).WithFields(fields).WithTime(e.at).Log(toLogrus(e.rec.Level), e.rec.Msg)
}

func (l *Logs) reportDropped() {
	if n := l.dropped.Swap(0); n > 0 {
		l.Logger("node").WithField("records", n).Warn("log records dropped: they came faster than they could be written")
	}
	if n := l.sink.takeMissed(); n > 0 {
		l.Logger("node").WithField("lines", n).Warn("log lines not shown: they came faster than the screen took them")
	}
}

// Close writes what is queued, wipes the live line and closes the file. It waits for
// the disk and for the screen, at most closeTimeout for each: a terminal that takes
// nothing more must not keep the node from stopping.
//
// correctness: holds nothing, and closeTimeout bounds it.
func (l *Logs) Close() error {
	l.closing.Do(func() { close(l.stop) })
	select {
	case <-l.done:
		return l.sink.close()
	case <-time.After(closeTimeout):
		return errors.New("the log could not be written out in time")
	}
}

// closeTimeout is how long a stop may wait for a disk or a terminal that hangs.
const closeTimeout = 2 * time.Second

// toLogrus maps our severities to logrus's, which are in the same order.
func toLogrus(l actor.Level) logrus.Level { return logrus.ErrorLevel + logrus.Level(l-actor.Error) }

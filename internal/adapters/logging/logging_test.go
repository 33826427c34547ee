package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/btcsuite/btclog"
	"go.uber.org/goleak"

	"acyclic/config"
	"acyclic/internal/kernel/actor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, cfg Config) *Logs {
	t.Helper()
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLogs(t *testing.T, l *Logs) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLevels(t *testing.T) {
	for _, name := range config.LevelNames {
		if (Levels{Default: name}).Level("chain") == 0 {
			t.Errorf("the configuration knows the level %s, and logging does not", name)
		}
	}
	l := Levels{Default: "warn", Of: map[string]string{"chain": "debug"}}
	if l.Level("chain") != actor.Debug || l.Level("peer") != actor.Warn {
		t.Errorf("chain %d, peer %d", l.Level("chain"), l.Level("peer"))
	}
	if (Levels{}).Level("chain") != actor.Info {
		t.Error("levels that are not set are not info")
	}
}

// A record is written in the order recorded, with its cell and fields, and only
// from its subsystem's level on.
func TestRecord(t *testing.T) {
	var screen bytes.Buffer
	dir := t.TempDir()
	levels := Levels{Default: "info", Of: map[string]string{"peer": "debug"}}
	l := open(t, Config{Levels: levels, Dir: dir, Screen: &screen})
	l.Record("chain", 2, actor.Record{Level: actor.Info, Msg: "block connected", Fields: []any{"txs", 1, "height", 7}})
	l.Record("chain", 2, actor.Record{Level: actor.Debug, Msg: "not wanted"})
	l.Record("peer", actor.Child(5, 12), actor.Record{Level: actor.Debug, Msg: "bad\nline\x1b[2J", Fields: []any{"err", errors.New("a b"), "empty", ""}})
	closeLogs(t, l)

	lines := strings.Split(strings.TrimSuffix(screen.String(), "\n"), "\n")
	want := []string{
		"INF chain: block connected  height=7 txs=1",
		`DBG peer[5.12]: bad\nline\x1b[2J  empty="" err="a b"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d: %q", len(lines), len(want), lines)
	}
	for i, line := range lines {
		if got := line[len("2006-01-02 15:04:05.000 "):]; got != want[i] {
			t.Errorf("line %d: %s, want %s", i, got, want[i])
		}
	}
	file, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || string(file) != screen.String() {
		t.Errorf("the file holds %q, %v; the screen %q", file, err, screen.String())
	}
}

// A line has the time at which its record was made, however long it has waited. A value
// that could be taken for a field, or for more than one, is quoted.
func TestWhatALineSays(t *testing.T) {
	var screen bytes.Buffer
	l := open(t, Config{Screen: &screen})
	l.emit(entry{
		at: time.Date(2026, 1, 2, 15, 4, 5, 6_000_000, time.Local), subsystem: "peer", id: 5,
		rec: actor.Record{Level: actor.Warn, Msg: "a message", Fields: []any{"a", "x=1", "b", "x 1", "c", `x"1`, "d", "x1", "e"}},
	})
	closeLogs(t, l)
	const want = "2026-01-02 15:04:05.006 WRN peer: a message  a=\"x=1\" b=\"x 1\" c=\"x\\\"1\" d=x1\n"
	if got := screen.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	var screen bytes.Buffer
	l := open(t, Config{JSON: true, Screen: &screen})
	l.Record("netsync", 3, actor.Record{Level: actor.Warn, Msg: "stalled", Fields: []any{"peer", actor.Child(1, 2), "blocks", 3}})
	closeLogs(t, l)
	var got map[string]any
	if err := json.Unmarshal(screen.Bytes(), &got); err != nil {
		t.Fatalf("%q: %v", screen.String(), err)
	}
	if _, err := time.Parse(time.RFC3339Nano, got["time"].(string)); err != nil {
		t.Error(err)
	}
	delete(got, "time")
	want := map[string]any{"level": "warning", "msg": "stalled", "subsystem": "netsync", "peer": "1.2", "blocks": 3.0}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %v, want %v", k, got[k], v)
		}
	}
}

// stuck is a screen that takes nothing until it is let go.
type stuck struct {
	entered chan struct{} // gets one value when a write begins
	release chan struct{}
	mu      sync.Mutex
	buf     bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

// Close makes it a file.
func (s *stuck) Close() error { return nil }

// L1, L12: a disk that hangs costs records, never a cell's time, and the loss
// is said. The test ends at all only because Record does not wait.
func TestL12SlowDiskDropsAndSaysSo(t *testing.T) {
	s := &stuck{entered: make(chan struct{}, 1), release: make(chan struct{})}
	l := open(t, Config{Screen: io.Discard, Queue: 4})
	l.sink.file = s
	rec := actor.Record{Level: actor.Info, Msg: "hello"}
	l.Record("chain", 1, rec)
	<-s.entered // the writer hangs now, the queue is empty
	for range 10 {
		l.Record("chain", 1, rec)
	}
	if n := l.dropped.Load(); n != 6 {
		t.Fatalf("%d records dropped, want 6 of 10 with a queue of 4", n)
	}
	close(s.release)
	closeLogs(t, l)
	if got := s.buf.String(); strings.Count(got, "hello") != 5 || !strings.Contains(got, "log records dropped") || !strings.Contains(got, "records=6") {
		t.Errorf("the log says:\n%s", got)
	}
}

// L12: a screen that hangs costs what it would have shown: main, the adapters and
// btcd's packages write on, the file has everything, and the loss is said. The
// test ends only because the log does not wait for the screen.
func TestL12SlowScreenDropsAndSaysSo(t *testing.T) {
	const queue = 4
	s := &stuck{entered: make(chan struct{}, 1+queue), release: make(chan struct{})}
	dir := t.TempDir()
	l := open(t, Config{Screen: s, Queue: queue, Dir: dir, Terminal: true})
	l.Logger("node").Info("hello")
	<-s.entered // the screen hangs now, its queue is empty
	for range 10 {
		l.Logger("node").Info("hello")
	}
	l.sink.setLive("50%")
	close(s.release)
	for range queue {
		<-s.entered // it takes a line that waits
	}
	l.Record("node", 1, actor.Record{Level: actor.Info, Msg: "again"})
	closeLogs(t, l)
	if got := s.buf.String(); strings.Count(got, "hello") != 5 || !strings.Contains(got, "log lines not shown") || !strings.Contains(got, "lines=7") {
		t.Errorf("the screen shows:\n%s", got)
	}
	if file, _ := os.ReadFile(filepath.Join(dir, FileName)); strings.Count(string(file), "hello") != 11 {
		t.Errorf("the file holds:\n%s", file)
	}
}

// The screen gets a line later, and whoever wrote it uses its memory again at once.
func TestALineThatWaitsStaysAsItIs(t *testing.T) {
	s := &sink{screen: make(chan []byte, 1)}
	line := []byte("hello")
	s.show(line)
	line[0] = 'j'
	if got := <-s.screen; string(got) != "hello" {
		t.Errorf("the screen gets %q", got)
	}
}

// Lines that the screen did not get are told when it has taken half of those that wait:
// before that the news would be lost too.
func TestMissedLinesAreToldWhenThereIsRoom(t *testing.T) {
	s := &sink{screen: make(chan []byte, 4)}
	for range 6 {
		s.show([]byte("hello"))
	}
	for _, want := range []int{0, 0, 2, 0} {
		if n := s.takeMissed(); n != want {
			t.Errorf("with %d lines that wait %d are told, want %d", len(s.screen), n, want)
		}
		<-s.screen
	}
}

// Close does not wait for a screen that hangs for longer than it says.
func TestCloseBesideAStuckScreen(t *testing.T) {
	s := &stuck{entered: make(chan struct{}, 1), release: make(chan struct{})}
	l := open(t, Config{Screen: s, Queue: 4})
	l.Logger("node").Info("hello")
	<-s.entered
	closeLogs(t, l)
	close(s.release)
}

// The live line is wiped before a log line and drawn again below it.
func TestLiveLine(t *testing.T) {
	var screen bytes.Buffer
	l := open(t, Config{Screen: &screen, Terminal: true})
	l.sink.setLive("50%")
	l.sink.Write([]byte("log\n"))
	l.sink.setLive("51%")
	l.sink.setLive("51%") // nothing new
	closeLogs(t, l)
	if got, want := screen.String(), wipe+"50%"+wipe+"log\n50%"+wipe+"51%"+wipe; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := New(Config{Dir: filepath.Join(path, "logs")})
	want := "--logdir: cannot write a log file in " + path + "/logs, not a directory; want a directory that can be written"
	if err == nil || err.Error() != want {
		t.Errorf("a log directory that cannot be made: %v, want %s", err, want)
	}
}

// btcd's chatter at info is held back unless the user wants details.
func TestBTCDLevels(t *testing.T) {
	for level, want := range map[string]btclog.Level{
		"info": btclog.LevelWarn, "warn": btclog.LevelWarn, "error": btclog.LevelError,
		"debug": btclog.LevelDebug, "trace": btclog.LevelTrace,
	} {
		var screen bytes.Buffer
		l := open(t, Config{Levels: Levels{Of: map[string]string{"engine": level}}, Screen: &screen})
		b := l.btclog("engine")
		if b.Level() != want {
			t.Errorf("%s: btcd's level is %v, want %v", level, b.Level(), want)
		}
		b.Infof("chatter %d", 1)
		b.Errorf("failed %d", 2)
		closeLogs(t, l)
		if got := strings.Contains(screen.String(), "chatter"); got != (want < btclog.LevelWarn) {
			t.Errorf("%s: %q", level, screen.String())
		}
		if !strings.Contains(screen.String(), "ERR engine: failed 2") {
			t.Errorf("%s: %q", level, screen.String())
		}
	}
}

func TestRecordAfterClose(t *testing.T) {
	l := open(t, Config{Screen: io.Discard, Queue: 1})
	closeLogs(t, l)
	for range 3 {
		l.Record("chain", 1, actor.Record{Level: actor.Info, Msg: "too late"})
	}
}

// deadPipe is a pipe whose reader has ended.
type deadPipe struct{ writes int }

func (p *deadPipe) Write([]byte) (int, error) { p.writes++; return 0, syscall.EPIPE }

// A screen that is gone is left alone, and the file gets everything.
func TestScreenGone(t *testing.T) {
	dir, screen := t.TempDir(), new(deadPipe)
	l := open(t, Config{Screen: screen, Dir: dir})
	for range 5 {
		l.Logger("node").Info("still here")
	}
	closeLogs(t, l)
	if screen.writes != 1 {
		t.Errorf("%d writes to a dead pipe, want 1", screen.writes)
	}
	text, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || strings.Count(string(text), "still here") != 5 {
		t.Errorf("the file has %q, %v", text, err)
	}
}

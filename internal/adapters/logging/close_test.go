package logging

import (
	"io"
	"strings"
	"testing"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
)

// tape is a file that says whether it was closed.
type tape struct {
	strings.Builder
	closed int
}

func (p *tape) Close() error { p.closed++; return nil }

// Close writes out what is queued before it closes the file, once. A second Close does
// nothing. What is logged or shown after that is lost, and no harm is done.
func TestCloseWritesAndCloses(t *testing.T) {
	l := open(t, Config{Screen: io.Discard, Terminal: true})
	file := new(tape)
	l.sink.file = file
	for range 100 {
		l.Record("chain", 1, actor.Record{Level: actor.Info, Msg: "hello"})
	}
	closeLogs(t, l)
	if n := strings.Count(file.String(), "hello"); n != 100 || file.closed != 1 {
		t.Errorf("%d of 100 records are in the file, which was closed %d times", n, file.closed)
	}
	closeLogs(t, l)
	l.Logger("node").Info("too late")
	l.Live("50%")
	if file.closed != 1 || strings.Contains(file.String(), "too late") {
		t.Errorf("after a second Close: closed %d times, and the file holds %s", file.closed, file)
	}
}

// L8: Close does not wait for a disk that hangs for longer than it says, and it says so.
func TestL8CloseBesideAStuckDisk(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		s := &stuck{entered: make(chan struct{}, 1), release: make(chan struct{})}
		l := open(t, Config{Screen: io.Discard})
		l.sink.mu.Lock()
		l.sink.file = s
		l.sink.mu.Unlock()
		l.Record("chain", 1, actor.Record{Level: actor.Info, Msg: "hello"})
		<-s.entered
		if err := l.Close(); err == nil || !strings.Contains(err.Error(), "in time") {
			t.Errorf("the disk hangs, and Close says %v", err)
		}
		close(s.release)
		closeLogs(t, l) // for the goroutines of this test
	})
}

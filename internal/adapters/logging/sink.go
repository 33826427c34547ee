package logging

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jrick/logrotate/rotator"
)

// The disk holds at most the file and as many older ones, compressed.
const (
	fileKB   = 10_000
	oldFiles = 10
)

// FileName is the log file's name in the log directory.
const FileName = "acyclicd.log"

// sink is where finished lines go: to standard error and to the file. It keeps the
// live line of a terminal below the log lines: a log line wipes it and draws it again.
//
// correctness: mu is a leaf. It is held while a line is written to the file, which
// may wait for the disk. Adapters and the logger's goroutine take it, never a cell.
// They do not wait for the screen: see show.
type sink struct {
	mu       sync.Mutex
	screen   chan []byte   // what the screen is to be given; nil: closed
	shown    chan struct{} // closed when the screen has all of it
	missed   int           // lines that the screen did not get
	terminal bool          // screen can wipe a line
	file     io.WriteCloser
	live     string // the live line that stands on the screen
}

// newSink opens the file in dir, or none if dir is "". queue is how many lines may wait
// for the screen.
func newSink(screen io.Writer, queue int, terminal bool, dir string) (*sink, error) {
	s := &sink{terminal: terminal}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		file, err := rotator.New(filepath.Join(dir, FileName), fileKB, false, oldFiles)
		if err != nil {
			return nil, err
		}
		s.file = file
	}
	s.open(screen, queue)
	return s, nil
}

// open starts the screen's goroutine.
//
// correctness: it waits for lines and for the screen, holding nothing. Only close
// waits for it, for a bounded time.
func (s *sink) open(screen io.Writer, queue int) {
	s.screen, s.shown = make(chan []byte, queue), make(chan struct{})
	// goroutines: one for each screen, until close.
	go func(lines <-chan []byte) {
		defer close(s.shown)
		gone := false // the screen is a pipe whose reader has ended
		for line := range lines {
			if !gone {
				_, err := screen.Write(line)
				gone = errors.Is(err, syscall.EPIPE)
			}
		}
	}(s.screen)
}

// show gives the screen a line and does not wait: a terminal that is held (Ctrl-S) or
// a pipe without a reader must not keep the node from working or stopping. A line that
// finds no room is left out and counted. The caller holds mu.
func (s *sink) show(line []byte) {
	if s.screen == nil {
		return
	}
	select {
	case s.screen <- bytes.Clone(line):
	default:
		s.missed++
	}
}

// takeMissed returns how many lines the screen did not get, once it takes lines again.
func (s *sink) takeMissed() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.screen) <= cap(s.screen)/2 {
		n, s.missed = s.missed, 0
	}
	return n
}

// wipe returns the cursor to the start of the line and empties it.
const wipe = "\r\x1b[K"

// Write writes a whole line. A line that cannot be written is lost.
//
// correctness: waits for the disk, holding mu. The goroutines of the log and of the
// progress display wait for mu, and no cell does.
func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Write(line)
	}
	if s.live != "" {
		line = []byte(wipe + string(line) + s.live)
	}
	s.show(line)
	return len(line), nil
}

// setLive draws line as the live line, or wipes the live line if line is "". It does
// nothing if the screen is no terminal.
func (s *sink) setLive(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || line == s.live {
		return
	}
	s.live = line
	s.show([]byte(wipe + line))
}

// close wipes the live line, lets the screen take what is left, and closes the file.
//
// correctness: holds nothing while it waits, and closeTimeout bounds it.
func (s *sink) close() error {
	s.setLive("")
	s.mu.Lock()
	if s.screen != nil {
		close(s.screen)
	}
	file := s.file
	s.screen, s.file = nil, nil
	s.mu.Unlock()
	select {
	case <-s.shown:
	case <-time.After(closeTimeout):
	}
	if file == nil {
		return nil
	}
	return file.Close()
}

package logging

import (
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/jrick/logrotate/rotator"
)

// What is kept on disk at most: the file and as many older ones, compressed.
const (
	fileKB   = 10_000
	oldFiles = 10
)

// FileName is the log file's name in the log directory.
const FileName = "acyclicd.log"

// sink is where finished lines go: to standard error and to the file. It keeps
// the live line of a terminal apart from the log lines: a log line first wipes
// it and then draws it again below.
//
// correctness: mu is a leaf. It is held while a line is written, which may
// wait for the disk or the terminal; only edges and the logger's own goroutine
// take it, never a cell.
type sink struct {
	mu       sync.Mutex
	screen   io.Writer
	terminal bool // screen can wipe a line
	file     io.WriteCloser
	live     string // the live line that stands on the screen
}

// newSink opens the file in dir; with dir "" there is none.
func newSink(screen io.Writer, terminal bool, dir string) (*sink, error) {
	s := &sink{screen: screen, terminal: terminal}
	if dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := rotator.New(filepath.Join(dir, FileName), fileKB, false, oldFiles)
	if err != nil {
		return nil, err
	}
	s.file = file
	return s, nil
}

// wipe returns the cursor to the start of the line and empties it.
const wipe = "\r\x1b[K"

// Write writes a whole line. What cannot be written is lost: there is nobody
// left to tell.
func (s *sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Write(line)
	}
	if s.live != "" {
		line = []byte(wipe + string(line) + s.live)
	}
	s.screen.Write(line)
	return len(line), nil
}

// setLive draws line as the live line, or wipes it when line is "". Where the
// screen is no terminal it does nothing.
func (s *sink) setLive(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.terminal || line == s.live {
		return
	}
	s.live = line
	io.WriteString(s.screen, wipe+line)
}

// close wipes the live line and closes the file.
func (s *sink) close() error {
	s.setLive("")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	return file.Close()
}

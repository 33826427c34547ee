//go:build unix

package book

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// L8: a disk that does not answer does not hold up the stop.
func TestL8CloseIsBounded(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, peersFile)
	full(t, dir)
	b := open(t, dir)
	learn(b, addrs(2000)...)
	// A pipe without a reader stands for a disk that does not answer.
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := b.close(time.Millisecond); err == nil || !strings.Contains(err.Error(), path+" within 1ms: the disk does not answer") {
		t.Errorf("closing: %v", err)
	}
	pipe, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if n, err := io.Copy(io.Discard, pipe); err != nil || n < 64<<10 { // what a pipe takes before it blocks
		t.Errorf("when the disk answers again %d bytes are written: %v", n, err)
	}
}

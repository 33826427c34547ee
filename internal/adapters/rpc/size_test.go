package rpc

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"acyclic/internal/proof/bubble"
)

// L1: a disk that does not answer keeps no handler. The answer is the last figure
// known, and one walk waits, however many handlers ask. When the disk answers again,
// the size is up to date again.
func TestL1AHungDiskKeepsNoHandler(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		disk := make(chan int64)
		d := &dirSize{dir: "data", sum: func(string) int64 { return <-disk }}
		get := func(ctx context.Context) int64 { return d.get(ctx, time.Now()) }
		gone, leave := context.WithCancel(t.Context())
		leave()
		if got := get(gone); got != 0 {
			t.Errorf("before the first walk ends: %d", got)
		}
		for range 16 {
			if got := get(t.Context()); got != 0 {
				t.Errorf("before the first walk ends: %d", got)
			}
		}
		disk <- 100
		synctest.Wait()
		if got := get(t.Context()); got != 100 {
			t.Errorf("after the first walk: %d", got)
		}

		time.Sleep(sizeFresh)
		asked := time.Now()
		for range 16 {
			if got := get(t.Context()); got != 100 {
				t.Errorf("while the second walk hangs: %d", got)
			}
		}
		if took := time.Since(asked); took != sizePatience {
			t.Errorf("16 handlers that ask one after the other waited for %v", took)
		}
		time.Sleep(time.Hour)
		disk <- 200
		synctest.Wait()
		go func() { disk <- 300 }()
		if got := get(t.Context()); got != 300 { // the figure of an hour ago is old
			t.Errorf("when the disk is quick again: %d", got)
		}
		if got := d.get(t.Context(), time.Now().Add(-time.Minute)); got != 300 {
			t.Errorf("after the clock went back: %d", got)
		}
		disk <- 400 // the walk that this has started
	})
}

// The size is that of all files below.
func TestSizeOfADirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"one", "below/two"} {
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := newDirSize(dir).get(t.Context(), clock); got != 2000 {
		t.Errorf("two files of 1000 bytes are %d", got)
	}
	if got := newDirSize(filepath.Join(dir, "none")).get(t.Context(), clock); got != 0 {
		t.Errorf("a directory that is not there has %d bytes", got)
	}
}

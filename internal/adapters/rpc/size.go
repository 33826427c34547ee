package rpc

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// dirSize sums the sizes of the files in a directory, at most once a minute. The walk
// through them is an adapter: a disk that does not answer keeps one goroutine, and no
// handler.
type dirSize struct {
	dir string
	sum func(dir string) int64

	mu    sync.Mutex      // a leaf: nothing waits while it is held
	bytes int64           // the last figure known
	at    time.Time       // when it was asked for; zero: there is none
	walk  <-chan struct{} // closed when the walk under way has ended or lasts too long; nil: there is none
}

const (
	// sizeFresh is how old the size may be. A walk through all files for each
	// question would cost more than a minute's growth matters.
	sizeFresh = time.Minute
	// sizePatience is how long a handler waits for a walk, counted from the
	// walk's beginning. The ten thousand files of a full node take a tenth of
	// it. After that the answer is the last figure known, until the walk ends.
	sizePatience = time.Second
)

func newDirSize(dir string) *dirSize { return &dirSize{dir: dir, sum: sumOf} }

// get returns the size, or an older one if the disk does not tell it in time.
//
// correctness: waits no longer than sizePatience or ctx, holding its handler's
// asker. The walk never waits for it.
func (d *dirSize) get(ctx context.Context, now time.Time) int64 {
	if walk := d.refresh(now); walk != nil {
		select {
		case <-walk:
		case <-ctx.Done():
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.bytes
}

// refresh starts a walk if the figure is old and none is under way. It returns the
// walk that is under way.
//
// correctness: the walk's goroutine holds nothing while it waits for the disk, and
// there is one at most. It may last as long as the process.
func (d *dirSize) refresh(now time.Time) (walk <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := now.Sub(d.at); d.walk != nil || d.dir == "" || !d.at.IsZero() && age >= 0 && age < sizeFresh {
		return d.walk
	}
	ctx, enough := context.WithTimeout(context.Background(), sizePatience)
	d.walk = ctx.Done()
	// goroutines: at most one: walk says whether it is there.
	go func() {
		defer enough()
		bytes := d.sum(d.dir)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.bytes, d.at, d.walk = bytes, now, nil
	}()
	return d.walk
}

// sumOf sums the sizes of the files below a directory. Files come and go while the
// database works. A file that cannot be read counts 0.
func sumOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

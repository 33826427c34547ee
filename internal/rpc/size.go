package rpc

import (
	"io/fs"
	"path/filepath"
	"sync"
	"time"
)

// dirSize sums the sizes of the files in a directory, at most once a minute.
//
// correctness: mu is held while the directory is walked, so that of several
// handlers one walks and the others wait for it; they are edges, and no cell
// waits for them.
type dirSize struct {
	dir string

	mu    sync.Mutex
	at    time.Time
	bytes int64
}

// sizeFresh is how old the size may be that is told: a walk through all files
// for each question would cost more than a minute's growth matters.
const sizeFresh = time.Minute

func (d *dirSize) get(now time.Time) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := now.Sub(d.at); !d.at.IsZero() && age >= 0 && age < sizeFresh {
		return d.bytes
	}
	d.at, d.bytes = now, 0
	if d.dir == "" {
		return 0
	}
	// Files come and go while the database works: what cannot be read counts 0.
	_ = filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			d.bytes += info.Size()
		}
		return nil
	})
	return d.bytes
}

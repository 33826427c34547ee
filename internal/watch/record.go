package watch

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"time"

	"acyclic/internal/actor"
)

// flight is the flight recorder, of which a process has one.
type flight struct{ rec *trace.FlightRecorder }

func (f *flight) start(cfg Config) error {
	if cfg.Dir == "" || cfg.TraceBytes == 0 {
		return nil
	}
	rec := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: cfg.TraceAge, MaxBytes: uint64(cfg.TraceBytes)})
	if err := rec.Start(); err != nil {
		return err
	}
	f.rec = rec
	return nil
}

func (f *flight) stop() {
	if f.rec != nil {
		f.rec.Stop()
	}
}

// The two files of a recording.
const (
	profileExt = ".goroutines.txt"
	traceExt   = ".trace"
)

// save writes a recording on a goroutine of its own, one at a time: the disk
// may be what is stuck.
func (w *Watchdog) save(now time.Time, p profile) {
	if !w.recording.CompareAndSwap(false, true) {
		return
	}
	w.writes.Go(func() {
		defer w.recording.Store(false)
		name := filepath.Join(w.cfg.Dir, now.UTC().Format("20060102T150405.000"))
		if err := w.write(name, p); err != nil {
			w.cfg.Log(actor.Record{Level: actor.Warn, Msg: "the stall cannot be recorded", Fields: []any{"error", err}})
			return
		}
		w.cfg.Log(actor.Record{Level: actor.Info, Msg: "the stall is recorded", Fields: []any{"files", name + ".*"}})
	})
}

func (w *Watchdog) write(name string, p profile) error {
	if err := os.MkdirAll(w.cfg.Dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(name+profileExt, p.text, 0o600); err != nil {
		return err
	}
	if w.flight.rec != nil {
		if err := writeTrace(w.flight.rec, name+traceExt); err != nil {
			return err
		}
	}
	return prune(w.cfg.Dir, w.cfg.Keep)
}

func writeTrace(rec *trace.FlightRecorder, name string) (err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = rec.WriteTo(f)
	return errors.Join(err, f.Close())
}

// prune removes the oldest recordings; their names are their times.
func prune(dir string, keep int) error {
	for _, ext := range []string{profileExt, traceExt} {
		files, err := filepath.Glob(filepath.Join(dir, "*"+ext))
		if err != nil {
			return err
		}
		slices.Sort(files)
		for _, old := range files[:max(0, len(files)-keep)] {
			if err := os.Remove(old); err != nil {
				return err
			}
		}
	}
	return nil
}

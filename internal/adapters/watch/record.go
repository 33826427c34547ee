package watch

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
)

// flight is the flight recorder. A process has only one. It costs a tenth of the CPU or
// more where goroutines wake each other all the time, so it runs only while something
// is suspect.
type flight struct {
	rec     *trace.FlightRecorder // nil: it does not run
	suspect time.Time             // the last look that found something suspect
	failed  bool                  // it could not be started; the log says so
}

// fly starts the flight recorder when something is suspect. It stops it when nothing
// has been suspect for as long as it reaches back.
func (w *Watchdog) fly(now time.Time, suspect bool) {
	f := &w.flight
	if suspect {
		f.suspect = now
	}
	switch {
	case w.cfg.Dir == "" || w.cfg.TraceBytes == 0 || f.failed:
	case suspect && f.rec == nil:
		rec := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: w.cfg.TraceAge, MaxBytes: uint64(w.cfg.TraceBytes)})
		if err := rec.Start(); err != nil {
			f.failed = true
			w.cfg.Log(actor.Record{Level: actor.Warn, Msg: "stalls are recorded without a trace", Fields: []any{"error", err}})
			return
		}
		f.rec = rec
	case !suspect && f.rec != nil && now.Sub(f.suspect) > w.cfg.TraceAge && !w.recording.Load():
		f.stop()
	}
}

func (f *flight) stop() {
	if f.rec != nil {
		f.rec.Stop()
		f.rec = nil
	}
}

// The two files of a recording.
const (
	profileExt = ".goroutines.txt"
	traceExt   = ".trace"
)

// save writes a recording on a separate goroutine, one at a time: the disk itself may
// be stuck.
func (w *Watchdog) save(now time.Time, p profile) {
	if !w.recording.CompareAndSwap(false, true) {
		return
	}
	rec := w.flight.rec
	// goroutines: at most one: recording says whether it is there.
	w.writes.Go(func() {
		defer w.recording.Store(false)
		name := filepath.Join(w.cfg.Dir, now.UTC().Format("20060102T150405.000"))
		if err := w.write(name, p, rec); err != nil {
			w.cfg.Log(actor.Record{Level: actor.Warn, Msg: "the stall cannot be recorded", Fields: []any{"error", err}})
			return
		}
		w.cfg.Log(actor.Record{Level: actor.Info, Msg: "the stall is recorded", Fields: []any{"files", name + ".*"}})
	})
}

func (w *Watchdog) write(name string, p profile, rec *trace.FlightRecorder) error {
	if err := os.MkdirAll(w.cfg.Dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(name+profileExt, p.text, 0o600); err != nil {
		return err
	}
	if rec != nil {
		if err := writeTrace(rec, name+traceExt); err != nil {
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

// prune removes the oldest recordings. Their names are their times.
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

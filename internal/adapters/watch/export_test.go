package watch

import "time"

// Look is one look, at a time of the test's choice.
func (w *Watchdog) Look(now time.Time) { w.look(now) }

// Suspect lets the flight recorder run, as when something is suspect.
func (w *Watchdog) Suspect(now time.Time) { w.fly(now, true) }

// Flies says whether the flight recorder runs. The watchdog must not look.
func (w *Watchdog) Flies() bool { return w.flight.rec != nil }

// Recording says that a recording is being written.
func (w *Watchdog) Recording(is bool) { w.recording.Store(is) }

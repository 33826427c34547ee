package watch

import "time"

// Look is one look, at a time of the test's choice.
func (w *Watchdog) Look(now time.Time) { w.look(now) }

package actor

import "time"

// Earliest collects deadlines and keeps the first one. The zero time is no
// deadline. The zero Earliest is ready to use.
type Earliest struct {
	at    time.Time
	after time.Time
}

// EarliestAfter returns an Earliest that leaves out the times that have passed:
// those up to now. It is for a machine that looks at all its clocks in every step.
// A clock that has passed and still has something to do then waits for an answer,
// Freed or another clock.
func EarliestAfter(now time.Time) Earliest { return Earliest{after: now} }

// Add adds deadlines.
func (e *Earliest) Add(times ...time.Time) {
	for _, t := range times {
		if !t.IsZero() && t.After(e.after) && (e.at.IsZero() || t.Before(e.at)) {
			e.at = t
		}
	}
}

// At returns the first deadline, or the zero time if there is none.
func (e *Earliest) At() time.Time { return e.at }

package watch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Why says by which bound something is stuck.
type Why string

// The ways of being stuck.
const (
	Running Why = "running" // it does not come back from an input
	Queued  Why = "queued"  // its oldest input is not taken
	Owing   Why = "owing"   // it does not answer
)

// Stall is a cell or adapter that is stuck.
type Stall struct {
	ID    actor.ID
	Name  string
	Why   Why
	Since time.Time // when the input was taken, queued, or asked
	With  string    // the type of that input
	Lane  string    // where it is queued; Queued only
}

// what says it in words.
func (s Stall) what(now time.Time) string {
	age := now.Sub(s.Since).Round(time.Millisecond)
	switch s.Why {
	case Running:
		return fmt.Sprintf("%s has been at work on %s for %v", s.Name, s.With, age)
	case Queued:
		return fmt.Sprintf("%s has had %s in its %s lane for %v", s.Name, s.With, s.Lane, age)
	}
	return fmt.Sprintf("%s has owed the answer to %s for %v", s.Name, s.With, age)
}

// judge lists what is stuck, each cell once, by the first of running, queued and owing
// that holds: that is the nearest to the cause. suspect says whether something may soon
// be stuck.
func (w *Watchdog) judge(now time.Time) (stalls []Stall, suspect bool) {
	w.suspect = false
	w.cells = w.cells[:0]
	for _, c := range w.cfg.System.Cells() {
		if !c.Ended() {
			w.cells = append(w.cells, c)
		}
	}
	found := map[actor.ID]Stall{}
	for _, c := range w.cells {
		if s, ok := w.own(c, now); ok {
			found[c.ID] = s
		}
	}
	for _, c := range w.cells {
		w.owed(c, now, found)
	}
	oldest := func(a, b Stall) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) }
	return slices.SortedFunc(maps.Values(found), oldest), w.suspect
}

// own judges what a cell is doing and what it has not taken.
func (w *Watchdog) own(c *cell.Cell, now time.Time) (Stall, bool) {
	if !c.Handles() {
		return Stall{}, false // an asker looks into its mailbox when it asks
	}
	b := w.bounds(c)
	w.work = c.Work(w.work[:0])
	for _, work := range w.work {
		if w.above(w.age(c.ID, work.Since, now), b.Run) {
			return Stall{ID: c.ID, Name: c.Name, Why: Running, Since: mailbox.Until(work.Since, now), With: work.With.String()}, true
		}
	}
	if o, ok := c.Mail.Oldest(); ok && w.above(w.age(c.ID, o.Since, now), b.Queue) {
		return Stall{ID: c.ID, Name: c.Name, Why: Queued, Since: mailbox.Until(o.Since, now), With: typeName(o.Type), Lane: o.Lane.String()}, true
	}
	return Stall{}, false
}

// owed judges the cells that a cell has asked.
func (w *Watchdog) owed(c *cell.Cell, now time.Time, found map[actor.ID]Stall) {
	w.open = c.Mail.Asking(w.open[:0])
	for _, o := range w.open {
		if mailbox.Age(o.Deadline, now) <= 0 {
			continue
		}
		to := w.cfg.System.Lookup(o.Call.To)
		if to == nil || to.Ended() || !w.above(w.age(to.ID, o.Deadline, now), w.bounds(to).Owe) {
			continue
		}
		port := c.Ports()[o.Port]
		since := mailbox.Until(o.Deadline, now).Add(-port.Timeout)
		if old, ok := found[to.ID]; ok && (old.Why != Owing || old.Since.Before(since)) {
			continue
		}
		found[to.ID] = Stall{ID: to.ID, Name: to.Name, Why: Owing, Since: since, With: port.Question}
	}
}

func (w *Watchdog) bounds(c *cell.Cell) Patience {
	if b, ok := w.cfg.Of[c.ID]; ok {
		return b
	}
	return w.cfg.Cells
}

// above says whether an age is above its bound. An age above a quarter of it is
// suspect.
func (w *Watchdog) above(age, bound time.Duration) bool {
	w.suspect = w.suspect || age > bound/4
	return age > bound
}

// age is how long ago something was at a cell. The time before the machine slept does
// not count, unless the cell was stuck then.
func (w *Watchdog) age(id actor.ID, since int64, now time.Time) time.Duration {
	if w.known[id] == nil {
		since = max(since, w.floor)
	}
	return mailbox.Age(since, now)
}

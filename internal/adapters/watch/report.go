package watch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/kernel/cell"
	"acyclic/internal/kernel/mailbox"
)

// Report says, for one moment, which cell waits for which.
type Report struct {
	At    time.Time
	Cells []CellReport
	// Questions are those without an answer, oldest first. A cell that asks does
	// not wait: it goes on with its next input. Only an adapter that asks sleeps
	// until its answer comes or its time is up.
	Questions []Question
	// WaitEdges are the components that wait for anything but an input.
	WaitEdges []CellReport
	Stuck     []Stall
}

// How says how WaitEdges is computed.
const How = "a goroutine profile: a component waits for another if its goroutine is parked, and neither asleep " +
	"on its own inbox (live.(*sleeper).nap) nor at a leaf mutex of the kernel"

// The kinds of cell in a report.
const (
	Component  = "component"
	Connection = "connection"
	Adapter    = "adapter"
	Asker      = "asker"
	Subscriber = "subscriber"
)

// CellReport is what one cell, adapter or asker is doing.
type CellReport struct {
	ID     actor.ID
	Name   string
	Kind   string
	State  State
	For    string        // what it waits for; "" otherwise
	Doing  string        // the input that it handles; "" when it handles none
	Since  time.Duration // for how long
	Depth  [actor.NumLanes]int
	Oldest string // the input that has been queued for longest
	Age    time.Duration
	Asking int      // questions without an answer
	Owing  int      // questions of others that it has not answered
	Stack  []string // when it is not asleep, innermost first; of an adapter, of one worker
}

// Question is one without an answer.
type Question struct {
	From, To         actor.ID
	FromName, ToName string
	Port             string // netsync.block
	Type             string // chain.SubmitBlock
	Age              time.Duration
	GivenUp          bool // it has timed out; the target still owes
}

// String says it in words.
func (q Question) String() string {
	given := ""
	if q.GivenUp {
		given = " and has given it up"
	}
	return fmt.Sprintf("%s asked %s %s (%s) %v ago%s", q.FromName, q.ToName, q.Type, q.Port, q.Age.Round(time.Millisecond), given)
}

// Report computes the report. Any goroutine may call it. It takes a goroutine profile
// and, one after the other, the leaf mutex of each mailbox.
func (w *Watchdog) Report() Report {
	now := time.Now()
	p := capture()
	r := Report{At: now, Questions: w.questions(now), Stuck: w.Stuck()}
	for _, c := range w.cfg.System.Cells() {
		cr := describe(c, p, now)
		r.Cells = append(r.Cells, cr)
		if c.Runs() && cr.State == Waits {
			r.WaitEdges = append(r.WaitEdges, cr)
		}
	}
	return r
}

func describe(c *cell.Cell, p profile, now time.Time) CellReport {
	st := c.Stats()
	r := CellReport{ID: c.ID, Name: c.Name, Kind: kindOf(c), State: Asleep, Depth: st.Depth, Asking: st.Asking, Owing: st.Owing}
	if st.BusySince != 0 {
		r.Doing, r.Since = st.BusyWith, mailbox.Age(st.BusySince, now)
	}
	if o, ok := c.Mail.Oldest(); ok {
		r.Oldest, r.Age = typeName(o.Type), mailbox.Age(o.Since, now)
	}
	for _, g := range p.of(c.ID) {
		if g.State != Asleep {
			r.State, r.For, r.Stack = g.State, g.For, g.Stack
		}
	}
	if !c.Handles() && st.Asking > 0 {
		r.State, r.For = Waits, "its answers"
	}
	return r
}

func kindOf(c *cell.Cell) string {
	switch {
	case c.ID.Parent() != 0:
		return Connection
	case c.Runs():
		return Component
	case c.Handles():
		return Adapter
	}
	if len(c.Ports()) == 0 {
		return Subscriber
	}
	return Asker
}

// questions lists those without an answer, oldest first.
func (w *Watchdog) questions(now time.Time) (all []Question) {
	for _, c := range w.cfg.System.Cells() {
		for _, o := range c.Mail.Asking(nil) {
			port := c.Ports()[o.Port]
			q := Question{
				From: c.ID, FromName: c.Name, To: o.Call.To, ToName: o.Call.To.String(), Port: port.Name, Type: port.Question,
				Age: mailbox.Age(o.Deadline, now) + port.Timeout, GivenUp: o.GivenUp,
			}
			if to := w.cfg.System.Lookup(o.Call.To); to != nil {
				q.ToName = to.Name
			}
			all = append(all, q)
		}
	}
	slices.SortStableFunc(all, func(a, b Question) int { return cmp.Compare(b.Age, a.Age) })
	return all
}

// maxShown bounds the questions in the text of a report.
const maxShown = 50

// Text is the report for people: the cells that have something to do, the questions, and
// the wait edges.
func (r Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wait-for report of %s\n\n", r.At.UTC().Format(time.RFC3339))
	idle := 0
	for _, c := range r.Cells {
		if c.State == Asleep && c.Oldest == "" && c.Owing == 0 {
			idle++
			continue
		}
		c.text(&b)
	}
	fmt.Fprintf(&b, "%d more cells are asleep: nothing queued, nothing owed\n\nquestions without an answer: %d\n", idle, len(r.Questions))
	for i, q := range r.Questions {
		if i == maxShown {
			fmt.Fprintf(&b, "  and %d younger ones\n", len(r.Questions)-i)
			break
		}
		fmt.Fprintf(&b, "  %v\n", q)
	}
	fmt.Fprintf(&b, "\nstuck: %d\n", len(r.Stuck))
	for _, s := range r.Stuck {
		fmt.Fprintf(&b, "  %s\n", s.what(r.At))
	}
	fmt.Fprintf(&b, "\nwait edges between components: %d\n(%s)\n", len(r.WaitEdges), How)
	return b.String()
}

func (c CellReport) text(b *strings.Builder) {
	fmt.Fprintf(b, "%s %v (%s): %s", c.Name, c.ID, c.Kind, c.State)
	if c.For != "" {
		fmt.Fprintf(b, " for %s", c.For)
	}
	if c.Doing != "" {
		fmt.Fprintf(b, ", at work on %s for %v", c.Doing, c.Since.Round(time.Microsecond))
	}
	fmt.Fprintf(b, "\n  queued: %s", depths(c.Depth))
	if c.Oldest != "" {
		fmt.Fprintf(b, "; the oldest is %s, for %v", c.Oldest, c.Age.Round(time.Microsecond))
	}
	fmt.Fprintf(b, "\n  asks %d, owes %d\n", c.Asking, c.Owing)
	for _, call := range c.Stack {
		fmt.Fprintf(b, "    %s\n", call)
	}
}

package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"acyclic/internal/kernel/actor"
)

// State is what a cell's goroutine is doing.
type State string

// The states of a goroutine.
const (
	Asleep  State = "asleep"  // on its own empty inbox
	Runs    State = "running" // in a step, or performing its effects
	Locking State = "locking" // waits for a mutex; those of the kernel are leaves
	Waits   State = "waiting" // parked anywhere else
)

// Goroutine is one goroutine, or several with the same stack.
type Goroutine struct {
	Cell  string // the labels that internal/kernel/live sets
	ID    string
	State State
	For   string // what it waits for
	N     int
	Stack []string // innermost first, the runtime's own calls left out
}

// profile is a goroutine profile, as text and as what it says of the cells.
type profile struct {
	text []byte
	list []Goroutine
}

// of lists the goroutines of a cell or adapter.
func (p profile) of(id actor.ID) (all []Goroutine) {
	for _, g := range p.list {
		if g.ID == id.String() {
			all = append(all, g)
		}
	}
	return all
}

// capture takes a goroutine profile. It stops the world for a short time, however many
// goroutines there are.
func capture() profile {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return profile{text: []byte(err.Error())}
	}
	return profile{text: text.Bytes(), list: parse(text.String())}
}

// parse reads the goroutines of cells out of a profile. Each has a line of program
// counters, "1 @ 0x483a2e 0x4168ee", and a line of labels.
func parse(text string) (all []Goroutine) {
	for _, block := range strings.Split(text, "\n\n") {
		var g Goroutine
		var frames []runtime.Frame
		for line := range strings.Lines(block) {
			if n, pcs, ok := strings.Cut(line, " @ "); ok && g.N == 0 {
				g.N, _ = strconv.Atoi(n)
				frames = resolve(strings.Fields(pcs))
			}
			if labels, ok := strings.CutPrefix(line, "# labels: "); ok {
				var l struct{ Cell, ID string }
				if json.Unmarshal([]byte(labels), &l) == nil {
					g.Cell, g.ID = l.Cell, l.ID
				}
			}
		}
		if g.Cell != "" && runsCell(frames) {
			g.State, g.For = state(frames)
			g.Stack = stack(frames)
			all = append(all, g)
		}
	}
	return all
}

// resolve makes frames of program counters.
func resolve(words []string) (all []runtime.Frame) {
	var pcs []uintptr
	for _, w := range words {
		if pc, err := strconv.ParseUint(w, 0, 64); err == nil {
			pcs = append(pcs, uintptr(pc))
		}
	}
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" {
			all = append(all, f)
		}
		if !more {
			return all
		}
	}
}

const liveNode = "acyclic/internal/kernel/live.(*Node)."

// runsCell says whether a goroutine is that of a cell, or of an adapter's worker. The
// goroutines that it has started inherit its labels.
func runsCell(frames []runtime.Frame) bool {
	return slices.ContainsFunc(frames, func(f runtime.Frame) bool {
		return f.Function == liveNode+"run" || f.Function == liveNode+"work"
	})
}

// parked are the calls of the runtime by which a goroutine waits for another one or for
// the system, with a name for each. Above them stands park. A goroutine counts as
// running if the runtime parks it for the garbage collector, or if it is in a send that
// does not wait.
var parked = []struct{ fn, what string }{
	{"runtime.chanrecv", "a receive"}, {"runtime.chansend", "a send"}, {"runtime.selectgo", "a select"},
	{"runtime.block", "an empty select"}, {"runtime.semacquire", "a lock"}, {"runtime.notifyListWait", "a condition"},
	{"runtime.netpollblock", "the network"}, {"runtime.timeSleep", "a sleep"},
}

const park = "runtime.gopark"

// state reads off a stack what its goroutine is doing.
func state(frames []runtime.Frame) (s State, what string) {
	if slices.ContainsFunc(frames, func(f runtime.Frame) bool { return f.Function == "acyclic/internal/kernel/live.(*sleeper).nap" }) {
		return Asleep, ""
	}
	s = Runs
	stopped := false
	for _, f := range frames {
		fn := f.Function
		stopped = stopped || fn == park
		if strings.HasPrefix(fn, "syscall.") || strings.HasPrefix(fn, "internal/runtime/syscall") {
			return Waits, "a system call"
		}
		for _, p := range parked {
			if stopped && strings.HasPrefix(fn, p.fn) {
				s, what = Waits, p.what
			}
		}
		if !strings.HasPrefix(fn, "runtime.") {
			break // what follows is its own code
		}
	}
	if what == "a lock" && ofKernel(frames) {
		return Locking, what
	}
	return s, what
}

// ofKernel says whether this module's machinery waits for the lock. Its mutexes are
// leaves: a goroutine that holds one waits for nothing.
func ofKernel(frames []runtime.Frame) bool {
	i := slices.IndexFunc(frames, func(f runtime.Frame) bool {
		return !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(strings.TrimPrefix(f.Function, "internal/"), "sync.")
	})
	return i >= 0 && strings.HasPrefix(frames[i].Function, "acyclic/internal/")
}

// maxStack is how many calls of a stack are shown.
const maxStack = 24

// stack words the calls that are not the runtime's, as in "chain.(*Machine).Step
// (machine.go:120)".
func stack(frames []runtime.Frame) (calls []string) {
	for _, f := range frames {
		if strings.HasPrefix(f.Function, "runtime.") {
			continue
		}
		if calls = append(calls, fmt.Sprintf("%s (%s:%d)", f.Function, path.Base(f.File), f.Line)); len(calls) == maxStack {
			break
		}
	}
	return calls
}

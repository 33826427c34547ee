// Package dump reads the goroutines of a Go program, as pprof
// (goroutine?debug=2) or SIGQUIT prints them, and says in words what they wait
// for.
package dump

import (
	"path"
	"strconv"
	"strings"
)

// Goroutine is one goroutine of a dump.
type Goroutine struct {
	ID     int
	State  string // "chan send", "select", "running"
	Frames []Frame
}

// Frame is one call. The first frame of a goroutine is the innermost.
type Frame struct {
	Func string // as the runtime prints it: main.(*server).RelayInventory
	Line string // server.go:2341
}

// Name is the function without its package and receiver.
func (f Frame) Name() string { return f.Func[strings.LastIndexByte(f.Func, '.')+1:] }

// short is the function without the path of its package.
func (f Frame) short() string { return f.Func[strings.LastIndexByte(f.Func, '/')+1:] }

// Parse reads a dump. It skips what it does not understand.
func Parse(text string) (all []Goroutine) {
	for block := range strings.SplitSeq(text, "\n\n") {
		head, stack, _ := strings.Cut(strings.TrimLeft(block, "\n"), "\n")
		g, ok := parseHead(head)
		if !ok {
			continue
		}
		g.Frames = parseFrames(stack)
		all = append(all, g)
	}
	return all
}

// parseHead reads "goroutine 12 [chan send, 2 minutes]:".
func parseHead(line string) (g Goroutine, ok bool) {
	rest, ok := strings.CutPrefix(line, "goroutine ")
	if !ok {
		return g, false
	}
	id, rest, _ := strings.Cut(rest, " ")
	_, rest, found := strings.Cut(rest, "[")
	state, _, closed := strings.Cut(rest, "]")
	g.State, _, _ = strings.Cut(state, ",")
	var err error
	g.ID, err = strconv.Atoi(id)
	return g, err == nil && found && closed
}

func parseFrames(stack string) (frames []Frame) {
	lines := strings.Split(stack, "\n")
	for i := 0; i+1 < len(lines); i++ {
		call, where := lines[i], lines[i+1]
		if strings.HasPrefix(call, "\t") || strings.HasPrefix(call, "created by ") || !strings.HasPrefix(where, "\t") {
			continue
		}
		file, _, _ := strings.Cut(strings.TrimSpace(where), " ")
		frames = append(frames, Frame{Func: withoutArgs(call), Line: path.Base(file)})
	}
	return frames
}

// withoutArgs cuts the last pair of parentheses. Receivers have parentheses
// too.
func withoutArgs(call string) string {
	if i := strings.LastIndexByte(call, '('); i > 0 {
		return call[:i]
	}
	return call
}

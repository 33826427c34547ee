package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
)

// table shows what the probe sees. On a terminal the last line is overwritten
// each second; elsewhere each second gets a line.
type table struct {
	mu    sync.Mutex
	w     io.Writer
	width int  // of the terminal; zero: no terminal
	open  bool // the next line overwrites the last one
}

func newTable(f *os.File) *table {
	t := &table{w: f}
	if fd := int(f.Fd()); term.IsTerminal(fd) {
		t.width, _, _ = term.GetSize(fd)
	}
	return t
}

// columns begin with what matters, because a narrow terminal cuts off the rest.
const columns = "%-13s %5s  %-28s %11s  %13s %13s %13s  %10s %8s %6s"

// say prints a line that stays.
func (t *table) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print(format, args...)
}

func (t *table) print(format string, args ...any) {
	if t.open {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.open = false
	}
	fmt.Fprintf(t.w, format+"\n", args...)
}

// head begins the table of a storm.
func (t *table) head(name, about string) {
	t.say("\n%s: %s", name, about)
	t.say(columns, "node", "time", "", "tip/offered", "getblockcount", "getpeerinfo", "handshake", "goroutines", "memory", "peers")
}

// show shows a sample of a node.
func (t *table) show(node, weather string, stalls []probe.Stall, s probe.Sample) {
	t.line(fmt.Sprintf(columns, node, fmt.Sprintf("%.0fs", s.At), state(weather, stalls, s),
		fmt.Sprintf("%d/%d", s.Height, s.Offered), answer(s.BlockCount), answer(s.PeerInfo), answer(s.Handshake),
		fmt.Sprint(s.Goroutines), fmt.Sprintf("%d MiB", s.RSS>>20), fmt.Sprint(s.Peers)))
}

// hint shows what the lab does with a node.
func (t *table) hint(node, what string) { t.line(fmt.Sprintf("%-13s %5s  %s", node, "", what)) }

// line shows a line. On a terminal the next one overwrites it.
func (t *table) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.width == 0 {
		t.print("%s", text)
		return
	}
	fmt.Fprint(t.w, "\r\x1b[K"+text[:min(len(text), t.width-1)])
	t.open = true
}

// done replaces the line of a node by the outcome.
func (t *table) done(r *report.Run) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.print("%-13s %s", r.Node, r.Verdict())
	for _, fact := range r.Facts() {
		t.print("%-13s %s", "", fact)
	}
	if c := r.Cycle(); c != "" {
		t.print("%-13s %s", "", c)
	}
}

func answer(a probe.Answer) string {
	switch {
	case a.Note == "refused":
		return "refused"
	case a.OK:
		return fmt.Sprintf("%.1f ms", a.Took*1e3)
	case a.Silent < probe.Every.Seconds():
		return "-"
	}
	return fmt.Sprintf("silent %.0fs", a.Silent)
}

// state is the weather, with what is wrong.
func state(weather string, stalls []probe.Stall, s probe.Sample) string {
	if n := len(stalls); n > 0 && !stalls[n-1].Ended {
		return fmt.Sprintf("STALLED since %.0fs, %s", stalls[n-1].From, weather)
	}
	if s.Behind >= 2 {
		return fmt.Sprintf("%s, tip unmoved for %.0fs", weather, s.Behind)
	}
	return weather
}

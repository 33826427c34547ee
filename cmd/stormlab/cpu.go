package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
	"acyclic/cmd/stormlab/storm"
)

// watching matches what this node does only to watch over itself: the
// watchdog's looks, and what the cells record for it with each input. It leaves
// out the flight recorder, which runs only while something is suspect, and the
// time in each envelope.
const watching = `acyclic/internal/adapters/watch\.|acyclic/internal/kernel/cell\.\(\*hand\)|acyclic/internal/kernel/cell\.\(\*Cell\)\.(Begin|End)$`

// profileCPU profiles the node during a storm and keeps the profile beside the
// report.
func (l *lab) profileCPU(ctx context.Context, n *node, s storm.Storm, res *report.Run) {
	seconds := int(l.opts.duration().Seconds())
	if n.target.Profile == "" || seconds < 1 {
		return
	}
	const late = 30 * time.Second // a busy node takes time to write it
	ctx, cancel := context.WithTimeout(ctx, l.opts.duration()+late)
	defer cancel()
	text, err := probe.Profile(ctx, n.target.Profile, fmt.Sprint("profile?seconds=", seconds))
	if err != nil {
		return // the storm counts, not the profile
	}
	name := fmt.Sprintf("%s-%s.cpu.pprof", s.Name, res.Node)
	path := filepath.Join(l.opts.Out, name)
	if os.WriteFile(path, []byte(text), 0o644) != nil {
		return
	}
	res.Profile = name
}

// own is the processor time that this process, the load, has used, in seconds.
func own() float64 {
	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano()).Seconds()
}

// measure finds the share of this node's time that went to watching over
// itself. It runs after the node has ended, because it takes a processor for a
// while.
func (l *lab) measure(ctx context.Context, res *report.Run) {
	if !res.Ours || res.Profile == "" {
		return
	}
	part, err := share(ctx, filepath.Join(l.opts.Out, res.Profile), watching)
	if err != nil {
		l.table.say("%s: %v", res.Profile, err)
		return
	}
	res.Watching = &part
}

// share is the part of a profile's time, 0 to 1, that is spent in matching
// functions or in what they call.
func share(ctx context.Context, profile, match string) (float64, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-focus="+match, profile).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go tool pprof: %w: %.300s", err, out)
	}
	return parseShare(string(out))
}

// accounting matches the line of pprof with the total of the shown functions.
var accounting = regexp.MustCompile(`Showing nodes accounting for \S+, ([0-9.]+)% of \S+ total`)

func parseShare(text string) (float64, error) {
	m := accounting.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("go tool pprof printed no share: %.300q", text)
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	return percent / 100, err
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
	"acyclic/cmd/stormlab/storm"
)

// watching is what in this node only watches over it: the watchdog's looks, and
// what the cells write down for it with each input. (Left out are the flight
// recorder, which runs while something is suspect, and a time that each envelope
// carries.)
const watching = `acyclic/internal/adapters/watch\.|acyclic/internal/kernel/cell\.\(\*hand\)|acyclic/internal/kernel/cell\.\(\*Cell\)\.(Begin|End)$`

// profileCPU profiles the node for the length of a storm and keeps the profile
// beside the report.
func (l *lab) profileCPU(ctx context.Context, n *node, s storm.Storm, res *report.Run) {
	seconds := int(l.opts.duration().Seconds())
	if n.target.Profile == "" || seconds < 1 {
		return
	}
	const late = 30 * time.Second // a busy node may take its time to write it
	ctx, cancel := context.WithTimeout(ctx, l.opts.duration()+late)
	defer cancel()
	text, err := probe.Profile(ctx, n.target.Profile, fmt.Sprint("profile?seconds=", seconds))
	if err != nil {
		return // the storm is what counts
	}
	name := fmt.Sprintf("%s-%s.cpu.pprof", s.Name, res.Node)
	path := filepath.Join(l.opts.Out, name)
	if os.WriteFile(path, []byte(text), 0o644) != nil {
		return
	}
	res.Profile = name
}

// measure says which share of this node's time went to watching over itself. It
// comes when the node has ended, for it takes a processor for a while.
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

// share is which part of a profile's time is spent in functions that match, or
// in what they call: 0 to 1.
func share(ctx context.Context, profile, match string) (float64, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-focus="+match, profile).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go tool pprof: %w: %.300s", err, out)
	}
	return parseShare(string(out))
}

// accounting is the line of pprof that says what the shown functions come to.
var accounting = regexp.MustCompile(`Showing nodes accounting for \S+, ([0-9.]+)% of \S+ total`)

func parseShare(text string) (float64, error) {
	m := accounting.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("go tool pprof says something else than a share: %.300q", text)
	}
	percent, err := strconv.ParseFloat(m[1], 64)
	return percent / 100, err
}

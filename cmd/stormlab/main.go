// Stormlab puts real nodes, btcd and this one, under the same loads and watches
// them from outside. It reports which go on, which freeze, and what a frozen
// one waits for. See --help, and the folder storm for the loads.
//
// Everything happens on loopback, on regtest or simnet. Stormlab ends every
// process that it starts, and writes only the report. The exit status is 0 if
// this node withstood all its storms, 1 if it did not, and 2 after mistakes,
// failures and interruptions. It does not judge btcd, only report on it. (go
// run turns every failure into 1.)
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jessevdk/go-flags"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
	"acyclic/cmd/stormlab/storm"
	"acyclic/integration/nodes"
)

type options struct {
	Minutes   float64       `long:"minutes" default:"1" description:"How long each storm lasts at each node: up to 30"`
	Seed      uint64        `long:"seed" default:"1" description:"The seed of the storms' random choices"`
	Only      string        `long:"only" value-name:"NODE,..." description:"The nodes to storm: btcd-v0.24.2, btcd-v0.26.2, acyclicd (default: all)"`
	Storm     string        `long:"storm" value-name:"STORM,..." description:"The storms to run: blocks, txs, pool, testnet3, slow-readers, handshakes, liars (default: all)"`
	Out       string        `long:"out" value-name:"DIR" description:"The directory for the report (default: a new temporary directory, which is kept)"`
	MaxPeers  int           `long:"maxpeers" value-name:"N" description:"Start every node with this --maxpeers (default: the storm's, else the node's 125)"`
	Calm      time.Duration `long:"calm" default:"3s" description:"How long a node is watched before its storm begins"`
	Stall     time.Duration `long:"stall" default:"10s" description:"How long a node may be silent before it counts as stalled"`
	Grace     time.Duration `long:"grace" default:"20s" description:"How long a node may recover after the load has ended"`
	StopBound time.Duration `long:"stop" default:"20s" description:"How long a node may take to end after SIGINT"`
	NoProfile bool          `long:"noprofile" description:"Start the nodes without --profile. Goroutines are then not counted, and a stalled btcd is read only when it is ended. (btcd always serves profiles on all interfaces)"`
}

// longest bounds a storm, in minutes. The blocks of a longer storm would run
// into the future, which begins two hours from now.
const longest = 30

func (o *options) duration() time.Duration { return time.Duration(o.Minutes * float64(time.Minute)) }

// length estimates how long so many runs take if the nodes start and stop
// quickly.
func (o *options) length(runs int) time.Duration {
	return time.Duration(runs) * (o.Calm + o.duration() + o.Grace + 2*time.Second)
}

func main() {
	if probe.BeAsker(os.Args) {
		return
	}
	opts := options{}
	parser := flags.NewParser(&opts, flags.HelpFlag|flags.PassDoubleDash)
	parser.LongDescription = "Puts real nodes under the same loads and reports which go on. The exit status is 0 if this node " +
		"withstood all its storms, 1 if it did not, and 2 after mistakes, failures and interruptions."
	rest, err := parser.Parse()
	if help := (*flags.Error)(nil); errors.As(err, &help) && help.Type == flags.ErrHelp {
		fmt.Println(err)
		return
	}
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%s: not an option; options begin with --", rest[0])
	}
	if err == nil {
		err = opts.check()
	}
	if err != nil {
		fail(fmt.Errorf("%s (see --help)", strings.ReplaceAll(err.Error(), "\n", " ")))
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer cancel()
	good, err := run(ctx, opts)
	if err != nil {
		fail(err)
	}
	if !good {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "stormlab: %v\n", err)
	os.Exit(2)
}

// run runs the chosen storms and writes the report. It returns true if this
// node withstood all of them.
func run(ctx context.Context, opts options) (good bool, err error) {
	some, err := choose(kinds, opts.Only, func(k kind) string { return k.name })
	if err != nil {
		return false, fmt.Errorf("--only: %w", err)
	}
	storms, err := choose(storm.All, opts.Storm, func(s storm.Storm) string { return s.Name })
	if err != nil {
		return false, fmt.Errorf("--storm: %w", err)
	}
	if opts.Out, err = outDir(opts.Out); err != nil {
		return false, err
	}
	defer os.Remove(opts.Out) // fails if it has files
	l := &lab{opts: opts, programs: map[string]string{}, table: newTable(os.Stdout)}
	if l.dir, err = nodes.Scratch("acyclic-stormlab-"); err != nil {
		return false, err
	}
	defer os.RemoveAll(l.dir)
	if err := l.compile(ctx, some); err != nil {
		return false, err
	}
	rep := &report.Report{
		When: time.Now(), Seed: opts.Seed, Minutes: opts.Minutes, Stall: opts.Stall, Grace: opts.Grace,
		Stop: opts.StopBound, Machine: machine(),
	}
	good = l.all(ctx, rep, storms, some)
	page, err := rep.Write(opts.Out)
	if err != nil {
		return false, err
	}
	l.table.say("\nreport: %s", page)
	if ctx.Err() != nil {
		return false, fmt.Errorf("interrupted: the report leaves out %s and what would have followed", rep.Interrupted)
	}
	return good, nil
}

// check returns what is wrong with the options.
func (o *options) check() error {
	switch {
	case !(o.Minutes > 0 && o.Minutes <= longest): // NaN too
		return fmt.Errorf("--minutes=%v: want more than 0 and at most %d", o.Minutes, longest)
	case o.MaxPeers < 0:
		return fmt.Errorf("--maxpeers=%d: want 0 or more", o.MaxPeers)
	}
	for _, d := range []struct {
		name         string
		value, least time.Duration
	}{
		{"calm", o.Calm, 0}, {"stall", o.Stall, time.Second}, {"grace", o.Grace, time.Second}, {"stop", o.StopBound, time.Second},
	} {
		if d.value < d.least {
			return fmt.Errorf("--%s=%v: want at least %v", d.name, d.value, d.least)
		}
	}
	return nil
}

// compile builds the programs.
func (l *lab) compile(ctx context.Context, some []kind) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	for _, k := range some {
		l.table.say("building %s", k.name)
		l.programs[k.name] = filepath.Join(l.dir, k.name)
		err := nodes.Build(ctx, filepath.Join(root, k.dir), k.Import, l.programs[k.name])
		if ctx.Err() != nil {
			return fmt.Errorf("interrupted while building %s", k.name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// all runs every storm at every node, one after the other.
func (l *lab) all(ctx context.Context, rep *report.Report, storms []storm.Storm, some []kind) (good bool) {
	good = true
	left := len(storms) * len(some)
	for _, s := range storms {
		l.table.head(s.Name, s.About)
		rep.Storms = append(rep.Storms, report.Storm{Name: s.Name, About: s.About})
		here := &rep.Storms[len(rep.Storms)-1]
		for _, k := range some {
			l.table.hint(k.name, fmt.Sprintf("starting; %d runs to go, about %v", left, l.opts.length(left).Round(time.Minute)))
			left--
			r, err := l.run(ctx, s, k)
			if ctx.Err() != nil {
				rep.Interrupted = s.Name + " at " + k.name
				return false
			}
			if err != nil {
				r = &report.Run{Node: k.name, Ours: k.name == ours, Failed: err.Error()}
			}
			here.Runs = append(here.Runs, r)
			good = good && (!r.Ours || r.Good())
			l.table.done(r)
		}
	}
	return good
}

// choose picks by name, in the order of all. Empty names pick all.
func choose[T any](all []T, names string, name func(T) string) (some []T, err error) {
	if names == "" {
		return all, nil
	}
	want := strings.Split(names, ",")
	var known []string
	for _, t := range all {
		known = append(known, name(t))
		if slices.Contains(want, name(t)) {
			some = append(some, t)
		}
	}
	for _, w := range want {
		if !slices.Contains(known, w) {
			return nil, fmt.Errorf("%q is not one of %s", w, strings.Join(known, ", "))
		}
	}
	return some, nil
}

func outDir(dir string) (string, error) {
	if dir == "" {
		return os.MkdirTemp("", "acyclic-storms-")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(dir)
}

// machine describes this computer. The load shows how idle it was at the start.
func machine() string {
	text := fmt.Sprintf("%d processors, %s, %s/%s", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		if fields := strings.Fields(string(load)); len(fields) > 0 {
			text += ", load at the start " + fields[0]
		}
	}
	return text
}

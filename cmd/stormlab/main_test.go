package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
	"acyclic/cmd/stormlab/storm"
	"acyclic/internal/adapters/watch"
	"acyclic/internal/kernel/cell"
)

func TestMain(m *testing.M) {
	if probe.BeAsker(os.Args) {
		return
	}
	goleak.VerifyTestMain(m)
}

// short are the options of a session of some seconds.
func short(t *testing.T) options {
	return options{
		Minutes: 2.5 / 60, Seed: 1, Only: ours, Storm: "blocks", Out: t.TempDir(),
		Calm: 500 * time.Millisecond, Stall: 30 * time.Second, Grace: 2 * time.Second, StopBound: 30 * time.Second,
	}
}

func ourKind(t *testing.T) []kind {
	t.Helper()
	some, err := choose(kinds, ours, func(k kind) string { return k.name })
	if err != nil {
		t.Fatal(err)
	}
	return some
}

// TestTheLabStormsThisNode runs a whole session, but a small one.
func TestTheLabStormsThisNode(t *testing.T) {
	t.Parallel()
	opts := short(t)
	good, err := run(t.Context(), opts)
	if err != nil || !good {
		t.Fatalf("good: %v, %v", good, err)
	}
	raw, err := os.ReadFile(filepath.Join(opts.Out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rep report.Report
	if err := json.Unmarshal(raw, &rep); err != nil {
		t.Fatal(err)
	}
	r := rep.Storms[0].Runs[0]
	last := r.Samples[len(r.Samples)-1]
	if base := int32(storm.Blocks.Base.Blocks); last.Height <= base {
		t.Errorf("the tip has not moved from %d: %+v", base, last)
	}
	if last.Goroutines == 0 || last.RSS == 0 || !r.Stopped {
		t.Errorf("%s; last seen: %+v", r.Verdict(), last)
	}
	if _, err := os.Stat(filepath.Join(opts.Out, r.Profile)); r.Profile == "" || err != nil {
		t.Errorf("no profile %q: %v", r.Profile, err)
	}
	if r.CPU() == 0 || r.Watching == nil || *r.Watching > 0.5 {
		t.Errorf("%v s of processor time, %v of it watching", r.CPU(), r.Watching)
	}
	if r.Load.Dials == 0 || r.Load.Messages == 0 || r.Load.Blocks == 0 {
		t.Errorf("that was no storm: %+v", r.Load)
	}
}

// TestTheLabSeesAFrozenNode is the negative control. A node that is stopped
// when its storm begins must be called stalled, and must not end when asked.
func TestTheLabSeesAFrozenNode(t *testing.T) {
	t.Parallel()
	opts := short(t)
	opts.Stall, opts.StopBound, opts.NoProfile = 1500*time.Millisecond, 500*time.Millisecond, true
	l := &lab{opts: opts, dir: t.TempDir(), programs: map[string]string{}, table: &table{w: io.Discard}}
	nodes := ourKind(t)
	if err := l.compile(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
	var running *node
	l.started = func(n *node) { running = n }
	frozen := storm.Blocks
	frozen.Run = func(ctx context.Context, r *storm.Rig) {
		running.Signal(syscall.SIGSTOP)
		storm.Blocks.Run(ctx, r)
	}
	rep := &report.Report{}
	if l.all(t.Context(), rep, []storm.Storm{frozen}, nodes) {
		t.Error("all was well")
	}
	r := rep.Storms[0].Runs[0]
	if len(r.Stalls) == 0 || r.Recovered || r.Stopped || r.Good() {
		t.Errorf("%s: %s", r.Verdict(), fmt.Sprint(r.Stalls))
	}
	if want := "It did not answer SIGQUIT with a wait-for report."; len(r.Dumps) == 0 || r.Dumps[0].Story.Sentence != want {
		t.Errorf("in words: %+v", r.Dumps)
	}
}

// TestALivingNodeReportsOnItself makes the node report what is stuck in it.
func TestALivingNodeReportsOnItself(t *testing.T) {
	t.Parallel()
	opts := short(t)
	l := &lab{opts: opts, dir: t.TempDir(), programs: map[string]string{}, table: &table{w: io.Discard}}
	k := ourKind(t)[0]
	if err := l.compile(t.Context(), []kind{k}); err != nil {
		t.Fatal(err)
	}
	s := storm.Blocks
	n, err := startNode(t.Context(), k, l.programs[k.name], t.TempDir(), true, s.Base.Network(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Kill()
	res := &report.Run{Node: k.name, Ours: true}
	l.dump(t.Context(), n, s, res, 1)
	if want := "It reports nothing stuck; 0 of its components wait for another."; res.Dumps[0].Story.Sentence != want {
		t.Errorf("it says %q", res.Dumps[0].Story.Sentence)
	}
}

// TestWatchingIsWatching: the names behind the share exist in the code.
func TestWatchingIsWatching(t *testing.T) {
	names := regexp.MustCompile(watching)
	for _, c := range []struct {
		f    any
		want bool
	}{
		{(*watch.Watchdog).Start, true}, {(*watch.Watchdog).Report, true}, {(*cell.Cell).Begin, true}, {(*cell.Cell).End, true},
		{(*cell.System).Run, false}, {(*cell.Cell).Ended, false},
	} {
		name := runtime.FuncForPC(reflect.ValueOf(c.f).Pointer()).Name()
		if names.MatchString(name) != c.want {
			t.Errorf("%s counts as watching: %v", name, !c.want)
		}
	}
}

func TestParseShare(t *testing.T) {
	const text = "File: acyclicd\nDuration: 180s, Total samples = 40s (22%)\nActive filters:\n   focus=x\n" +
		"Showing nodes accounting for 0.10s, 0.25% of 40s total\n"
	if got, err := parseShare(text); err != nil || got != 0.0025 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := parseShare("no such file"); err == nil {
		t.Error("no share and no error")
	}
}

// TestOptions: senseless options are refused. They must not count against this
// node.
func TestOptions(t *testing.T) {
	sane := options{Minutes: 1, Calm: time.Second, Stall: 10 * time.Second, Grace: time.Second, StopBound: time.Second}
	if err := sane.check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*options){
		"--minutes=NaN": func(o *options) { o.Minutes = math.NaN() },
		"--minutes=0":   func(o *options) { o.Minutes = 0 },
		"--minutes=31":  func(o *options) { o.Minutes = 31 },
		"--maxpeers=-5": func(o *options) { o.MaxPeers = -5 },
		"--calm=-1s":    func(o *options) { o.Calm = -time.Second },
		"--stall=0s":    func(o *options) { o.Stall = 0 },
		"--grace=0s":    func(o *options) { o.Grace = 0 },
		"--stop=-1s":    func(o *options) { o.StopBound = -time.Second },
	} {
		o := sane
		change(&o)
		if err := o.check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []string{"a", "b", "c"}
	self := func(s string) string { return s }
	for names, want := range map[string]string{"": "a b c", "c,a": "a c", "b": "b"} {
		if got, err := choose(all, names, self); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v, %v", names, got, err)
		}
	}
	if _, err := choose(all, "a,d", self); err == nil || !strings.Contains(err.Error(), `"d"`) {
		t.Errorf("an unknown name: %v", err)
	}
}

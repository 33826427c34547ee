package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"acyclic/internal/proof/mutate/mutant"
)

// test is one test function of a binary.
type test struct {
	name    string
	took    time.Duration
	reached []byte // 1 for each mutant whose place it runs
}

// suite is a binary with its tests.
type suite struct {
	binary
	tests []test
}

// memory is what a test may map, in KiB, so that a mutant that allocates without end
// dies alone.
const memory = 8 << 20

// command runs tests of a binary, with at most so much time.
func (b binary) command(ctx context.Context, env, pattern string, more ...string) *exec.Cmd {
	args := append([]string{"-c", fmt.Sprintf(`ulimit -v %d; exec "$@"`, memory), "sh", b.path,
		"-test.run", pattern, "-test.failfast", "-test.timeout", "0"}, append(b.flags, more...)...)
	cmd := exec.CommandContext(ctx, "sh", args...)
	cmd.Dir, cmd.WaitDelay = b.dir, time.Second
	cmd.Env = append(os.Environ(), env, "GOMAXPROCS=2")
	return cmd
}

// survey runs each test of the binaries alone, without a mutant, and notes how long it
// takes and which mutants it reaches. A test that takes longer than limit is left out.
func survey(ctx context.Context, all []binary, mutants, jobs int, limit time.Duration, left func(string)) ([]suite, error) {
	suites := make([]suite, len(all))
	type job struct{ suite, test int }
	var queue []job
	for i, b := range all {
		out, err := b.command(ctx, "", "", "-test.list", ".").Output()
		if err != nil {
			return nil, fmt.Errorf("%s -test.list: %w", b.pkg, err)
		}
		suites[i].binary = b
		for _, name := range strings.Fields(string(out)) {
			if !strings.HasPrefix(name, "Benchmark") {
				queue = append(queue, job{i, len(suites[i].tests)})
				suites[i].tests = append(suites[i].tests, test{name: name})
			}
		}
	}
	var first error
	var mu sync.Mutex
	parallel(jobs, len(queue), func(i int) bool {
		s := &suites[queue[i].suite]
		err := s.survey(ctx, &s.tests[queue[i].test], mutants, limit)
		mu.Lock()
		defer mu.Unlock()
		if err != nil && first == nil {
			first = err
		}
		return first == nil
	})
	for i := range suites {
		s := &suites[i]
		s.tests = slices.DeleteFunc(s.tests, func(t test) bool {
			if t.took > limit {
				left(s.pkg + " " + t.name)
			}
			return t.took > limit
		})
	}
	return suites, first
}

func (b binary) survey(ctx context.Context, t *test, mutants int, limit time.Duration) error {
	f, err := os.CreateTemp(filepath.Dir(b.path), "reached")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	f.Close()
	if err := os.Truncate(f.Name(), int64(max(mutants, 1))); err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, limit+time.Second)
	defer cancel()
	began := time.Now()
	out, err := b.command(timed, mutant.EnvReached+"="+f.Name(), "^"+t.name+"$").CombinedOutput()
	t.took = time.Since(began)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && timed.Err() == nil {
		return fmt.Errorf("%s %s fails without a mutant: %w\n%s", b.pkg, t.name, err, out)
	}
	t.reached, err = os.ReadFile(f.Name())
	return err
}

// parallel calls do for each number below n, some at a time, until one returns false.
func parallel(jobs, n int, do func(int) bool) {
	numbers := make(chan int)
	var all sync.WaitGroup
	var stop sync.Once
	done := make(chan struct{})
	for range jobs {
		all.Go(func() {
			for i := range numbers {
				if !do(i) {
					stop.Do(func() { close(done) })
				}
			}
		})
	}
feed:
	for i := range n {
		select {
		case numbers <- i:
		case <-done:
			break feed
		}
	}
	close(numbers)
	all.Wait()
}

// step is some tests of one binary that run in one process.
type step struct {
	*suite
	tests []string
	took  time.Duration
}

// small tests of a package share a process. A mutant that no short test catches is not in
// a quick run.
const (
	small = 30 * time.Millisecond
	short = time.Second
)

// steps are the tests that reach a mutant: those of its own package first, and then
// the shortest.
func steps(suites []suite, m Mutant, n int) []step {
	var all []step
	for i := range suites {
		s := &suites[i]
		together := step{suite: s}
		for _, t := range s.tests {
			switch {
			case t.reached[n] == 0:
			case t.took <= small:
				together.tests, together.took = append(together.tests, t.name), together.took+t.took
			default:
				all = append(all, step{s, []string{t.name}, t.took})
			}
		}
		if len(together.tests) > 0 {
			all = append(all, together)
		}
	}
	slices.SortStableFunc(all, func(a, b step) int {
		return int(a.cost(m) - b.cost(m))
	})
	return all
}

func (s step) cost(m Mutant) time.Duration {
	if s.pkg == m.Package {
		return s.took / 10
	}
	return s.took
}

// Result is what became of a mutant.
type Result struct {
	Mutant
	Lives   bool
	Reached bool   // by any test
	By      string // the package of the test that caught it
	Test    string
	Hang    bool          // it was caught only because the test did not end
	Took    time.Duration // of the tests that caught it, when there is no mutant
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// try runs the tests that reach a mutant until one fails. One that may live is tried on
// the small tests of its own package alone: the others would run for nothing.
func (t tree) try(ctx context.Context, suites []suite, m Mutant, n int, mayLive bool) (Result, error) {
	r := Result{Mutant: m, Lives: true}
	for _, s := range steps(suites, m, n) {
		r.Reached = true
		if mayLive && (s.pkg != m.Package || s.took > short) {
			continue
		}
		timed, cancel := context.WithTimeout(ctx, t.patience+8*s.took)
		out, err := s.command(timed, fmt.Sprintf("%s=%d", mutant.EnvOn, n), "^("+strings.Join(s.tests, "|")+")$").CombinedOutput()
		late := timed.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err == nil {
			continue
		}
		if _, died := err.(*exec.ExitError); !died && !late {
			return r, fmt.Errorf("%s: %w", s.path, err)
		}
		r.Took = s.took
		r.Lives, r.By, r.Hang, r.Test = false, s.pkg, late, strings.Join(s.tests, "|")
		if found := failed.FindSubmatch(out); found != nil {
			r.Test = string(found[1])
		} else if bytes.Contains(out, []byte("panic:")) && len(s.tests) > 1 {
			r.Test = "a panic"
		}
		break
	}
	return r, nil
}

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	list  = flag.Bool("list", false, "only print the mutants")
	match = flag.String("run", "", "only mutants whose name matches this regular expression")
	tests = flag.String("tests", "", "only the tests of packages whose path matches this regular expression")
	limit = flag.Duration("limit", 10*time.Second, "leave out tests that take longer")
	quick = flag.Bool("quick", false, "only short tests without the proof's, and no mutant that needs more (SLOW.txt)")
	jobs  = flag.Int("jobs", runtime.NumCPU(), "mutants at a time")
	lasts = flag.Duration("for", 0, "stop after this time; the mutants come in another order each day")
	renew = flag.Bool("renew", false, "write TABLE.md and SLOW.txt")
)

func main() {
	flag.Parse()
	// A mutant may run for ever, so no test outlives a run that is interrupted.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	tree := project(".")
	reasons, err := read(survivorsFile)
	if err != nil {
		return err
	}
	slow, err := read(slowFile)
	if err != nil {
		return err
	}
	if err := tree.narrow(); err != nil {
		return err
	}
	s, err := tree.load()
	if err != nil {
		return err
	}
	chosen, err := choose(s.mutants, reasons, slow)
	if err != nil {
		return err
	}
	if *list {
		for _, n := range chosen {
			fmt.Println(s.mutants[n].Name)
		}
		return nil
	}
	results, err := tree.experiment(ctx, s, chosen, reasons)
	if err != nil {
		return err
	}
	if *renew {
		if len(results) < len(s.mutants) {
			return fmt.Errorf("-renew is for a run over all mutants, and %d of %d were tried", len(results), len(s.mutants))
		}
		if err := update(results); err != nil {
			return err
		}
	}
	return report(results, reasons)
}

// narrow leaves out the tests that the flags do not want.
func (t *tree) narrow() error {
	re, err := regexp.Compile(*tests)
	if err != nil {
		return err
	}
	t.tested = slices.DeleteFunc(slices.Clone(t.tested), func(p string) bool {
		return !re.MatchString(p) || *quick && strings.HasPrefix(p, "internal/proof/")
	})
	if *quick {
		*limit = min(*limit, 5*short) // a slow machine is not to leave out what is short elsewhere
	}
	return nil
}

// experiment compiles all mutants and tries the chosen ones.
func (t tree) experiment(ctx context.Context, s *sources, chosen []int, reasons map[string]string) ([]Result, error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("compiling %d mutants into the tests of %d packages\n", len(s.mutants), len(t.tested))
	all, err := t.build(s, dir)
	if err != nil {
		return nil, err
	}
	fmt.Println("running each test without a mutant")
	suites, err := survey(ctx, all, len(s.mutants), *jobs, *limit, func(name string) {
		fmt.Println("left out, longer than", *limit, "-", name)
	})
	if err != nil {
		return nil, err
	}
	return t.tryAll(ctx, suites, s.mutants, chosen, reasons)
}

// choose returns the numbers of the mutants that are asked for.
func choose(all []Mutant, reasons, slow map[string]string) ([]int, error) {
	re, err := regexp.Compile(*match)
	if err != nil {
		return nil, err
	}
	var chosen []int
	for n, m := range all {
		more := *quick && reasons[m.Name]+slow[m.Name] != ""
		if re.MatchString(m.Name) && !more {
			chosen = append(chosen, n)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("no mutant has such a name; see -list")
	}
	if *lasts > 0 {
		day := fnv.New64a()
		day.Write([]byte(time.Now().UTC().Format(time.DateOnly)))
		r := rand.New(rand.NewPCG(day.Sum64(), 0))
		r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	}
	return chosen, nil
}

// tryAll tries mutants until the time is up.
func (t tree) tryAll(ctx context.Context, suites []suite, mutants []Mutant, chosen []int, reasons map[string]string) ([]Result, error) {
	var mu sync.Mutex
	var results []Result
	var first error
	began := time.Now()
	said := began
	parallel(*jobs, len(chosen), func(i int) bool {
		if *lasts > 0 && time.Since(began) > *lasts {
			return false
		}
		m := mutants[chosen[i]]
		r, err := t.try(ctx, suites, m, chosen[i], reasons[m.Name] != "")
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			first = cmp.Or(first, err)
			return false
		}
		results = append(results, r)
		if r.Lives && reasons[r.Name] == "" {
			fmt.Println(r.says())
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Printf("%d of %d tried, %v\n", len(results), len(chosen), time.Since(began).Round(time.Second))
		}
		return true
	})
	slices.SortFunc(results, func(a, b Result) int { return strings.Compare(a.Name, b.Name) })
	return results, first
}

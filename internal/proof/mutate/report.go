package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// says tells that a mutant lives.
func (r Result) says() string {
	how := ""
	if !r.Reached {
		how = "  [no test runs it]"
	}
	return fmt.Sprintf("lives: %s%s  (%s:%d)", r.Name, how, r.File, r.Line)
}

// report prints how many live. It returns an error if one lives
// without a reason.
func report(results []Result, reasons map[string]string) error {
	lives, unknown := 0, 0
	for _, r := range results {
		if reason := reasons[r.Name]; !r.Lives && reason != "" {
			fmt.Printf("caught, though SURVIVORS.txt says it lives: %s\n", r.Name)
		}
		if !r.Lives {
			continue
		}
		lives++
		if reasons[r.Name] == "" {
			unknown++
		}
	}
	fmt.Printf("%d tried, %d live (%.1f %%), %d of them without a reason in SURVIVORS.txt\n",
		len(results), lives, percent(lives, len(results)), unknown)
	if unknown > 0 {
		return errors.New("mutants live; add a test that catches them, or a reason for which they may")
	}
	return nil
}

// update writes the files that a run over all mutants makes.
func update(results []Result) error {
	if err := os.WriteFile(tableFile, []byte(matrix(results)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(slowFile, []byte(slowList(results)), 0o644)
}

// slowList is what a quick run leaves out: the mutants that no short test outside the
// proof catches.
func slowList(results []Result) string {
	var b strings.Builder
	b.WriteString("# Made by go run ./internal/proof/mutate -renew. These need the simulator, the explorer or a test that takes longer than a second.\n")
	for _, r := range results {
		if !r.Lives && (r.Took > short || strings.HasPrefix(r.By, "internal/proof/")) {
			b.WriteString(r.Name + "\n")
		}
	}
	return b.String()
}

// row counts what became of the mutants of a package.
type row struct{ all, own, others, sim, explorer, hang, lives int }

func (w *row) count(r Result) {
	w.all++
	switch {
	case r.Lives:
		w.lives++
	case r.By == r.Package:
		w.own++
	case strings.HasSuffix(r.By, "/sim"):
		w.sim++
	case strings.HasSuffix(r.By, "/explore"):
		w.explorer++
	default:
		w.others++
	}
	if r.Hang {
		w.hang++
	}
}

func (w *row) line(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %.1f |\n",
		name, w.all, w.own, w.others, w.sim, w.explorer, w.lives, percent(w.lives, w.all))
}

func percent(part, all int) float64 { return 100 * float64(part) / float64(max(all, 1)) }

// matrix is the table of what catches what.
func matrix(results []Result) string {
	rows, total := map[string]*row{}, &row{}
	for _, r := range results {
		if rows[r.Package] == nil {
			rows[r.Package] = &row{}
		}
		rows[r.Package].count(r)
		total.count(r)
	}
	var b strings.Builder
	b.WriteString(`# What catches what

Made by ` + "`go run ./internal/proof/mutate -renew`" + `. A mutant is tried on the tests of its own
package, then on all others that run its place, the shortest first, until one fails. So a column says which tests were
needed, not how many would have failed. Tests of more than ten seconds are left out: the explorer's whole run, and the
simulator's large town. [SURVIVORS.txt](SURVIVORS.txt) has the reasons of those that live.

| package | mutants | caught by its own tests | by others' | by the simulator | by the explorer | live | live % |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		b.WriteString(rows[name].line("`" + name + "`"))
	}
	b.WriteString(total.line("all"))
	fmt.Fprintf(&b, "\nCaught only because a test did not end: %d.\n", total.hang)
	return b.String()
}

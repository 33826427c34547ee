package waitgraph

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// read loads a program; not under the race detector.
func read(t *testing.T, cfg Config, patterns ...string) *Graph {
	t.Helper()
	if race {
		t.Skip("one goroutine")
	}
	g, err := Load(cfg, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// golden compares a report with the file of that name.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is found (-update writes it):\n%s", file, got)
	}
}

// TestSmallPrograms: what is a wait, what is none, and what makes a ring, each
// in a program of its own with its report beside it.
func TestSmallPrograms(t *testing.T) {
	for name, rings := range map[string]int{
		"ring": 1, "pipeline": 0, "lockheld": 1, "trysend": 0, "reply": 0, "giveup": 1,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", name)
			g := read(t, Config{Dir: dir}, ".")
			if n := len(g.rings()); n != rings {
				t.Errorf("%d rings, want %d", n, rings)
			}
			var out strings.Builder
			g.Report(&out, regexp.MustCompile(""), false)
			golden(t, filepath.Join(dir, "report.txt"), out.String())
		})
	}
}

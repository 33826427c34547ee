package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// profile writes a profile of made-up blocks of relay and of two packages of the kernel.
// counts says how often each block was run. The first block stands in it twice, as when two
// tests have written one profile.
func profile(t *testing.T, counts string) string {
	t.Helper()
	n := strings.Fields(counts)
	text := "mode: set\n" +
		"acyclic/relay/a.go:3.10,5.3 6 " + n[0] + "\n" +
		"acyclic/relay/a.go:3.10,5.3 6 0\n" +
		"acyclic/relay/a.go:5.3,6.9 1 " + n[1] + "\n" +
		"acyclic/relay/a.go:8.2,8.9 3 " + n[2] + "\n" +
		"acyclic/internal/kernel/bus/b.go:1.1,2.2 90 " + n[3] + "\n" +
		"acyclic/internal/kernel/cell/b.go:1.1,2.2 10 " + n[4] + "\n" +
		"acyclic/internal/kernel/live/b.go:1.1,2.2 500 0\n"
	file := filepath.Join(t.TempDir(), "profile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func read(t *testing.T, bySimulator, byExplorer string) coverage {
	t.Helper()
	c := coverage{}
	for by, counts := range [runners]string{bySimulator, byExplorer} {
		if err := c.read(runner(by), profile(t, counts)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestProfilesAreMerged: a statement counts once in both, however many blocks and profiles
// name it, and packages that are counted together count by their statements.
func TestProfilesAreMerged(t *testing.T) {
	c := read(t, "2 1 0 1 0", "1 0 0 0 1")
	kernel := rows[len(rows)-1].packages()
	for _, x := range []struct {
		pkgs []string
		by   []runner
		want float64
	}{
		{[]string{"relay"}, []runner{simulator}, 70},
		{[]string{"relay"}, []runner{explorer}, 60},
		{[]string{"relay"}, []runner{simulator, explorer}, 70},
		{kernel, []runner{simulator}, 90},
		{kernel, []runner{explorer}, 10},
		{kernel, []runner{simulator, explorer}, 100},
		{[]string{"moved"}, []runner{simulator, explorer}, 0},
	} {
		if got := c.percent(x.pkgs, x.by...); got != x.want {
			t.Errorf("%v covers %v %% of %v, want %v", x.by, got, x.pkgs, x.want)
		}
	}
}

// TestMissedBarsAreNamed: the table names the bars that are missed, and only these.
func TestMissedBarsAreNamed(t *testing.T) {
	text, ok := read(t, "1 1 0 1 0", "1 1 0 0 0").table()
	if ok {
		t.Error("the table says that every bar is met")
	}
	for what, want := range map[string]bool{
		"relay: the simulator runs 70.0 %, and the bar is 90 %": true,
		"relay: the explorer":            false,
		"internal/kernel: the simulator": false,
		"server: the simulator runs 0.0": true,
	} {
		if strings.Contains(text, what) != want {
			t.Errorf("%q is there: %v, want %v, in\n%s", what, !want, want, text)
		}
	}
}

// TestUnreachedLinesAreListed: by function, adjoining blocks as one.
func TestUnreachedLinesAreListed(t *testing.T) {
	dir := t.TempDir()
	for file, src := range map[string]string{
		"relay/a.go":                "package relay\n\nfunc one() {\n\n}\n\nfunc two() {\n\n\n}\n",
		"internal/kernel/live/b.go": "package live\n\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := coverage{}
	for _, b := range []block{{"relay/a.go", 3, 4, 1, 1}, {"relay/a.go", 4, 5, 1, 1}, {"relay/a.go", 8, 8, 1, 1}} {
		c[b] = reach{statements: 1}
	}
	c[block{"relay/a.go", 9, 9, 1, 1}] = reach{statements: 1, by: [runners]bool{explorer: true}}
	for _, x := range []struct {
		by   []runner
		want string
	}{
		{[]runner{simulator, explorer}, "  relay/a.go one: 3-5\n  relay/a.go two: 8\n"},
		{[]runner{simulator}, "  relay/a.go one: 3-5\n  relay/a.go two: 8-9\n"},
	} {
		got, err := c.unreached(dir, x.by)
		if err != nil {
			t.Fatal(err)
		}
		if _, list, _ := strings.Cut(got, "\n"); list != x.want {
			t.Errorf("not reached by %v:\n%s\nwant\n%s", x.by, list, x.want)
		}
	}
}

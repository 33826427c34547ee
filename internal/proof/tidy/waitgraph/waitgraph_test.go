package waitgraph

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"acyclic/internal/proof/golden"
)

// read loads a program. Under the race detector it skips the test.
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

// TestSmallPrograms: each program in testdata shows a wait, what is no wait, or a
// ring. Its report stands beside it.
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
			golden.Equal(t, filepath.Join(dir, "report.txt"), []byte(out.String()))
		})
	}
}

// TestStreams: a call of fmt, io or bufio waits if its reader or writer does. A stream
// in memory never waits.
func TestStreams(t *testing.T) {
	g := read(t, Config{Dir: "testdata/streams"}, ".")
	for name, want := range map[string][]string{
		"main.screen":           {"leaves for fmt.Fprintln"},
		"main.both":             {"leaves for io.WriteString"},
		"(*main.keeper).copies": {"leaves for (io.Writer).Write"},
		"(*main.keeper).prints": {"leaves for (io.Writer).Write"}, // by way of counted's
		"(*main.counted).Write": {"leaves for (io.Writer).Write"},
		"(*main.memory).keeps":  nil,
		"main.copies":           {"leaves for io.Copy"},
		"main.reads":            {"leaves for io.ReadFull"},
		"main.flushes":          {"leaves for (*bufio.Writer).Flush"},
		"main.prints":           {"leaves for fmt.Println"},
		"main.calls":            {"leaves for (reflect.Value).Call"},
		"main.calculates":       nil,
		"main.mixed":            {"leaves for (*os.File).Write"},
		"main.discards":         nil,
		"main.encodes":          nil, // though main gives the same codec a file
		"main.served":           {"leaves for fmt.Fprintln"},
	} {
		var found []string
		waits, reached := g.Below(regexp.MustCompile("^" + regexp.QuoteMeta(name) + "$"))
		for _, w := range waits {
			found = append(found, w.What)
		}
		if len(reached) == 0 {
			t.Errorf("%s is not there", name)
		}
		if !slices.Equal(found, want) {
			t.Errorf("%s: found %q, want %q", name, found, want)
		}
	}
}

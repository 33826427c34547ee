package main

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/packages"

	"acyclic/internal/proof/golden"
)

// The golden file shows each kind of fault where it is put, and that what only says
// something or belongs to the proof has none.
func TestEachKindOfFault(t *testing.T) {
	name := "testdata/sample/sample.go"
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("sample", fset, []*ast.File{syntax}, info)
	if err != nil {
		t.Fatal(err)
	}
	var mutants []Mutant
	files, err := find(&packages.Package{Fset: fset, Syntax: []*ast.File{syntax}, Types: pkg, TypesInfo: info}, "sample", os.ReadFile, &mutants)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	changed := files[name].apply(source)
	if _, err := parser.ParseFile(token.NewFileSet(), name, changed, 0); err != nil {
		t.Fatalf("%v\n%s", err, changed)
	}
	if got, want := strings.Count(string(changed), "\n"), strings.Count(string(source), "\n"); got != want {
		t.Errorf("%d lines became %d: a stack trace of a mutant would name other lines", want, got)
	}
	var list strings.Builder
	for n, m := range mutants {
		fmt.Fprintf(&list, "// %d: %s\n", n, m.Name)
	}
	golden.Equal(t, "testdata/sample.golden", append([]byte(list.String()), changed...))
}

// Of two faults in a small module the tests catch one. The other one lives, and a test
// that waits for ever ends.
func TestASmallModule(t *testing.T) {
	root := t.TempDir()
	source, err := os.ReadFile("mutant/mutant.go")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":                                 "module acyclic\n\ngo 1.26\n",
		"internal/proof/mutate/mutant/mutant.go": string(source),
		"sum/sum.go": `package sum

func Sum(a, b int) int { return a + b }

func Loop() {
	var n int
	for n < 10 {
		n++
	}
}

func Seen() {
	seen = true
}

var seen bool
`,
		"sum/sum_test.go": `package sum

import "testing"

func TestSum(t *testing.T) {
	if Sum(2, 3) != 5 {
		t.Error("no")
	}
}

func TestLoop(t *testing.T) { Loop() }

func TestSeen(t *testing.T) { Seen() }
`,
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree := tree{root: root, mutated: []string{"sum"}, tested: []string{"sum"}, patience: time.Second}
	results := tryTree(t, tree)
	want := map[string]Result{
		"sum/sum.go Sum: leave out the second of a + b": {By: "sum", Test: "TestSum", Reached: true},
		"sum/sum.go Loop: skip for n < 10":              {Lives: true, Reached: true},
		"sum/sum.go Loop: off by one n < 10":            {Lives: true, Reached: true},
		"sum/sum.go Loop: drop n++":                     {By: "sum", Test: "TestLoop", Reached: true, Hang: true},
		"sum/sum.go Seen: drop seen = true":             {Lives: true, Reached: true},
	}
	for _, r := range results {
		w, ok := want[r.Name]
		if !ok {
			t.Errorf("a mutant that nobody expects: %s", r.Name)
		}
		if r.Lives != w.Lives || r.By != w.By || r.Test != w.Test || r.Reached != w.Reached || r.Hang != w.Hang {
			t.Errorf("%s: %+v, want %+v", r.Name, r, w)
		}
	}
	if len(results) != len(want) {
		t.Errorf("%d mutants, want %d", len(results), len(want))
	}
	if list := slowList(results); strings.Count(list, "\n") != 1 {
		t.Errorf("no test of the sample is slow: %s", list)
	}
	if table := matrix(results); !strings.Contains(table, "| `sum` | 5 | 2 | 0 | 0 | 0 | 3 | 60.0 |") {
		t.Errorf("two of five are caught by the package's own tests:\n%s", table)
	}
	reasons := map[string]string{}
	if report(results, reasons) == nil {
		t.Error("three mutants live without a reason, and nobody minds")
	}
	for name, r := range want {
		if r.Lives {
			reasons[name] = "the sample's tests are weak"
		}
	}
	if err := report(results, reasons); err != nil {
		t.Errorf("those that live have their reasons: %v", err)
	}
}

func tryTree(t *testing.T, tree tree) []Result {
	t.Helper()
	s, err := tree.load()
	if err != nil {
		t.Fatal(err)
	}
	all, err := tree.build(s, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	suites, err := survey(t.Context(), all, len(s.mutants), 2, time.Minute, func(name string) { t.Errorf("%s was left out", name) })
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	for n, m := range s.mutants {
		r, err := tree.try(t.Context(), suites, m, n, false)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// A reason stays only as long as its mutant.
func TestSurvivorsExist(t *testing.T) {
	s, err := project("../../..").load()
	if err != nil {
		t.Fatal(err)
	}
	var reasons map[string]string
	for _, file := range []string{"SLOW.txt", "SURVIVORS.txt"} {
		if reasons, err = read(file); err != nil {
			t.Fatal(err)
		}
		for _, name := range strangers(reasons, s.mutants) {
			t.Errorf("%s names a mutant that does not exist: %s", file, name)
		}
	}
	if lost := strangers(map[string]string{"relay/gone.go Gone: drop gone()": "why"}, s.mutants); len(lost) != 1 {
		t.Errorf("control: a mutant of a file that does not exist: %v", lost)
	}
	if most := len(s.mutants) / 20; len(reasons) > most {
		t.Errorf("%d of %d mutants may live; the bar is 5 %%, %d", len(reasons), len(s.mutants), most)
	}
}

func TestSurvivorsHaveReasons(t *testing.T) {
	for text, want := range map[string]string{
		"# why\na: drop b\n":            "",
		"a: drop b\n":                   "no reason",
		"# why\na: drop b\na: drop b\n": "twice",
	} {
		name := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		reasons, err := read(name)
		if want == "" && (err != nil || reasons["a: drop b"] != "why") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, %v; want %q", text, reasons, err, want)
		}
	}
}

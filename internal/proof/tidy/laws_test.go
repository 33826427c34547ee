package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"acyclic/internal/proof/golden"
)

var (
	lawRow  = regexp.MustCompile(`(?m)^- \*\*(L\d+)\*\* .*$`)
	lawName = regexp.MustCompile("`(Test[A-Z]\\w*)`")
	lawOf   = regexp.MustCompile(`^TestL(\d+)(Control)?[A-Z]`)
)

const laws = 12

// lawTest is a test named after a law.
type lawTest struct{ name, pkg string }

// TestLawsAreTested: a law without a test is a wish. The law's line in
// ARCHITECTURE.md names one of its tests. LAWS.md, which this test makes, lists all of
// them. A test that cannot fail does not count.
func TestLawsAreTested(t *testing.T) {
	tests, empty := testsOfLaws(readGoFiles(t))
	for _, name := range empty {
		t.Errorf("%s has nothing in it that could fail", name)
	}
	text, err := os.ReadFile(filepath.Join(top, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range untested(string(text), tests) {
		t.Error(what)
	}
	golden.Equal(t, "../LAWS.md", []byte(lawsPage(tests)))
}

// TestUntestedLawsAreFound: the check itself can fail.
func TestUntestedLawsAreFound(t *testing.T) {
	all := "- **L1** nothing waits: `TestL1A`.\n"
	for n := 2; n <= laws; n++ {
		all += fmt.Sprintf("- **L%d** so: `TestL%dA`.\n", n, n)
	}
	tests := map[int][]lawTest{}
	for n := 1; n <= laws; n++ {
		tests[n] = []lawTest{{fmt.Sprintf("TestL%dA", n), "somewhere"}}
	}
	if what := untested(all, tests); len(what) > 0 {
		t.Errorf("all is well, and it finds %q", what)
	}
	for name, change := range map[string]string{
		"a law without a line":           strings.Replace(all, "- **L7** so: `TestL7A`.\n", "", 1),
		"a test that does not exist":     strings.Replace(all, "TestL7A", "TestL7B", 1),
		"a test of another law":          strings.Replace(all, "`TestL7A`", "`TestL8A`", 1),
		"a law's line without any test":  strings.Replace(all, "`TestL7A`", "", 1),
		"a law that has no test, either": strings.Replace(all, "L7", "L77", 2),
	} {
		if len(untested(change, tests)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
	for body, want := range map[string]int{ // of tests that can fail
		"":                       0,
		`t.Skip("later")`:        0,
		`t.Log("nothing")`:       0,
		`t.Parallel(); _ = 1`:    0,
		`t.Helper(); println(1)`: 0,
		`for range 3 { f() }`:    0,
		`t.Fail()`:               1,
		`t.Run("x", func(t *testing.T) { t.Fatal("no") })`: 1,
		`if f() { t.Errorf("no") }`:                        1,
		`mustHold(t, f)`:                                   1,
		`w := world{t: t}; w.run()`:                        1,
	} {
		src := map[string]string{"x/a_test.go": "package x\nfunc TestL3A(t *testing.T) { " + body + " }\n"}
		if found, empty := testsOfLaws(src); len(found[3]) != want || len(empty) != 1-want {
			t.Errorf("%q: tests %v, empty %v, want %d that can fail", body, found, empty, want)
		}
	}
}

// untested lists the laws whose line in ARCHITECTURE.md is missing or names no test
// of theirs that exists.
func untested(text string, tests map[int][]lawTest) (all []string) {
	rows := map[string]string{}
	for _, m := range lawRow.FindAllStringSubmatch(text, -1) {
		rows[m[1]] = m[0]
	}
	for n := 1; n <= laws; n++ {
		law := fmt.Sprint("L", n)
		row := rows[law]
		if row == "" {
			all = append(all, "ARCHITECTURE.md has no line of "+law)
			continue
		}
		named := false
		for _, m := range lawName.FindAllStringSubmatch(row, -1) {
			named = named || slices.ContainsFunc(tests[n], func(l lawTest) bool { return l.name == m[1] })
		}
		if !named {
			all = append(all, law+" names none of its tests")
		}
	}
	return all
}

// harmless are the methods of testing.T that cannot fail a test.
var harmless = []string{"Skip", "Skipf", "SkipNow", "Skipped", "Log", "Logf", "Helper", "Parallel", "Name",
	"Cleanup", "Setenv", "Chdir", "TempDir", "Context", "Deadline", "Failed", "Output", "Attr"}

// canFail says whether a test calls a method of its t that can fail it, or hands its t to
// something that may.
func canFail(test *ast.FuncDecl) (can bool) {
	if len(test.Type.Params.List) == 0 || len(test.Type.Params.List[0].Names) == 0 {
		return false
	}
	t := test.Type.Params.List[0].Names[0].Name
	ours := map[*ast.Ident]bool{} // uses of t that cannot fail it
	ast.Inspect(test.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(harmless, n.Sel.Name) {
				ours[x] = true
			}
		case *ast.KeyValueExpr: // the name of a field
			if x, ok := n.Key.(*ast.Ident); ok {
				ours[x] = true
			}
		case *ast.Field: // a parameter's name
			for _, name := range n.Names {
				ours[name] = true
			}
		case *ast.Ident:
			can = can || n.Name == t && !ours[n]
		}
		return true
	})
	return can
}

// testsOfLaws finds the tests that are named after a law, and which of them cannot fail.
func testsOfLaws(files map[string]string) (tests map[int][]lawTest, empty []string) {
	tests = map[int][]lawTest{}
	for name, src := range files {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			empty = append(empty, err.Error())
			continue
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || lawOf.FindString(fn.Name.Name) == "" {
				continue
			}
			if !canFail(fn) {
				empty = append(empty, fn.Name.Name)
				continue
			}
			var n int
			fmt.Sscanf(fn.Name.Name, "TestL%d", &n)
			pkg, _ := filepath.Rel(top, filepath.Dir(name))
			tests[n] = append(tests[n], lawTest{fn.Name.Name, pkg})
		}
	}
	for n := range tests {
		slices.SortFunc(tests[n], func(a, b lawTest) int { return strings.Compare(a.name+a.pkg, b.name+b.pkg) })
	}
	return tests, empty
}

// lawsPage lists the tests of each law. Controls show that a test can fail.
func lawsPage(tests map[int][]lawTest) string {
	var b strings.Builder
	b.WriteString("# The tests of the laws\n\nMade by `go test ./internal/proof/tidy -run Laws -update`. ARCHITECTURE.md says what the laws are. A control is a\nbroken variant that its law's tests must catch. Many tests have theirs inside.\n")
	for n := 1; n <= laws; n++ {
		fmt.Fprintf(&b, "\n## L%d\n\n", n)
		for _, l := range tests[n] {
			fmt.Fprintf(&b, "- `%s` in `%s`\n", l.name, l.pkg)
		}
	}
	return b.String()
}

package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table of inputs in a component's doc.go: a row names types, then a handler
// and its file. Rows that are indented further say more about the row above.
var (
	docHeading = regexp.MustCompile(`(?m)^// # Inputs?\b.*$`)
	docRow     = regexp.MustCompile(`^//\t(\S[^\t]*?)(?:\t|\s{2,})(\S.*)$`)
	docHandler = regexp.MustCompile(`\b(?:on|become)[A-Z]\w*`)
	docFile    = regexp.MustCompile(`\b\w+\.go\b`)
)

// TestDocsNameTheInputs: a newcomer reads the table of inputs before the code, so
// it must be true. It names what the type switch of Step names, and handlers and
// files that exist.
func TestDocsNameTheInputs(t *testing.T) {
	for _, c := range components {
		if _, err := os.Stat(filepath.Join(top, c, "machine.go")); err != nil {
			continue // the vocabulary, and what only calculates
		}
		doc, err := os.ReadFile(filepath.Join(top, c, "doc.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		code := parseDir(t, filepath.Join(top, c))
		for _, what := range untrue(string(doc), code) {
			t.Errorf("%s/doc.go: %s", c, what)
		}
		if what := untrue(strings.Replace(string(doc), "actor.Stop", "actor.Halt", 1), code); len(what) != 2 {
			t.Errorf("%s: a table with an input too many and one too few has %d faults: %q", c, len(what), what)
		}
	}
}

// code is what a table of inputs is held against.
type code struct {
	inputs []string // the types that Step switches on
	funcs  map[string]bool
	files  map[string]bool
}

// untrue lists what is wrong with the table of inputs in a doc.go.
func untrue(doc string, c code) (all []string) {
	at := docHeading.FindStringIndex(doc)
	if at == nil {
		return []string{"there is no heading \"# Inputs\""}
	}
	var named []string
	for line := range strings.Lines(doc[at[1]:]) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "// # ") {
			break
		}
		row := docRow.FindStringSubmatch(line)
		if row == nil {
			continue
		}
		for _, name := range strings.Split(row[1], ",") {
			named = append(named, strings.TrimSpace(name))
		}
		for _, f := range docHandler.FindAllString(row[2], -1) {
			if !c.funcs[f] {
				all = append(all, fmt.Sprintf("the handler %s of %s does not exist", f, row[1]))
			}
		}
		for _, f := range docFile.FindAllString(row[2], -1) {
			if !c.files[f] {
				all = append(all, fmt.Sprintf("the file %s of %s does not exist", f, row[1]))
			}
		}
	}
	for _, name := range named {
		if !slices.Contains(c.inputs, name) {
			all = append(all, "Step does not know the input "+name)
		}
	}
	for _, name := range c.inputs {
		if !slices.Contains(named, name) {
			all = append(all, "the table lacks the input "+name)
		}
	}
	return all
}

// parseDir reads a component: its functions and files, and the cases of the type
// switch in Machine.Step.
func parseDir(t *testing.T, dir string) code {
	t.Helper()
	c := code{funcs: map[string]bool{}, files: map[string]bool{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		c.files[filepath.Base(name)] = true
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				c.funcs[fn.Name.Name] = true
				if fn.Recv != nil && fn.Name.Name == "Step" && filepath.Base(name) == "machine.go" {
					c.inputs = cases(fn)
				}
			}
		}
	}
	return c
}

// cases are the types of the first type switch in a function.
func cases(fn *ast.FuncDecl) (all []string) {
	ast.Inspect(fn, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSwitchStmt)
		if !ok || all != nil {
			return all == nil
		}
		for _, clause := range s.Body.List {
			for _, e := range clause.(*ast.CaseClause).List {
				all = append(all, types.ExprString(e))
			}
		}
		return false
	})
	return all
}

package bus

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lets counts the Unlocks of a source that are not deferred. Between such an Unlock and
// the end of its function somebody else may come.
func lets(t *testing.T, name string, source any) (early, all int) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	deferred := map[*ast.CallExpr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeferStmt:
			deferred[n.Call] = true
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Unlock" {
				all++
				if !deferred[n] {
					early++
				}
			}
		}
		return true
	})
	return early, all
}

// What the bus does, a rebuild above all, is one act, and so is what a mailbox does: who
// has locked it lets go when it returns. A test cannot wait for somebody who comes in
// between: that is a matter of nanoseconds.
func TestL11AnActIsOneAct(t *testing.T) {
	for _, dir := range []string{".", "../mailbox"} {
		sources, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, name := range sources {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			early, all := lets(t, name, source)
			if found += all; early > 0 {
				t.Errorf("%s unlocks %d times before a function returns", name, early)
			}
		}
		if found == 0 {
			t.Errorf("%s has no lock", dir)
		}
	}
	const broken = `package bus
func (b *Bus) Rebuild() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alive()
	b.mu.Unlock()
	b.mu.Lock()
	b.replay()
}`
	if early, all := lets(t, "control", broken); early != 1 || all != 2 {
		t.Errorf("control: %d early of %d", early, all)
	}
}

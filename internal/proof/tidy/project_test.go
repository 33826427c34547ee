package tidy

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const top = "../../.."

// vet builds the tool and runs it over packages of the project.
func vet(t *testing.T, args ...string) (string, error) {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "acyclicvet")
	if out, err := exec.Command("go", "build", "-o", tool, "./acyclicvet").CombinedOutput(); err != nil {
		t.Fatalf("building the tool: %v\n%s", err, out)
	}
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + tool}, args...)...)
	cmd.Dir = top
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// vetWith runs the tool over a package as if it had one more file.
func vetWith(t *testing.T, pkg, src string) (string, error) {
	t.Helper()
	root, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	extra := filepath.Join(t.TempDir(), "extra.go")
	overlay := filepath.Join(filepath.Dir(extra), "overlay.json")
	table, _ := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, pkg, "zz_control.go"): extra}})
	for file, text := range map[string]string{extra: src, overlay: string(table)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return vet(t, "-overlay", overlay, "./"+pkg)
}

// TestL1ComponentsHaveNothingToWaitWith holds the project to the rules.
func TestL1ComponentsHaveNothingToWaitWith(t *testing.T) {
	// go test keeps a result until a file changes that the test has looked at. It
	// does not see what go vet looks at.
	readGoFiles(t)
	if out, err := vet(t, "./..."); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestL1ABadComponentFailsTheBuild: the tool, run as go vet runs it, must fail
// on a component that starts a goroutine and waits for a lock in a library.
func TestL1ABadComponentFailsTheBuild(t *testing.T) {
	out, err := vetWith(t, "relay", `package relay

import "github.com/btcsuite/btcd/blockchain"

func control(c *blockchain.BlockChain) {
	go control(c)
	c.BestSnapshot()
}
`)
	if err == nil {
		t.Error("the tool found nothing")
	}
	for _, want := range []string{"starts a goroutine", "BestSnapshot, which calls (*sync.RWMutex).RLock"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// TestL4EveryBoundHasAName: the tool, run as go vet runs it, must fail on an adapter
// whose queue and patience have no name. TestL1ComponentsHaveNothingToWaitWith runs
// all rules, and so shows that the project has no such adapter.
func TestL4EveryBoundHasAName(t *testing.T) {
	out, err := vetWith(t, "internal/adapters/transport", `package transport

import "time"

func control() *time.Timer {
	n, patience := 1000, 90*time.Second
	queue := make(chan int, n)
	close(queue)
	return time.NewTimer(patience)
}
`)
	if err == nil {
		t.Error("the tool found nothing")
	}
	if n := strings.Count(out, "a bound without a name"); n != 2 {
		t.Errorf("%d bounds without a name, want 2, in\n%s", n, out)
	}
}

// TestTablesNameWhatExists: a package that has moved must not drop out of the
// rules in silence.
func TestTablesNameWhatExists(t *testing.T) {
	all := slices.Concat(append(floors, components, wiring, slices.Collect(maps.Keys(exempt)))...)
	for _, c := range floors[componentFloor] {
		for _, file := range slices.Concat([]string{"contract.go"}, contracts[c], adapterContracts[c]) {
			all = append(all, filepath.Join(c, file))
		}
	}
	for pkg, may := range mayImport {
		all = append(append(all, pkg), may...)
	}
	for pkg, by := range importedOnlyBy {
		all = append(append(all, pkg), by...)
	}
	for _, pkg := range all {
		if _, err := os.Stat(filepath.Join(top, pkg)); err != nil {
			t.Error(err)
		}
	}
	for _, c := range floors[componentFloor] {
		if mayImport[c] == nil {
			t.Errorf("component %s has no entry in mayImport", c)
		}
		for _, to := range mayImport[c] {
			if isAdapter(to) {
				t.Errorf("component %s may import the adapter %s", c, to)
			}
		}
	}
}

// TestFloors: the rule lets imports pass that go down, and none that goes up.
func TestFloors(t *testing.T) {
	for _, c := range []struct {
		pkg, to string
		want    bool
	}{
		{"relay", "internal/kernel/actor", true},
		{"internal/adapters/rpc", "relay", true},
		{"chain/engine", "chain", true},
		{"cmd/acyclicd", "internal/node", true},
		{"internal/proof/explore", "internal/node", true},
		{"integration", "internal/proof/fixture", true}, // beside the house
		{"internal/node", "internal/adapters/radio", true},
		{"cmd/acyclicctl", "internal/adapters/rpc/commands", true},
		{"internal/kernel/live", "internal/kernel/cell", true},

		{"internal/kernel/live", "internal/adapters/logging", false},
		{"config", "internal/node", false},
		{"netsync", "internal/adapters/book", false},
		{"chain", "chain/engine", false},
		{"internal/adapters/logging", "internal/node", false},
		{"internal/node", "cmd/acyclicd", false},
		{"internal/adapters/rpc", "internal/proof/golden", false},
		{"cmd/acyclicd", "internal/proof/fixture", false},
		{"internal/adapters/book", "internal/adapters/radio", false}, // a new adapter is for the node alone
		{"cmd/acyclicctl", "internal/adapters/rpc", false},
		{"relay/gossip", "netsync", false}, // as its component
		{"internal/kernel/actor", "config/hostport", false},
	} {
		if got := mayKnow(c.pkg, c.to); got != c.want {
			t.Errorf("%s may import %s: %v, want %v", c.pkg, c.to, got, c.want)
		}
	}
}

// TestEveryPackageHasItsRules: a new package must not escape the rules either.
func TestEveryPackageHasItsRules(t *testing.T) {
	readGoFiles(t) // see TestL1ComponentsHaveNothingToWaitWith
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = top
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		imports[names[0]] = names[1:]
	}
	for _, what := range misplaced(imports) {
		t.Error(what)
	}

	for name, control := range map[string]map[string][]string{
		"a package beside the floors": {"acyclic/internal/radio": {"net"}},
		"a package beside the house":  {"acyclic/wallet": nil},
		"an adapter's helper":         {"acyclic/internal/adapters/rpc": {"acyclic/internal/proof/explore"}},
	} {
		if len(misplaced(control)) != 1 {
			t.Errorf("%s is not found", name)
		}
	}

	for pkg, want := range map[string]bool{
		"relay": true, "relay/gossip": true, "internal/kernel/actor": true, "config/hostport": true,
		"chain/engine": false, "internal/kernel/cell": false, "internal/adapters/radio": false, "config": false,
		"internal/node": false, "cmd/acyclicd": false, "internal/proof/sim/fake": false,
	} {
		if isComponent(pkg) != want || isAdapter(pkg) == want {
			t.Errorf("%s is a component: %v, and an adapter: %v", pkg, isComponent(pkg), isAdapter(pkg))
		}
	}
}

// misplaced are the packages without rules, and those that the node is made of and
// that import an exempt one.
func misplaced(imports map[string][]string) (all []string) {
	for path, imported := range imports {
		pkg := pkgOf(path)
		if !isComponent(pkg) && !isAdapter(pkg) && !isExempt(pkg) {
			all = append(all, fmt.Sprintf("package %s is on no floor and not exempt", pkg))
		}
		for _, to := range imported {
			if p := pkgOf(to); p != "" && !isExempt(pkg) && isExempt(p) {
				all = append(all, fmt.Sprintf("package %s imports %s, which is exempt from the rules", pkg, p))
			}
		}
	}
	return all
}

// topLevel are the names at the top of the project, beside dot files.
var topLevel = []string{
	"ARCHITECTURE.md", "LICENSE", "README.md", "chain", "cmd", "config", "go.mod", "go.sum", "integration", "internal",
	"netsync", "peer", "relay", "server",
}

func TestTopLevelHoldsNothingElse(t *testing.T) {
	ignored, err := os.ReadFile(filepath.Join(top, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		built := slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			ok, _ := path.Match(strings.Trim(pattern, "/"), e.Name())
			return ok
		})
		if !built && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, e.Name())
		}
	}
	if !slices.Equal(found, topLevel) {
		t.Errorf("the top level holds\n%q, not\n%q", found, topLevel)
	}
}

// readGoFiles reads the project's Go files, those of testdata left out.
func readGoFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "testdata" || e.Name() == ".git"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go"):
			src, err := os.ReadFile(name)
			files[name] = string(src)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("only %d Go files below %s", len(files), top)
	}
	return files
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"
)

const module = "acyclic"

// mutated are the packages that get mutants: the kernel and the five components, with
// relay's trackers.
var mutated = []string{
	"internal/kernel/actor", "internal/kernel/mailbox", "internal/kernel/bus", "internal/kernel/cell",
	"internal/kernel/adapter", "internal/kernel/live", "server", "netsync", "peer", "chain", "relay", "relay/track",
}

// tested are the packages whose tests are run on them. Those that start processes are
// not among them: a process is built without the mutants.
var tested = append([]string{"internal/adapters/transport", "internal/adapters/watch", "internal/node",
	"internal/proof/steptest", "internal/proof/sim", "internal/proof/explore"}, mutated...)

// tree is a module whose packages get mutants.
type tree struct {
	root            string
	mutated, tested []string
	patience        time.Duration // before a test is said to hang, beside eight times what it takes
}

// project is this module's tree at root.
func project(root string) tree {
	return tree{root, mutated, slices.Clone(tested), 10 * time.Second}
}

// sources are the mutants of the tree and the files with all of them.
type sources struct {
	mutants []Mutant
	files   map[string][]byte // by absolute path
}

// load finds the mutants of the tree.
func (t tree) load() (*sources, error) {
	var paths []string
	for _, p := range t.mutated {
		paths = append(paths, module+"/"+p)
	}
	pkgs, err := packages.Load(&packages.Config{
		Dir: t.root, Mode: packages.LoadSyntax,
	}, paths...)
	if err != nil {
		return nil, err
	}
	s := &sources{files: map[string][]byte{}}
	for _, pkg := range pkgs {
		if len(pkg.Errors) > 0 {
			return nil, pkg.Errors[0]
		}
		all, err := find(pkg, strings.TrimPrefix(pkg.PkgPath, module+"/"), os.ReadFile, &s.mutants)
		if err != nil {
			return nil, err
		}
		for name, edits := range all {
			source, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			s.files[name] = edits.apply(source)
		}
	}
	return s, nil
}

// binary is the test of one package with all mutants in it.
type binary struct {
	pkg  string // below the module
	path string
	dir  string // where its tests run

	flags []string
}

// build compiles the tests of all packages with all mutants into dir.
func (t tree) build(s *sources, dir string) ([]binary, error) {
	root, err := filepath.Abs(t.root)
	if err != nil {
		return nil, err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, source := range s.files {
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return nil, err
		}
		to := filepath.Join(dir, "source", rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, source, 0o600); err != nil {
			return nil, err
		}
		overlay.Replace[name] = to
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return nil, err
	}
	var all []binary
	for _, p := range t.tested {
		b := binary{pkg: p, path: filepath.Join(dir, strings.ReplaceAll(p, "/", "_")+".test"), dir: filepath.Join(t.root, p)}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list, "-o", b.path, "./"+p)
		cmd.Dir = t.root
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("the mutants of %s do not compile: %w\n%s", p, err, out)
		}
		if _, err := os.Stat(b.path); errors.Is(err, os.ErrNotExist) {
			continue // it has no tests
		} else if err != nil {
			return nil, err
		}
		if help, _ := exec.Command(b.path, "-help").CombinedOutput(); bytes.Contains(help, []byte("-rapid.nofailfile")) {
			b.flags = []string{"-rapid.nofailfile"} // it is meant to fail, and nobody will replay that
		}
		all = append(all, b)
	}
	return all, nil
}

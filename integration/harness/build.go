package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The binaries are built once per run, by the go command, from this module: btcd
// as go.mod pins it. With -race our node is built with it too.
var binaries sync.Map // import path -> func() (string, error)

func binary(t testing.TB, importPath string, flags ...string) string {
	t.Helper()
	build, _ := binaries.LoadOrStore(importPath, sync.OnceValues(func() (string, error) {
		return goBuild(importPath, flags)
	}))
	path, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func goBuild(importPath string, flags []string) (string, error) {
	dir := filepath.Join(runDir, "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(importPath))
	args := append([]string{"build", "-o", path}, flags...)
	cmd := exec.Command("go", append(args, importPath)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %v\n%s", importPath, err, strings.TrimSpace(string(out)))
	}
	return path, nil
}

// BtcdBinary builds btcd and returns its path.
func BtcdBinary(t testing.TB) string {
	t.Helper()
	return binary(t, "github.com/btcsuite/btcd")
}

// AcyclicBinary builds this node and returns its path.
func AcyclicBinary(t testing.TB) string {
	t.Helper()
	return binary(t, "acyclic/cmd/acyclicd", raceFlags...)
}

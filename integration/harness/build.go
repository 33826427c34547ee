package harness

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"acyclic/integration/nodes"
)

// The binaries are built once per run from this module, so btcd is as go.mod
// pins it. With -race our node is built with it too.
var binaries sync.Map // import path -> func() (string, error)

func binary(t testing.TB, p nodes.Program, flags ...string) string {
	t.Helper()
	build, _ := binaries.LoadOrStore(p.Import, sync.OnceValues(func() (string, error) {
		dir := filepath.Join(runDir, "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		path := filepath.Join(dir, p.Name)
		return path, nodes.Build(context.Background(), "", p.Import, path, flags...)
	}))
	path, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// BtcdBinary builds btcd and returns its path.
func BtcdBinary(t testing.TB) string {
	t.Helper()
	return binary(t, nodes.Btcd)
}

// AcyclicBinary builds this node and returns its path.
func AcyclicBinary(t testing.TB) string {
	t.Helper()
	return binary(t, nodes.Acyclic, raceFlags...)
}

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
// pins it.
var binaries sync.Map // name -> func() (string, error)

func binary(t testing.TB, p nodes.Program) string {
	t.Helper()
	build, _ := binaries.LoadOrStore(p.Name, sync.OnceValues(func() (string, error) {
		dir := filepath.Join(runDir, "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		var flags []string
		if p.Name == nodes.Acyclic.Name {
			flags = raceFlags // with -race this node is built with it too
		}
		file := filepath.Join(dir, p.Name)
		return file, nodes.Build(context.Background(), "", p.Import, file, flags...)
	}))
	file, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// AcyclicBinary builds this node and returns its path.
func AcyclicBinary(t testing.TB) string {
	t.Helper()
	return binary(t, nodes.Acyclic)
}

package harness

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"acyclic/integration/nodes"
)

// Long allows tests that take minutes. Keep keeps the directories of the
// processes (data, logs, output) and prints where they are.
var (
	Long = flag.Bool("long", false, "run the larger variants of the tests")
	Keep = flag.Bool("keep", false, "keep the directories of the processes")
)

const runPrefix = "acyclic-integration-"

var runDir string // of this test binary; set by Main

// Main is for TestMain. It runs the tests, looks for goroutines that they left
// behind, and returns the exit status.
func Main(m *testing.M) int {
	dir, err := nodes.Scratch(runPrefix)
	if err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		return 1
	}
	runDir = dir

	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		select {
		case sig := <-interrupts:
			nodes.KillAll()
			os.RemoveAll(dir)
			fmt.Fprintln(os.Stderr, "harness: ended by", sig)
			os.Exit(130)
		case <-done:
		}
	}()

	status := m.Run()
	signal.Stop(interrupts)
	close(done)
	nodes.KillAll()
	if err := goleak.Find(); status == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		status = 1
	}
	if *Keep {
		fmt.Fprintln(os.Stderr, "harness: kept", dir)
	} else {
		os.RemoveAll(dir)
	}
	return status
}

// Dir makes a directory for a process. The end of the test removes it, unless
// -keep is set.
func Dir(t testing.TB, name string) string {
	t.Helper()
	if runDir == "" {
		t.Fatal("harness: TestMain must call harness.Main")
	}
	dir, err := os.MkdirTemp(runDir, name+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !*Keep {
			os.RemoveAll(dir)
		}
	})
	return dir
}

package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"acyclic/integration/nodes"
)

// Process is a process of a test. Its methods fail the test if they cannot do
// their work.
type Process struct {
	*nodes.Process
	t testing.TB
}

// Run starts a program with dir as its home and working directory. Its output
// goes to files there. If the test fails, the end of the output is logged.
func Run(t testing.TB, name, dir, program string, args ...string) *Process {
	t.Helper()
	p, err := nodes.Run(name, dir, nil, program, args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return own(t, p)
}

// own makes the test end the process.
func own(t testing.TB, p *nodes.Process) *Process {
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.Name, p.Tail())
		}
	})
	return &Process{p, t}
}

// FreeAddr returns 127.0.0.1 with a port that nobody listens on. It never
// returns a port twice.
func FreeAddr(t testing.TB) string {
	t.Helper()
	addr, err := nodes.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Signal sends a signal.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// Wait waits for the end and returns the exit status, or -1 if a signal ended
// the process. The test fails if the end does not come within the deadline. A Go
// program then prints its goroutines.
func (p *Process) Wait(deadline time.Duration) int {
	p.t.Helper()
	if p.Within(deadline) {
		return p.State().ExitCode()
	}
	stacks := p.Stacks(2 * time.Second)
	p.Kill()
	p.save(stacks)
	p.t.Fatalf("%s did not end within %v", p.Name, deadline)
	return -1
}

// save keeps the goroutines of a hung process in a file that outlives the
// test's directories.
func (p *Process) save(stacks string) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d-goroutines.txt", p.Name, p.Pid()))
	if stacks != "" && os.WriteFile(path, []byte(stacks), 0o644) == nil {
		p.t.Logf("%s: its goroutines are in %s", p.Name, path)
	}
}

package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a process that a test started.
type Process struct {
	Name string
	t    testing.TB
	cmd  *exec.Cmd
	out  map[string]string // the files that have its stdout and stderr
	done chan struct{}     // closed when it has ended
}

var running struct {
	sync.Mutex
	procs map[*Process]bool
}

// Run starts a program with dir as its home and working directory. What it
// prints goes to files there; the end of it is logged when the test fails.
func Run(t testing.TB, name, dir, program string, args ...string) *Process {
	t.Helper()
	return run(t, nil, name, dir, program, args...)
}

// run is Run, with the standard error of the process to a file of the caller's
// unless that is nil.
func run(t testing.TB, to *os.File, name, dir, program string, args ...string) *Process {
	t.Helper()
	p := &Process{Name: name, t: t, out: map[string]string{}, done: make(chan struct{})}
	create := func(stream string) *os.File { // a restarted process has files of its own
		f, err := os.CreateTemp(dir, stream+"-*")
		if err != nil {
			t.Fatal(err)
		}
		p.out[stream] = f.Name()
		return f
	}
	stdout, stderr := create("stdout"), create("stderr")
	defer stdout.Close()
	defer stderr.Close()

	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "XDG_DATA_HOME=")
	p.cmd.Stdout, p.cmd.Stderr = stdout, stderr
	if to != nil {
		p.cmd.Stderr = to
	}
	p.cmd.SysProcAttr = procAttr()

	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(p.cleanup)
	return p
}

// run starts the process and waits for it on one locked thread: on Linux the
// child is killed when the thread that started it ends, so that thread must live
// as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	running.Lock()
	err := p.cmd.Start()
	if err == nil {
		if running.procs == nil {
			running.procs = map[*Process]bool{}
		}
		running.procs[p] = true
	}
	running.Unlock()
	started <- err
	if err != nil {
		return
	}

	p.cmd.Wait() // ProcessState has what there is to know
	running.Lock()
	delete(running.procs, p)
	running.Unlock()
	close(p.done)
}

func (p *Process) cleanup() {
	p.Kill()
	if p.t.Failed() {
		p.t.Logf("%s (%s) printed:\n%s", p.Name, p.cmd.ProcessState, p.tail())
	}
}

// killAll kills every process that runs.
func killAll() {
	running.Lock()
	defer running.Unlock()
	for p := range running.procs {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// Kill ends it at once, with its children, and waits until it is gone. A
// process that has ended already is left alone.
func (p *Process) Kill() {
	if !p.Exited() {
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
	<-p.done
}

// Signal sends a signal.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%s: %v", p.Name, err)
	}
}

// Exited says whether it has ended.
func (p *Process) Exited() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Wait waits for the end and returns the exit status, -1 if a signal ended it.
// The test fails when it does not end within the deadline; a Go program says
// where it stands then.
func (p *Process) Wait(deadline time.Duration) int {
	p.t.Helper()
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-timer.C:
	}
	syscall.Kill(p.cmd.Process.Pid, syscall.SIGABRT) // Go prints all goroutines
	select {
	case <-p.done:
	case <-time.After(2 * time.Second):
		p.Kill()
	}
	p.saveStacks()
	p.t.Fatalf("%s did not end within %v", p.Name, deadline)
	return -1
}

// saveStacks keeps the goroutines that a hung process printed where the test's
// directories do not go.
func (p *Process) saveStacks() {
	_, stacks, ok := strings.Cut(p.Stderr(), "SIGABRT")
	if !ok {
		return
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d-goroutines.txt", p.Name, p.cmd.Process.Pid))
	if err := os.WriteFile(path, []byte(stacks), 0o644); err == nil {
		p.t.Logf("%s: its goroutines are in %s", p.Name, path)
	}
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Stdout returns what it has printed there so far.
func (p *Process) Stdout() string { return p.read("stdout") }

// Stderr returns what it has printed there so far.
func (p *Process) Stderr() string { return p.read("stderr") }

func (p *Process) read(stream string) string {
	out, err := os.ReadFile(p.out[stream])
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// tail returns the end of its output.
func (p *Process) tail() string {
	const most = 8 << 10
	var b strings.Builder
	for _, stream := range []string{"stdout", "stderr"} {
		out := p.read(stream)
		if len(out) > most {
			out = out[len(out)-most:]
			out = "...\n" + out[strings.IndexByte(out, '\n')+1:]
		}
		fmt.Fprintf(&b, "--- %s\n%s\n", stream, strings.TrimSpace(out))
	}
	return b.String()
}

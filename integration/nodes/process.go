package nodes

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a process that this program started.
type Process struct {
	Name string
	cmd  *exec.Cmd
	out  map[string]string // the files with its stdout and stderr
	done chan struct{}     // closed when it has ended
}

var running struct {
	sync.Mutex
	procs map[*Process]bool
}

// Run starts a program with dir as its home and working directory. Its output
// goes to files there. Standard error goes to the given file instead, unless
// that is nil.
func Run(name, dir string, stderr *os.File, program string, args ...string) (*Process, error) {
	p := &Process{Name: name, cmd: exec.Command(program, args...), out: map[string]string{}, done: make(chan struct{})}
	for stream, to := range map[string]*io.Writer{"stdout": &p.cmd.Stdout, "stderr": &p.cmd.Stderr} {
		f, err := os.CreateTemp(dir, stream+"-*") // a restarted process has new files
		if err != nil {
			return nil, err
		}
		defer f.Close()
		p.out[stream], *to = f.Name(), f
	}
	if stderr != nil {
		p.cmd.Stderr = stderr
	}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "XDG_DATA_HOME=")
	p.cmd.SysProcAttr = procAttr()

	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the process and waits for it on one locked thread. On Linux the
// kernel kills the child when the thread that started it ends. So that thread
// must live as long as the child.
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

	p.cmd.Wait() // ProcessState has the outcome
	running.Lock()
	delete(running.procs, p)
	running.Unlock()
	close(p.done)
}

// KillAll kills every process that runs, with its children.
func KillAll() {
	running.Lock()
	defer running.Unlock()
	for p := range running.procs {
		syscall.Kill(-p.Pid(), syscall.SIGKILL)
	}
}

// Kill ends the process at once, with its children, and waits until it is gone.
// It leaves a process alone that has ended already.
func (p *Process) Kill() {
	if !p.Exited() {
		syscall.Kill(-p.Pid(), syscall.SIGKILL)
	}
	<-p.done
}

// Signal sends a signal. A process that has ended needs none.
func (p *Process) Signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
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

// Within waits for the end. It returns false if the end has not come by then.
func (p *Process) Within(d time.Duration) bool {
	select {
	case <-p.done:
	case <-time.After(d):
	}
	return p.Exited()
}

// Stacks makes a Go program print its goroutines, which ends it, and returns
// them. They are empty if they have not come within the bound.
func (p *Process) Stacks(bound time.Duration) string {
	p.Signal(syscall.SIGABRT) // acyclicd goes on after SIGQUIT
	p.Within(bound)
	_, stacks, _ := strings.Cut(p.Stderr(), "SIGABRT: abort\n")
	return stacks
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// State says how it ended; nil: it runs.
func (p *Process) State() *os.ProcessState {
	if !p.Exited() {
		return nil
	}
	return p.cmd.ProcessState
}

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

// Tail returns its state and the end of its output.
func (p *Process) Tail() string {
	const most = 8 << 10
	var b strings.Builder
	if state := p.State(); state != nil {
		fmt.Fprintln(&b, state)
	}
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

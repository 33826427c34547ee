package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"acyclic/cmd/stormlab/dump"
)

// process is a node that the lab started. It does not outlive the lab.
type process struct {
	cmd    *exec.Cmd
	output string        // the file that has stdout and stderr
	done   chan struct{} // closed when it has ended
}

// startProcess starts a program with dir as its home and working directory.
func startProcess(dir, program string, args ...string) (*process, error) {
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(program, args...), output: out.Name(), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME=", "XDG_CACHE_HOME=", "XDG_DATA_HOME=")
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = procAttr()
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts it and waits for it on one locked thread: on Linux the child is
// killed when the thread that started it ends, so that thread must live as long
// as the child.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.cmd.Wait() // ProcessState has what there is to know
		close(p.done)
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) exited() bool { return p.within(0) }

// within waits for the end for some time and says whether it came.
func (p *process) within(d time.Duration) bool {
	select {
	case <-p.done:
		return true
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
		return false
	}
}

// interrupt sends SIGINT and returns how long the end took; not ok: it did not
// come within the bound.
func (p *process) interrupt(bound time.Duration) (took time.Duration, ok bool) {
	begun := time.Now()
	p.cmd.Process.Signal(syscall.SIGINT) // a process that has ended needs none
	ok = p.within(bound)
	return time.Since(begun), ok
}

// report has this node print its wait-for report and returns it; "": it has not
// within the bound.
func (p *process) report(bound time.Duration) string {
	before := len(p.printed())
	p.cmd.Process.Signal(syscall.SIGQUIT)
	for end := time.Now().Add(bound); time.Now().Before(end) && !p.within(50*time.Millisecond); {
		out := p.printed()
		out = out[min(before, len(out)):]
		if _, ok := dump.Own(out); ok {
			return out
		}
	}
	return ""
}

// printed is what it has written to stdout and stderr.
func (p *process) printed() string {
	out, _ := os.ReadFile(p.output)
	return string(out)
}

// stacks has a Go program print its goroutines, which ends it, and returns them.
func (p *process) stacks(bound time.Duration) string {
	p.cmd.Process.Signal(syscall.SIGABRT) // acyclicd goes on after SIGQUIT
	p.within(bound)
	_, stacks, _ := strings.Cut(p.printed(), "SIGABRT: abort\n")
	return stacks
}

// kill ends it at once with its children.
func (p *process) kill() {
	if !p.exited() {
		syscall.Kill(-p.pid(), syscall.SIGKILL)
	}
	<-p.done
}

// tail returns the end of what it has printed.
func (p *process) tail() string {
	const most = 2 << 10
	out, err := os.ReadFile(p.output)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s\n%s", p.cmd.ProcessState, out[max(0, len(out)-most):])
}

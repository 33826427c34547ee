package harness

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"acyclic/integration/nodes"
)

// role is set if a test runs this test binary.
const role = "ACYCLIC_HARNESS_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(role) == "sleeper" {
		time.Sleep(5 * time.Minute) // a test kills it before that
		os.Exit(0)
	}
	os.Exit(Main(m))
}

// TestInside starts a sleeper and prints its number. The tests below run it in
// another test binary, and end that.
func TestInside(t *testing.T) {
	if os.Getenv(role) != "inside" {
		t.Skip("other tests run it")
	}
	t.Setenv(role, "sleeper")
	p := Run(t, "sleeper", Dir(t, "sleeper"), os.Args[0])
	fmt.Println("sleeper:", p.Pid())
	fmt.Println("dir:", runDir)
	p.Wait(5 * time.Minute) // a test ends this binary before that
}

// inside runs TestInside in another test binary. It returns that process, the
// sleeper that it started, and its directory.
func inside(t *testing.T, args ...string) (outer *Process, sleeper int, dir string) {
	t.Helper()
	t.Setenv(role, "inside")
	outer = Run(t, "inside", Dir(t, "inside"), os.Args[0], append(args, "-test.run=^TestInside$")...)
	Eventually(t, Patience, "the sleeper runs", func() (bool, string) {
		out := outer.Stdout()
		_, pid, _ := strings.Cut(out, "sleeper: ")
		_, rest, found := strings.Cut(out, "dir: ")
		if !found || !strings.Contains(rest, "\n") {
			return false, out + outer.Stderr()
		}
		sleeper, _ = strconv.Atoi(strings.Fields(pid)[0])
		dir = strings.Fields(rest)[0]
		return true, ""
	})
	return outer, sleeper, dir
}

func wantGone(t *testing.T, pid int) {
	t.Helper()
	Eventually(t, Patience, "the process is gone", func() (bool, string) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil && strings.Contains(string(stat), ") Z ") {
			return true, "" // dead; its parent has not waited for it yet
		}
		err = syscall.Kill(pid, 0)
		return errors.Is(err, syscall.ESRCH), fmt.Sprint(err)
	})
}

func TestNothingOutlivesAnInterruptedBinary(t *testing.T) {
	outer, sleeper, dir := inside(t)
	outer.Signal(syscall.SIGINT)
	if status := outer.Wait(Patience); status != 130 {
		t.Errorf("status %d, want 130", status)
	}
	wantGone(t, sleeper)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestNothingOutlivesAKilledBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the kernel's help")
	}
	outer, sleeper, dir := inside(t)
	outer.Signal(syscall.SIGKILL)
	outer.Wait(Patience)
	wantGone(t, sleeper)
	nodes.Sweep(runPrefix)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s was not swept: %v", dir, err)
	}
}

func TestNothingOutlivesATimeout(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the kernel's help")
	}
	outer, sleeper, dir := inside(t, "-test.timeout=1s")
	if status := outer.Wait(Patience); status != 2 {
		t.Errorf("status %d, want a panic's", status)
	}
	wantGone(t, sleeper)
	nodes.Sweep(runPrefix)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s was not swept: %v", dir, err)
	}
}

func TestCleanupKillsTheProcess(t *testing.T) {
	var pid int
	t.Run("inner", func(t *testing.T) {
		t.Setenv(role, "sleeper")
		pid = Run(t, "sleeper", Dir(t, "sleeper"), os.Args[0]).Pid()
	})
	wantGone(t, pid)
}

// fake records a failure without failing this test.
type fake struct {
	*testing.T
	failure string
}

func (f *fake) Helper() {}
func (f *fake) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestEventuallySaysWhatItSaw(t *testing.T) {
	f := &fake{T: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n := 0
		Eventually(f, 30*time.Millisecond, "the impossible", func() (bool, string) {
			n++
			return false, "state " + strconv.Itoa(n)
		})
	}()
	<-done
	if !strings.Contains(f.failure, "the impossible") || !strings.Contains(f.failure, "state ") {
		t.Errorf("failed with %q", f.failure)
	}
}

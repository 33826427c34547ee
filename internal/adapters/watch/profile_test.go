package watch

import (
	"runtime"
	"testing"
)

// What a goroutine is doing is read off its stack, innermost call first.
func TestL12StatesAreReadOffTheStack(t *testing.T) {
	for _, c := range []struct {
		why   string
		stack []string
		state State
		what  string
	}{
		{"asleep on its inbox", []string{"runtime.gopark", "runtime.selectgo", "acyclic/internal/kernel/live.(*sleeper).nap", "acyclic/internal/kernel/live.(*Node).run"}, Asleep, ""},
		{"in code of its own", []string{"acyclic/chain.(*Machine).Step", "acyclic/internal/kernel/live.(*Node).run"}, Runs, ""},
		{"stopped by the scheduler", []string{"runtime.asyncPreempt", "acyclic/chain.(*Machine).Step"}, Runs, ""},
		{"in a send that does not wait", []string{"runtime.chansend", "runtime.selectnbsend", "acyclic/internal/kernel/live.(*sleeper).signal"}, Runs, ""},
		{"helps the garbage collector", []string{"runtime.gopark", "runtime.gcParkAssist", "runtime.mallocgc", "acyclic/chain.(*Machine).Step"}, Runs, ""},
		{"waits for a receive", []string{"runtime.gopark", "runtime.chanrecv", "runtime.chanrecv1", "acyclic/chain.(*Machine).Step"}, Waits, "a receive"},
		{"waits for a send", []string{"runtime.gopark", "runtime.chansend", "runtime.chansend1", "acyclic/chain.(*Machine).Step"}, Waits, "a send"},
		{"waits for a lock that is not the kernel's", []string{"runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1", "sync.runtime_SemacquireRWMutexR", "sync.(*RWMutex).RLock", "github.com/btcsuite/btcd/blockchain.(*BlockChain).BestSnapshot"}, Waits, "a lock"},
		{"waits for a leaf mutex", []string{"runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1", "internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "acyclic/internal/kernel/mailbox.(*Mailbox).Put"}, Locking, "a lock"},
		{"waits for the disk", []string{"internal/runtime/syscall.Syscall6", "syscall.Syscall", "os.(*File).Write"}, Waits, "a system call"},
		{"waits for a socket", []string{"runtime.gopark", "runtime.netpollblock", "internal/poll.runtime_pollWait", "net.(*conn).Read"}, Waits, "the network"},
	} {
		var frames []runtime.Frame
		for _, fn := range c.stack {
			frames = append(frames, runtime.Frame{Function: fn})
		}
		if state, what := state(frames); state != c.state || what != c.what {
			t.Errorf("%s: %s for %q", c.why, state, what)
		}
	}
}

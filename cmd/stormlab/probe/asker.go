package probe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"acyclic/integration/nodes"
	"acyclic/integration/wait"
)

// askerName is the hidden first argument that makes a program an asker.
const askerName = "asker"

// askEvery is the time between two questions of an asker of one kind.
const askEvery = 50 * time.Millisecond

var asked = []string{"getblockcount", "getpeerinfo"}

// Asker is a process of its own that measures the answers to RPC. It does not
// compete with the load for the Go scheduler of this process.
type Asker struct{ process *nodes.Process }

// StartAsker starts this program once more, as an asker. Its main must call
// BeAsker first.
func StartAsker(dir string, target nodes.RPC) (*Asker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if self, err = filepath.Abs(self); err != nil {
		return nil, err
	}
	p, err := nodes.Run(askerName, dir, nil, self, askerName, target.Addr, target.User, target.Pass)
	if err != nil {
		return nil, err
	}
	return &Asker{p}, nil
}

// End stops the process and returns what it has measured.
func (a *Asker) End() []Ask {
	const patience = 5 * time.Second
	a.process.Signal(syscall.SIGINT)
	a.process.Within(patience)
	a.process.Kill()
	return parseAsks(a.process.Stdout())
}

// Ask is one question of an asker.
type Ask struct {
	Method string
	At     time.Time
	Took   time.Duration // until the answer; of an open question: until the end
	OK     bool
}

// BeAsker runs the asker and returns true if the arguments ask for it.
func BeAsker(args []string) bool {
	if len(args) != 5 || args[1] != askerName {
		return false
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	ask(ctx, nodes.RPC{Addr: args[2], User: args[3], Pass: args[4], Timeout: callPatience}, os.Stdout)
	return true
}

// ask asks until ctx ends, and writes a line for each question.
func ask(ctx context.Context, target nodes.RPC, to io.Writer) {
	out := bufio.NewWriter(to)
	defer out.Flush()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, method := range asked {
		wg.Go(func() {
			for begun := time.Now(); ctx.Err() == nil; begun = time.Now() {
				err := target.Call(ctx, nil, method)
				took := time.Since(begun)
				mu.Lock()
				fmt.Fprintln(out, method, begun.UnixMicro(), took.Microseconds(), err == nil)
				mu.Unlock()
				wait.Sleep(ctx, askEvery-took)
			}
		})
	}
	wg.Wait()
}

func parseAsks(text string) (all []Ask) {
	for line := range strings.Lines(text) {
		var a Ask
		var at, took int64
		if n, _ := fmt.Sscan(line, &a.Method, &at, &took, &a.OK); n == 4 {
			a.At, a.Took = time.UnixMicro(at), time.Duration(took)*time.Microsecond
			all = append(all, a)
		}
	}
	return all
}

// Delay is how long one method took to answer, in seconds.
type Delay struct {
	Method string  `json:"method"`
	Asked  int     `json:"asked"`
	Failed int     `json:"failed"` // without an answer
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
	Most   float64 `json:"most"`
}

// Delays sums up the questions between two times. An asker has one question of a
// kind open at a time. So a long answer also counts for the questions that would
// have been asked meanwhile: each would have waited for the rest of it.
func Delays(asks []Ask, from, until time.Time) (all []Delay) {
	for _, method := range asked {
		d := Delay{Method: method}
		var took []time.Duration
		for _, a := range asks {
			if a.Method != method || a.At.Before(from) || a.At.After(until) {
				continue
			}
			d.Asked++
			if !a.OK {
				d.Failed++
			}
			took = append(took, a.Took)
			for rest := a.Took - askEvery; rest > 0; rest -= askEvery {
				took = append(took, rest)
			}
		}
		if n := len(took); n > 0 {
			slices.Sort(took)
			d.Median, d.P99, d.Most = took[n/2].Seconds(), took[n*99/100].Seconds(), took[n-1].Seconds()
			all = append(all, d)
		}
	}
	return all
}

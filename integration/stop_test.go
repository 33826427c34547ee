package integration

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/script"
)

// stopBound is how long the node may take to end under any load. Five seconds
// are its own bound; the rest is for the database to write its cache on a busy
// machine.
const stopBound = 15 * time.Second

// loaded starts a node and returns it in the middle of a slow sync. Another
// peer asks it for blocks and does not read.
func loaded(t *testing.T) *harness.Node {
	t.Helper()
	chain := newChain(1000)
	_, quick := listen(t, regtest("moderate", chain, script.Behaviour{Latency: 5 * time.Millisecond}))
	_, silent := listen(t, regtest("silent", chain, script.Behaviour{Silent: true}))
	us := start(t, harness.Options{Connect: []string{quick, silent}})
	harness.Eventually(t, harness.Patience, "the sync is on its way", func() (bool, string) {
		height := us.Height()
		return height >= 200, fmt.Sprintf("height %d", height)
	})
	awaitReady(t, dial(t, us, regtest("deaf", chain, script.Behaviour{Deaf: true, Ask: 50_000})))
	return us
}

func TestStopUnderLoad(t *testing.T) {
	oursOnly(t) // btcd may choose the silent peer to sync from
	t.Parallel()
	ways := []struct {
		name string
		stop func(*harness.Node)
	}{
		{"SIGINT", func(n *harness.Node) { n.Signal(syscall.SIGINT) }},
		{"SIGTERM", func(n *harness.Node) { n.Signal(syscall.SIGTERM) }},
		{"SIGHUP", func(n *harness.Node) { n.Signal(syscall.SIGHUP) }}, // the terminal was closed
		{"by RPC", func(n *harness.Node) { n.Call(nil, "stop") }},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			us := loaded(t)
			way.stop(us)
			if status := us.Wait(stopBound); status != 0 {
				t.Errorf("ended with status %d, want 0", status)
			}
		})
	}
}

// TestSecondSignal: a second signal ends the node at once, whatever it does.
// Its database is still good.
func TestSecondSignal(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	us := loaded(t)
	us.Signal(syscall.SIGINT)
	us.Signal(syscall.SIGTERM) // another kind, because two of a kind may arrive as one
	us.Wait(stopBound)
	us.Again(func(o *harness.Options) { o.Connect = nil }).Stop()
}

// TestReaderOfLogGoes: in "acyclicd 2>&1 | tee log", Ctrl-C ends tee too. The
// node loses its last log lines and still stops in order.
func TestReaderOfLogGoes(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	us := start(t, harness.Options{Stderr: w, MineTo: chaingen.NewWallet("us").Address()})
	us.Generate(5)
	tip := us.BestHash()
	r.Close()
	us.Stop()
	again := us.Again(func(o *harness.Options) { o.Stderr = nil })
	if got := again.BestHash(); got != tip {
		t.Errorf("the best block is %v after the restart, want %v", got, tip)
	}
	again.Stop()
}

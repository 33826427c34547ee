package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof" // --profile
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/term"

	"acyclic/chain/engine"
	"acyclic/config"
	"acyclic/internal/adapters/logging"
	"acyclic/internal/adapters/rpc"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/node"
)

// version is config.Version as Core numbers versions.
const version = 100

// daemon is what main starts and stops.
type daemon struct {
	cfg      *config.Config
	logs     *logging.Logs
	log      *logrus.Entry
	progress *progress
	rpc      *rpc.Server               // nil with --norpc
	stop     context.CancelFunc        // asks the node to stop: for a signal, or for RPC
	stopped  <-chan struct{}           // closed by stop
	node     atomic.Pointer[node.Node] // nil: not started yet
	ours     func() error              // announce, once
}

// run is the life of the process. Its error means an exit status other than 0.
func run(cfg *config.Config) (err error) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	d := &daemon{cfg: cfg, stop: stop, stopped: ctx.Done()}
	d.ours = sync.OnceValue(d.announce)
	d.logs, err = logging.New(logging.Config{
		Levels: logging.Levels(cfg.Levels), JSON: cfg.LogJSON, Dir: cfg.LogDir,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())) && !cfg.LogJSON,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.logs.Close()) }()
	d.logs.AdoptBTCD()
	d.log = d.logs.Logger("node")
	d.progress = newProgress(d.logs, cfg.Params.GenesisBlock.Header.Timestamp)
	d.watchSignals()
	d.reportOnQuit()
	if err := d.profile(); err != nil {
		return err
	}
	if err := d.bind(); err != nil {
		return err
	}
	defer d.closeRPC()

	eng, err := d.openEngine()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.closeEngine(eng)) }()
	if err := d.ours(); err != nil {
		return err
	}
	n, err := node.Start(node.Options{Config: cfg, Worker: eng.Worker(), Readers: eng.Reader(), Log: d.logs, Warn: func(s string) { d.log.Warn(s) }})
	if err != nil {
		return err
	}
	d.node.Store(n)
	if d.rpc != nil {
		d.rpc.Attach(n.RPC(cfg, version, d.stop))
	}
	d.greet(n)
	quit := d.loadPool(n, eng)
	d.await(n)
	quit()
	d.end(n)
	return n.Err()
}

// sameSignal is how long after a signal another one of its kind counts as the same: tools
// that stop a process group deliver it twice.
const sameSignal = 200 * time.Millisecond

// watchSignals makes the first SIGINT, SIGTERM or SIGHUP a request to stop. The second
// one ends the process at once.
//
// correctness: the goroutine lives as long as the process, and nothing waits for it.
func (d *daemon) watchSignals() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // nohup has it ignored
		signal.Notify(signals, syscall.SIGHUP) // the terminal was closed
	}
	// goroutines: one in the process.
	go func() {
		s := <-signals
		d.stop()
		d.log.Infof("%v: stopping; once more ends the process at once", s)
		for first, again := time.Now(), s; again == s && time.Since(first) < sameSignal; {
			again = <-signals
		}
		say("ended at once by a second signal; what was not yet written is fetched again")
		os.Exit(130)
	}()
}

// reportOnQuit prints the wait-for report to standard error on SIGQUIT, and the process
// goes on. SIGABRT still gives Go's dump of all goroutines and ends the process.
//
// correctness: the goroutine lives as long as the process, and nothing waits for it. It
// holds nothing while it waits for a signal or for standard error.
func (d *daemon) reportOnQuit() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGQUIT)
	// goroutines: one in the process.
	go func() {
		for range signals {
			n := d.node.Load()
			if n == nil {
				fmt.Fprintln(os.Stderr, "acyclicd: no wait-for report: the components do not run yet")
				continue
			}
			fmt.Fprint(os.Stderr, n.Watch.Report().Text())
			d.log.Info("SIGQUIT: the wait-for report went to standard error") // may wait for the disk
		}
	}()
}

// profile serves net/http/pprof with --profile.
func (d *daemon) profile() error {
	if d.cfg.ProfileAddr == "" {
		return nil
	}
	l, err := net.Listen("tcp", d.cfg.ProfileAddr)
	if err != nil {
		return fmt.Errorf("--profile=%s: cannot listen there, %w; choose another port", d.cfg.ProfileAddr, errno(err))
	}
	d.log.Infof("profiles on http://%s/debug/pprof", l.Addr())
	// goroutines: one in the process, and one for each client of the profiles.
	go http.Serve(l, nil) //correctness: nothing waits for it; it ends with the process.
	return nil
}

// bind takes the addresses, so that a mistake in them is seen before anything
// is opened.
func (d *daemon) bind() (err error) {
	cfg := d.cfg
	for _, addr := range cfg.Listen {
		// The node listens when it can serve. This only checks the address.
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("--listen=%s: cannot listen there, %w; want a free address of this machine (is another node running?)", addr, errno(err))
		}
		l.Close()
	}
	if len(cfg.RPCListen) == 0 {
		return nil
	}
	d.rpc, err = rpc.Bind(rpc.Config{
		Bounds: rpc.DefaultBounds(),
		Listen: cfg.RPCListen, User: cfg.RPCUser, Pass: cfg.RPCPass,
		CookieFile: cfg.CookieFile, Log: d.logs.Logger("rpc"),
	})
	return err
}

// errno is what the system said, without the address that the message names.
func errno(err error) error {
	if no := syscall.Errno(0); errors.As(err, &no) {
		return no
	}
	return err
}

// announce is called when the data directory is ours. Before that, no other process may be
// disturbed.
//
// correctness: a second call of ours waits until the first has written the cookie and
// started goroutines. The first waits for nothing.
func (d *daemon) announce() error {
	d.log.Infof("acyclicd %s on %s, data in %s", config.Version, d.cfg.Params.Name, d.cfg.DataDir)
	if d.rpc == nil {
		return nil
	}
	return d.rpc.Serve()
}

func (d *daemon) openEngine() (*engine.Engine, error) {
	cfg := d.cfg
	return engine.Open(engine.Config{
		DataDir: cfg.DataDir, Params: cfg.Params,
		UtxoCacheBytes: cfg.UtxoCacheBytes, PruneBytes: cfg.PruneBytes,
		NoCheckpoints: len(cfg.Params.Checkpoints) == 0,
		Pool:          poolConfig(cfg),
		Interrupt:     d.stopped,
		Progress: func(p engine.Progress) {
			d.ours()
			text := describe(p)
			if d.rpc != nil {
				d.rpc.Warmup(text)
			}
			d.progress.banner(text)
		},
		Log: func(level actor.Level, msg string) {
			d.logs.Record("engine", node.EngineWorker, actor.Record{Level: level, Msg: msg})
		},
	})
}

// poolConfig are the settings of the pool of transactions.
func poolConfig(cfg *config.Config) engine.PoolConfig {
	fee := cfg.MinRelayTxFee
	if fee == 0 {
		fee = engine.FreeRelay
	}
	return engine.PoolConfig{MaxBytes: cfg.MaxMempool, MinRelayFee: fee, Expiry: cfg.MempoolExpiry, Persist: cfg.PersistMempool}
}

// loadPool begins to load mempool.dat. quit ends that, and returns when it has ended.
//
// correctness: the loader waits for the disk and for answers, and nobody waits for it but
// quit. quit ends its wait for answers. Then it waits for a read of the disk at most.
func (d *daemon) loadPool(n *node.Node, e *engine.Engine) (quit func()) {
	if !d.cfg.PersistMempool {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	// goroutines: one in the process.
	go func() {
		defer close(ended)
		n.LoadPool(ctx, node.PoolFile{
			Path: e.PoolPath(), Expiry: d.cfg.MempoolExpiry, Loaded: e.SetPoolLoaded,
			Log: func(level actor.Level, msg string) {
				d.logs.Record("node", node.Loader, actor.Record{Level: level, Msg: msg})
			},
		})
	}()
	return func() {
		cancel()
		<-ended
	}
}

// describe says what the engine is busy with.
func describe(p engine.Progress) string {
	if p.Total > 0 {
		return fmt.Sprintf("%s: %d of %d (%v)", p.Stage, p.Done, p.Total, p.Elapsed.Round(time.Second))
	}
	return fmt.Sprintf("%s (%v)", p.Stage, p.Elapsed.Round(time.Second))
}

func (d *daemon) closeEngine(e *engine.Engine) error {
	start := time.Now()
	d.progress.banner("writing the chain state to disk")
	if err := e.Close(); err != nil {
		return err
	}
	d.log.Infof("stopped; the chain state was written in %v", time.Since(start).Round(time.Millisecond))
	return nil
}

// lastAnswers is how long RPC requests that are under way get when the node stops.
const lastAnswers = time.Second

// closeRPC stops serving.
func (d *daemon) closeRPC() {
	if d.rpc == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	if err := d.rpc.Close(ctx); err != nil {
		d.log.Debugf("rpc: %v", err)
	}
	d.rpc = nil
}

func (d *daemon) greet(n *node.Node) {
	for _, a := range n.Listening {
		d.log.Infof("listening for peers on %s", a)
	}
	if d.rpc != nil {
		how := "cookie " + d.cfg.CookieFile
		if d.cfg.RPCUser != "" {
			how = "user " + d.cfg.RPCUser
		}
		d.log.Infof("RPC on %s (%s)", strings.Join(d.rpc.Addrs(), ", "), how)
	}
}

// await shows progress until a user asks for the node to stop, or a component halts it.
//
// correctness: the main goroutine waits here, holding nothing. A signal, RPC stop or a
// halt ends the wait.
func (d *daemon) await(n *node.Node) {
	ctx, cancel := context.WithCancel(context.Background())
	shown := make(chan struct{})
	// goroutines: one while await waits.
	go func() {
		defer close(shown)
		d.progress.run(ctx, n.Display())
	}()
	select {
	case <-d.stopped:
	case <-n.Halted():
		d.log.Errorf("stopping: %v", n.Err())
	}
	cancel()
	<-shown
}

// end stops RPC and the node. The log names what does not stop within its bound. The
// process ends all the same.
func (d *daemon) end(n *node.Node) {
	d.progress.banner("stopping")
	if d.rpc != nil {
		d.rpc.Warmup("Shutting down…")
	}
	d.closeRPC()
	if err := n.Stop(); err != nil {
		d.log.Warnf("%v", err)
	}
}

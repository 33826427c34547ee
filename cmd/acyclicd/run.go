package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	_ "net/http/pprof" // --profile
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/term"

	"acyclic/chain/engine"
	"acyclic/config"
	"acyclic/internal/actor"
	"acyclic/internal/logging"
	"acyclic/internal/node"
	"acyclic/internal/rpc"
)

// version is config.Version as Core numbers versions.
const version = 100

// daemon is what main starts and stops.
type daemon struct {
	cfg      *config.Config
	logs     *logging.Logs
	log      *logrus.Entry
	progress *logging.Progress
	stop     stopper
}

// run is the life of the process. Its error is the reason of an exit status
// other than 0.
func run(cfg *config.Config) (err error) {
	d := &daemon{cfg: cfg, stop: stopper{ch: make(chan struct{})}}
	d.logs, err = logging.New(logging.Config{
		Levels: cfg.Levels, Format: cfg.LogFormat, Dir: cfg.LogDir,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())) && cfg.LogFormat == logging.Text,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.logs.Close()) }()
	d.logs.AdoptBTCD()
	d.log = d.logs.Logger("node")
	d.progress = logging.NewProgress(d.logs, cfg.Params.GenesisBlock.Header.Timestamp)
	d.watchSignals()
	if err := d.profile(); err != nil {
		return err
	}

	d.log.Infof("acyclicd %s on %s, data in %s", config.Version, cfg.Params.Name, cfg.DataDir)
	eng, err := d.openEngine()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.closeEngine(eng)) }()

	server, err := d.startRPC()
	if err != nil {
		return err
	}
	n, err := node.Start(node.Options{Config: cfg, Engine: eng, Log: d.logs, Warn: func(s string) { d.log.Warn(s) }})
	if err != nil {
		return errors.Join(err, closeRPC(server))
	}
	if server != nil {
		server.Attach(n.RPC(cfg, version, d.stop.request))
	}
	d.greet(n, server)
	d.await(n)
	return errors.Join(n.Err(), d.end(n, server))
}

// stopper is the request to stop, from a signal or from RPC.
type stopper struct {
	once sync.Once
	ch   chan struct{}
}

func (s *stopper) request() { s.once.Do(func() { close(s.ch) }) }

// watchSignals turns the first SIGINT or SIGTERM into a request to stop; the
// second one ends the process at once.
//
// correctness: a goroutine of its own for the life of the process; nobody waits
// for it.
func (d *daemon) watchSignals() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		s := <-signals
		d.log.Infof("%v: stopping; once more ends the process at once", s)
		d.stop.request()
		<-signals
		fmt.Fprintln(os.Stderr, "acyclicd: ended at once by a second signal; what was not yet written is fetched again")
		os.Exit(130)
	}()
}

// profile serves net/http/pprof with --profile.
func (d *daemon) profile() error {
	if d.cfg.ProfileAddr == "" {
		return nil
	}
	l, err := listenLoopback(d.cfg.ProfileAddr)
	if err != nil {
		return err
	}
	d.log.Infof("profiles on http://%s/debug/pprof", l.Addr())
	go http.Serve(l, nil) // ends with the process
	return nil
}

func (d *daemon) openEngine() (*engine.Engine, error) {
	cfg := d.cfg
	return engine.Open(engine.Config{
		DataDir: cfg.DataDir, Params: cfg.Params,
		UtxoCacheBytes: cfg.UtxoCacheBytes, PruneBytes: cfg.PruneBytes,
		NoCheckpoints: len(cfg.Params.Checkpoints) == 0,
		Interrupt:     d.stop.ch,
		Progress: func(p engine.Progress) {
			d.progress.Banner(describe(p))
		},
		Log: func(level actor.Level, msg string) {
			d.logs.Record("engine", node.EngineWorker, actor.Record{Level: level, Msg: msg})
		},
	})
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
	d.progress.Banner("writing the chain state to disk")
	if err := e.Close(); err != nil {
		return err
	}
	d.log.Infof("stopped; the chain state was written in %v", time.Since(start).Round(time.Millisecond))
	return nil
}

// startRPC serves RPC; nil with --norpc.
func (d *daemon) startRPC() (*rpc.Server, error) {
	cfg := d.cfg
	if len(cfg.RPCListen) == 0 {
		return nil, nil
	}
	return rpc.Start(rpc.Config{
		Listen: cfg.RPCListen, User: cfg.RPCUser, Pass: cfg.RPCPass,
		CookieFile: cfg.CookieFile, Log: d.logs.Logger("rpc"),
	})
}

func closeRPC(s *rpc.Server) error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return s.Close(ctx)
}

func (d *daemon) greet(n *node.Node, s *rpc.Server) {
	for _, a := range n.Listening {
		d.log.Infof("listening for peers on %s", a)
	}
	if s != nil {
		how := "cookie " + d.cfg.CookieFile
		if d.cfg.RPCUser != "" {
			how = "user " + d.cfg.RPCUser
		}
		d.log.Infof("RPC on %s (%s)", strings.Join(s.Addrs(), ", "), how)
	}
}

// await shows progress until somebody asks for the node to stop or a component
// had to halt it.
//
// correctness: the main goroutine waits here, holding nothing; a signal, RPC
// stop or a halt ends it.
func (d *daemon) await(n *node.Node) {
	ctx, cancel := context.WithCancel(context.Background())
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		d.progress.Run(ctx, n.Status)
	}()
	select {
	case <-d.stop.ch:
	case <-n.Halted():
		d.log.Errorf("stopping: %v", n.Err())
	}
	cancel()
	<-shown
}

// end stops RPC and the node. What does not stop within its bound is named and
// left behind: the process ends all the same.
func (d *daemon) end(n *node.Node, s *rpc.Server) error {
	d.progress.Banner("stopping")
	if s != nil {
		s.Warmup("Shutting down…")
		if err := closeRPC(s); err != nil {
			d.log.Debugf("rpc: %v", err)
		}
	}
	if err := n.Stop(); err != nil {
		d.log.Warnf("%v", err)
	}
	return nil
}

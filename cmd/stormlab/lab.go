package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"acyclic/cmd/stormlab/dump"
	"acyclic/cmd/stormlab/probe"
	"acyclic/cmd/stormlab/report"
	"acyclic/cmd/stormlab/storm"
	"acyclic/integration/wait"
)

// lab runs storms at nodes.
type lab struct {
	opts     options
	dir      string            // for the processes; removed at the end
	programs map[string]string // by the kind's name
	table    *table
	started  func(*node) // for tests; nil: nothing
}

// run drives one storm at one node.
func (l *lab) run(ctx context.Context, s storm.Storm, k kind) (*report.Run, error) {
	res := &report.Run{Node: k.name, Ours: k.name == ours}
	if why, ok := k.lacks[s.Name]; ok {
		res.Skipped = why
		return res, nil
	}
	dir, err := os.MkdirTemp(l.dir, k.name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	args := s.Args
	if l.opts.MaxPeers > 0 {
		args = append(args, fmt.Sprint("--maxpeers=", l.opts.MaxPeers))
	}
	n, err := startNode(ctx, k, l.programs[k.name], dir, !l.opts.NoProfile, s.Base.Network(), args)
	if err != nil {
		return nil, err
	}
	if l.started != nil {
		l.started(n)
	}
	res.Args = args

	feed := storm.NewFeed(n.target.P2P.Addr, s.Base, l.opts.Seed)
	n.target.Offered = feed.Height
	rig := storm.NewRig(s, n.target.P2P, feed, l.opts.Seed)
	rig.Grace = l.opts.Grace
	feedCtx, endFeed := context.WithCancel(ctx)
	var fed sync.WaitGroup
	fed.Go(func() { feed.Run(feedCtx) })
	defer func() {
		endFeed()
		n.Kill()
		fed.Wait()
	}()
	if err := n.await(ctx, feed.Height()); err != nil {
		return nil, fmt.Errorf("%s does not accept the initial chain: %w", k.name, err)
	}

	l.weather(ctx, s, n, rig, res)
	if ctx.Err() != nil {
		return nil, ctx.Err() // half a run proves nothing
	}
	res.Load = rig.Load.Counts()
	endFeed()
	l.stop(ctx, n, res, s)
	l.measure(ctx, res)
	return res, nil
}

// weather is calm, storm and grace period, while the probe watches.
func (l *lab) weather(ctx context.Context, s storm.Storm, n *node, rig *storm.Rig, res *report.Run) {
	p := probe.New(n.target)
	begun := time.Now()
	since := func() float64 { return time.Since(begun).Seconds() }
	var now atomic.Value // the weather, for the table
	now.Store("calm")
	probeCtx, endProbe := context.WithCancel(ctx)
	var watch, dumping sync.WaitGroup
	watch.Go(func() {
		dumped := false
		p.Run(probeCtx, func(sample probe.Sample) {
			stalls := probe.Stalls(p.Samples(), l.opts.Stall)
			if len(stalls) > 0 && !dumped {
				dumped = true
				dumping.Go(func() { l.dump(ctx, n, s, res, sample.At) })
			}
			l.table.show(res.Node, now.Load().(string), stalls, sample)
		})
	})

	listenCtx, endListen := context.WithCancel(ctx)
	rig.Life = listenCtx
	watch.Go(func() { rig.Ledger.Listen(listenCtx, rig.Node) })
	asker, err := probe.StartAsker(n.Opts.Dir, n.RPC)
	if err != nil {
		l.table.say("no asker: %v", err)
	}
	wait.Sleep(ctx, l.opts.Calm)
	now.Store("storm")
	res.StormFrom = since()
	used := own()
	stormCtx, endStorm := context.WithTimeout(ctx, l.opts.duration())
	var profiling sync.WaitGroup
	profiling.Go(func() { l.profileCPU(ctx, n, s, res) })
	s.Run(stormCtx, rig)
	endStorm()
	now.Store("load over")
	res.StormUntil, res.LoadCPU = since(), own()-used

	// The load is over, and the chain still grows. Does the node recover?
	graceCtx, endGrace := context.WithTimeout(ctx, l.opts.Grace)
	rig.Beat(graceCtx)
	endGrace()
	res.Relayed = rig.Ledger.Relayed()
	endListen()
	rig.Wait()
	if asker != nil {
		at := func(second float64) time.Time { return begun.Add(time.Duration(second * float64(time.Second))) }
		res.Delays = probe.Delays(asker.End(), at(res.StormFrom), at(res.StormUntil))
	}
	endProbe()
	watch.Wait()
	dumping.Wait()
	profiling.Wait()
	res.Samples = p.Samples()
	res.Stalls = probe.Stalls(res.Samples, l.opts.Stall)
	if last := len(res.Stalls) - 1; last >= 0 && ctx.Err() == nil {
		res.Recovered = res.Stalls[last].Ended
		l.dump(ctx, n, s, res, since())
	}
}

// dump records what the goroutines of a stalled node wait for.
func (l *lab) dump(ctx context.Context, n *node, s storm.Storm, res *report.Run, at float64) {
	own, text := l.ask(ctx, n, res), ""
	if n.target.Profile != "" {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		text, _ = probe.Profile(ctx, n.target.Profile, "goroutine?debug=2")
	}
	l.keep(res, s, at, own, text)
}

// ask returns this node's report on what is stuck in it. It returns "" for
// other programs, and if the node does not answer.
func (l *lab) ask(ctx context.Context, n *node, res *report.Run) string {
	const patience = 5 * time.Second
	if !res.Ours {
		return ""
	}
	return n.report(ctx, patience)
}

// keep stores a dump beside the report and puts it into words. For btcd the
// words come from its goroutines; this node reports itself what is stuck in it.
func (l *lab) keep(res *report.Run, s storm.Storm, at float64, own, text string) {
	story := dump.Explain(dump.Parse(text))
	if res.Ours {
		words, ok := dump.Own(own)
		if !ok {
			words.Sentence = "It did not answer SIGQUIT with a wait-for report."
		}
		story.Sentence = words.Sentence
		text = own + "\n" + text
	}
	if text == "" {
		return
	}
	name := fmt.Sprintf("%s-%s-goroutines-%d.txt", s.Name, res.Node, len(res.Dumps)+1)
	if err := os.WriteFile(filepath.Join(l.opts.Out, name), []byte(text), 0o644); err != nil {
		name = ""
	}
	res.Dumps = append(res.Dumps, report.Dump{At: at, File: name, Story: story})
}

// stop asks the node to end. If the node does not end in time, stop kills it.
func (l *lab) stop(ctx context.Context, n *node, res *report.Run, s storm.Storm) {
	if n.Exited() {
		res.Crashed = n.Tail()
		return
	}
	l.table.hint(res.Node, "SIGINT sent; it has "+l.opts.StopBound.String()+" to end")
	took, ok := n.interrupt(l.opts.StopBound)
	res.StopTook, res.Stopped = took.Seconds(), ok
	if !ok {
		own := l.ask(ctx, n, res)
		if text := n.Stacks(min(l.opts.StopBound, 5*time.Second)); len(res.Dumps) < 2 {
			l.keep(res, s, res.End()+took.Seconds(), own, text)
		}
		n.Kill()
	}
}

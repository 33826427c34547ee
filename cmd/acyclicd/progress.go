package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"acyclic/internal/adapters/logging"
	"acyclic/internal/kernel/adapter"
	"acyclic/netsync"
	"acyclic/server"
)

// How often the progress of the sync is shown.
const (
	liveEvery = time.Second      // on a terminal
	lineEvery = 10 * time.Second // as log lines, while syncing
	idleEvery = 10 * time.Minute // as log lines, while there is no peer to sync from
)

// progress shows how far the sync is. On a terminal it is one live line. Otherwise
// it is a log line every ten seconds for as long as there is something to fetch.
type progress struct {
	logs    *logging.Logs
	genesis time.Time // where the time axis of the header download begins
	sync    netsync.Status
	server  server.Status

	lastPhase netsync.Phase
	last      map[string]time.Time // when a kind of line was last logged
}

// newProgress shows progress on logs. genesis is the time of the network's
// first block.
func newProgress(logs *logging.Logs, genesis time.Time) *progress {
	return &progress{logs: logs, genesis: genesis, last: map[string]time.Time{}}
}

// run shows what the node publishes about itself, until ctx ends.
//
// correctness: an adapter waits here, holding nothing. Each wait ends within liveEvery.
// Only await waits for it.
func (p *progress) run(ctx context.Context, node adapter.Subscription) {
	defer p.logs.Live("")
	for ctx.Err() == nil {
		p.hear(ctx, node)
		p.show(time.Now())
	}
}

// hear takes what the node publishes in the next liveEvery.
//
// correctness: as run.
func (p *progress) hear(ctx context.Context, node adapter.Subscription) {
	ctx, cancel := context.WithTimeout(ctx, liveEvery)
	defer cancel()
	for {
		event, err := node.Next(ctx)
		switch e := event.(type) {
		case netsync.Status:
			p.sync = e
		case server.Status:
			p.server = e
		}
		if err != nil {
			<-ctx.Done() // a node that has stopped publishes nothing
			return
		}
	}
}

// show shows the state as it is now, if netsync has told it.
func (p *progress) show(now time.Time) {
	if p.sync == (netsync.Status{}) {
		return
	}
	line := describeSync(now, p.genesis, p.sync, p.server)
	log := p.logs.Logger("netsync")
	phase := p.sync.Phase
	arrived := phase == netsync.Following && p.lastPhase != netsync.Following
	p.lastPhase = phase
	if arrived && p.due("arrival", now, lineEvery) {
		log.Infof("in sync at block %d", p.sync.Tips.Block.Height)
	}
	switch {
	case p.logs.Live(line):
	case phase == netsync.Following:
	case phase == netsync.Idle:
		if p.due("idle", now, idleEvery) {
			log.Info(line)
		}
	case p.due("line", now, lineEvery):
		log.Info(line)
	}
}

// due says whether a kind of line is to be logged again, and notes the time.
func (p *progress) due(kind string, now time.Time, every time.Duration) bool {
	if last, ok := p.last[kind]; ok && now.Sub(last) < every {
		return false
	}
	p.last[kind] = now
	return true
}

// banner shows a text on the live line, or logs it if there is none. main uses it when it
// stops ("writing the chain state to disk").
func (p *progress) banner(text string) {
	if !p.logs.Live(text) {
		p.logs.Logger("node").Info(text)
	}
}

// describeSync says in one line of ASCII how far the sync is.
func describeSync(now, genesis time.Time, sync netsync.Status, srv server.Status) string {
	parts := []string{sync.Phase.String()}
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	tips := sync.Tips
	switch sync.Phase {
	case netsync.Idle:
		parts[0] = "no peer to sync from"
		add("block %d of %d", tips.Block.Height, tips.Header.Height)
		if srv.Dialling > 0 {
			add("dialling %d", srv.Dialling)
		}
		add("%d addresses known", srv.Known)
	case netsync.Headers:
		add("header %d", tips.Header.Height)
		add("%.0f/s", sync.HeaderRate)
		add("%s by time", percent(tips.Header.Time.Sub(genesis).Seconds(), now.Sub(genesis).Seconds()))
		add("block %d", tips.Block.Height)
	case netsync.Blocks:
		add("block %d of %d", tips.Block.Height, tips.Header.Height)
		add("%s blocks/s", rate(sync.BlockRate))
		add("%s", percent(float64(tips.Block.Height), float64(tips.Header.Height)))
		add("%s left", left(tips.Header.Height-tips.Block.Height, sync.BlockRate))
	case netsync.Following:
		add("block %d", tips.Block.Height)
		add("%s old", age(now.Sub(tips.Block.Time)))
	}
	peers := "%d peers"
	if sync.Peers == 1 {
		peers = "%d peer"
	}
	add(peers, sync.Peers)
	return strings.Join(parts, ", ")
}

// percent never says 100 before it is true.
func percent(part, whole float64) string {
	if whole <= 0 || part < 0 {
		return "0.0%"
	}
	if part >= whole {
		return "100%"
	}
	return fmt.Sprintf("%.1f%%", min(100*part/whole, 99.9))
}

func rate(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return fmt.Sprintf("%.0f", perSecond)
}

// left says how long n blocks take at a rate.
func left(n int32, perSecond float64) string {
	if perSecond < 0.01 {
		return "unknown time"
	}
	return age(time.Duration(float64(n) / perSecond * float64(time.Second)))
}

// age says a duration with one or two units.
func age(d time.Duration) string {
	d = max(d, 0)
	const day = 24 * time.Hour // as people count
	switch {
	case d/time.Minute == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	case d/time.Hour == 0:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d/day == 0:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
}

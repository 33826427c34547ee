package logging

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"acyclic/netsync"
	"acyclic/server"
)

// How often the progress of the sync is shown.
const (
	liveEvery = time.Second      // on a terminal
	lineEvery = 10 * time.Second // as log lines, while syncing
	idleEvery = 10 * time.Minute // as log lines, while there is nobody to sync from
)

// Source asks the components how far they are. It may wait until ctx ends.
type Source func(ctx context.Context) (netsync.Status, server.Status, error)

// Progress shows how far the sync is: on a terminal as one live line, otherwise
// as a log line every ten seconds for as long as there is something to fetch.
type Progress struct {
	logs      *Logs
	genesis   time.Time // where the time axis of the header download begins
	lastPhase netsync.Phase
	last      map[string]time.Time // when a kind of line was last logged
}

// NewProgress shows progress on logs; genesis is the time of the network's
// first block.
func NewProgress(logs *Logs, genesis time.Time) *Progress {
	return &Progress{logs: logs, genesis: genesis, last: map[string]time.Time{}}
}

// Run shows what source says until ctx ends. When source has no answer the
// last line stays.
//
// correctness: an adapter of its own; it holds nothing while it waits for the
// clock or for source, and nobody waits for it.
func (p *Progress) Run(ctx context.Context, source Source) {
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	defer p.logs.sink.setLive("")
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sync, srv, err := source(ctx)
		if err == nil && ctx.Err() == nil {
			p.Show(time.Now(), sync, srv)
		}
	}
}

// Show shows one state.
func (p *Progress) Show(now time.Time, sync netsync.Status, srv server.Status) {
	line := Line(now, p.genesis, sync, srv)
	log := p.logs.Logger("netsync")
	arrived := sync.Phase == netsync.Following && p.lastPhase != netsync.Following
	p.lastPhase = sync.Phase
	if arrived && p.due("arrival", now, lineEvery) {
		log.Infof("in sync at block %d", sync.Tips.Block.Height)
	}
	switch {
	case p.logs.cfg.Terminal:
		p.logs.sink.setLive(fit(line, p.logs.width()))
	case sync.Phase == netsync.Following:
	case sync.Phase == netsync.Idle:
		if p.due("idle", now, idleEvery) {
			log.Info(line)
		}
	case p.due("line", now, lineEvery):
		log.Info(line)
	}
}

// due says whether a kind of line is to be logged again, and notes that it is.
func (p *Progress) due(kind string, now time.Time, every time.Duration) bool {
	if last, ok := p.last[kind]; ok && now.Sub(last) < every {
		return false
	}
	p.last[kind] = now
	return true
}

// Banner shows a text on the live line, or logs it where there is none: what
// main has to say when it stops ("writing the chain state to disk").
func (p *Progress) Banner(text string) {
	if p.logs.cfg.Terminal {
		p.logs.sink.setLive(fit(text, p.logs.width()))
		return
	}
	p.logs.Logger("node").Info(text)
}

// width returns the columns of the screen.
func (l *Logs) width() int {
	if f, ok := l.cfg.Screen.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// fit cuts a line so that it does not wrap: a wrapped line cannot be wiped.
func fit(line string, width int) string {
	if len(line) < width {
		return line
	}
	return line[:max(width-1, 0)]
}

// Line says in one line of ASCII how far the sync is.
func Line(now, genesis time.Time, sync netsync.Status, srv server.Status) string {
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

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"acyclic/chain"
	"acyclic/internal/adapters/logging"
	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/bubble"
	"acyclic/netsync"
	"acyclic/server"
)

var (
	genesis = time.Unix(1_000_000_000, 0)
	now     = genesis.Add(1000 * time.Hour)
)

func status(phase netsync.Phase, block, header int32) netsync.Status {
	return netsync.Status{
		Phase: phase, Peers: 8,
		Tips: chain.Tips{
			Block:  chain.Point{Height: block, Time: now.Add(-90 * time.Second)},
			Header: chain.Point{Height: header, Time: genesis.Add(250 * time.Hour)},
		},
	}
}

func TestLine(t *testing.T) {
	slow := status(netsync.Blocks, 100, 1000)
	slow.BlockRate = 0.5
	fast := status(netsync.Blocks, 999_999, 1_000_000)
	fast.BlockRate = 1234.5
	stuck := status(netsync.Blocks, 0, 1000)
	headers := status(netsync.Headers, 10, 5000)
	headers.HeaderRate = 12345
	idle := status(netsync.Idle, 10, 20)
	idle.Peers = 0

	for _, c := range []struct {
		sync netsync.Status
		srv  server.Status
		want string
	}{
		{slow, server.Status{}, "blocks, block 100 of 1000, 0.5 blocks/s, 10.0%, 30m00s left, 8 peers"},
		{fast, server.Status{}, "blocks, block 999999 of 1000000, 1234 blocks/s, 99.9%, 0s left, 8 peers"},
		{stuck, server.Status{}, "blocks, block 0 of 1000, 0.0 blocks/s, 0.0%, unknown time left, 8 peers"},
		{headers, server.Status{}, "headers, header 5000, 12345/s, 25.0% by time, block 10, 8 peers"},
		{status(netsync.Following, 77, 77), server.Status{}, "following, block 77, 1m30s old, 8 peers"},
		{idle, server.Status{Dialling: 3, Known: 9}, "no peer to sync from, block 10 of 20, dialling 3, 9 addresses known, 0 peers"},
		{idle, server.Status{}, "no peer to sync from, block 10 of 20, 0 addresses known, 0 peers"},
	} {
		if got := describeSync(now, genesis, c.sync, c.srv); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s",
		25 * time.Hour: "1d01h", 3*time.Hour + 5*time.Minute: "3h05m",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// Without a terminal: a line every ten seconds while syncing, one on arrival,
// silence at the tip, and lines again when the node falls behind.
func TestProgressAsLogLines(t *testing.T) {
	var screen bytes.Buffer
	l := openLogs(t, logging.Config{Screen: &screen})
	p := newProgress(l, genesis)
	at := now
	for range 21 { // 0 s to 20 s
		p.sync = status(netsync.Blocks, 1, 2)
		p.show(at)
		at = at.Add(time.Second)
	}
	for range 60 {
		p.sync = status(netsync.Following, 2, 2)
		p.show(at)
		at = at.Add(time.Second)
	}
	p.sync = status(netsync.Blocks, 2, 9)
	p.show(at)
	closeLogs(t, l)
	if n := strings.Count(screen.String(), "netsync: blocks,"); n != 4 {
		t.Errorf("%d progress lines, want 3 while syncing and 1 later:\n%s", n, screen.String())
	}
	if n := strings.Count(screen.String(), "in sync at block 2"); n != 1 {
		t.Errorf("%d arrivals:\n%s", n, screen.String())
	}
}

// A node alone on its network says so, but not all the time; and however often
// it arrives at the tip, the log is not flooded.
func TestProgressIdle(t *testing.T) {
	var screen bytes.Buffer
	l := openLogs(t, logging.Config{Screen: &screen})
	p := newProgress(l, genesis)
	for i := range 1200 { // 20 minutes
		phase := netsync.Idle
		if i >= 600 && i < 620 && i%2 == 0 {
			phase = netsync.Following
		}
		p.sync = status(phase, 5, 5)
		p.show(now.Add(time.Duration(i) * time.Second))
	}
	closeLogs(t, l)
	if n := strings.Count(screen.String(), "no peer to sync from"); n != 2 {
		t.Errorf("%d lines in 20 minutes, want one each ten", n)
	}
	if n := strings.Count(screen.String(), "in sync"); n != 2 {
		t.Errorf("%d arrivals logged of 10 within 20 s, want one each ten seconds", n)
	}
}

// stoppedNode has published some events, and then it has stopped.
type stoppedNode struct {
	t      *testing.T
	events []any
	gone   int // times that it said so
}

func (n *stoppedNode) Next(context.Context) (any, error) {
	if len(n.events) == 0 {
		if n.gone++; n.gone > 3 {
			n.t.Fatal("the display asks a node that has stopped, over and over")
		}
		return nil, actor.ErrGone
	}
	e := n.events[0]
	n.events = n.events[1:]
	return e, nil
}

// The display of a node that has stopped does not spin: what it shows changes with
// the clock alone. It ends with its context.
func TestProgressOfAStoppedNode(t *testing.T) {
	bubble.Run(t, func(t *testing.T) {
		var screen bytes.Buffer
		l := openLogs(t, logging.Config{Screen: &screen, Terminal: true})
		p := newProgress(l, genesis)
		ctx, cancel := context.WithTimeout(context.Background(), 3*liveEvery-1)
		defer cancel()
		start := time.Now()
		p.run(ctx, &stoppedNode{t: t, events: []any{
			status(netsync.Blocks, 1, 2), status(netsync.Idle, 3, 4), server.Status{Known: 5},
		}})
		if took := time.Since(start); took != 3*liveEvery-1 {
			t.Errorf("it ends after %v", took)
		}
		closeLogs(t, l)
		got := screen.String()
		if !strings.Contains(got, "no peer to sync from, block 3 of 4, 5 addresses known") || strings.Contains(got, "block 1") {
			t.Errorf("want the latest alone, have %q", got)
		}
	})
}

func TestProgressOnTerminal(t *testing.T) {
	var screen bytes.Buffer
	l := openLogs(t, logging.Config{Screen: &screen, Terminal: true})
	p := newProgress(l, genesis)
	p.sync = status(netsync.Blocks, 1, 2)
	p.show(now)
	p.banner("writing the chain state to disk")
	closeLogs(t, l)
	const wipe = "\r\x1b[K"
	want := wipe + "blocks, block 1 of 2, 0.0 blocks/s, 50.0%, unknown time left, 8 peers" +
		wipe + "writing the chain state to disk" + wipe
	if got := screen.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func openLogs(t *testing.T, cfg logging.Config) *logging.Logs {
	t.Helper()
	l, err := logging.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func closeLogs(t *testing.T, l *logging.Logs) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

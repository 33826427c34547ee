package netsync

import (
	"testing"
	"time"
)

func TestGetPeers(t *testing.T) {
	s, tip := synced(t, 10, nil, 1)
	s.join(2)
	call := s.Ask(GetPeers{})
	p := stepAnswer[Peers](s, call).Peers
	if len(p) != 2 || p[0].SyncedHeaders != tip.Height || len(p[0].InFlight) != 8 || p[1].SyncedHeaders != -1 {
		t.Fatalf("%+v", p)
	}
	if got := stepAnswer[Status](s, s.Ask(GetStatus{})); got.Peers != 2 || got.InFlight != 8 || got.Target != tip.Point {
		t.Fatalf("%+v", got)
	}
}

func TestStatusOncePerSecond(t *testing.T) {
	s, tip := synced(t, 500, nil, 1)
	s.serve(1)
	s.wantTip(tip, "synced")
	took := s.Now.Sub(s.m.report.started)
	if n := len(s.status); n > int(took/time.Second)+1 {
		t.Fatalf("%d publications in %v", n, took)
	}
	s.wait(2 * time.Minute)
	last := s.status[len(s.status)-1]
	if last.Blocks != 500 || last.BlockRate != 0 {
		t.Fatalf("the last word is %+v", last)
	}
	n := len(s.status)
	s.wait(time.Minute)
	if len(s.status) != n {
		t.Fatal("nothing changed")
	}
}

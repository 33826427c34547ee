package netsync

import (
	"testing"
	"time"

	"acyclic/chain"
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

// Blocks that are held are counted, and so are their bytes and those that chain took.
func TestWhatStatusCounts(t *testing.T) {
	u := newUnit(9)
	u.hold(1, 3, 500)
	u.submit()
	u.hold(5, 8, 500)
	u.verdict(0, chain.OK, nil)
	u.verdict(1, chain.Duplicate, nil)
	if s := u.report.status(); s.Held != 4 || s.HeldBytes != 2000 || s.Blocks != 1 {
		t.Errorf("%d blocks and %d bytes are held, chain has taken %d", s.Held, s.HeldBytes, s.Blocks)
	}
}

// The target that is told is the best point of all peers, not what we have of it.
func TestTheTargetThatIsTold(t *testing.T) {
	u := newUnit(9)
	u.join(1, 5, 0)
	branch := u.join(2, 9, 0)
	branch.common = u.tip.at(1).Point
	if got := u.report.status().Target; got != branch.best {
		t.Errorf("the target is at %d, want %d", got.Height, branch.best.Height)
	}
}

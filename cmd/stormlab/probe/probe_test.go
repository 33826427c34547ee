package probe

import (
	"testing"
	"time"
)

// second makes the sample of one second from how long the node has been silent.
func second(at, rpc, shake, behind float64) Sample {
	return Sample{
		At: at, Behind: behind,
		PeerInfo:  Answer{OK: rpc == 0, Silent: rpc},
		Handshake: Answer{OK: shake == 0, Silent: shake},
	}
}

func TestStalls(t *testing.T) {
	const patience = 10 * time.Second
	for _, c := range []struct {
		why     string
		samples []Sample
		want    []Stall
	}{
		{"a node that answers", []Sample{second(10, 0, 0, 0), second(20, 0, 0, 9)}, nil},
		{"only RPC is silent: somebody is at home", []Sample{second(30, 25, 0, 1)}, nil},
		{"only handshakes fail", []Sample{second(30, 0, 25, 1)}, nil},
		{"neither, but not for long", []Sample{second(30, 25, 9, 9)}, nil},
		{"neither for long", []Sample{second(30, 25, 12, 0)},
			[]Stall{{From: 18, Why: "no answer to RPC and no handshake"}}},
		{"the tip stands still", []Sample{second(30, 0, 0, 12)},
			[]Stall{{From: 18, Why: "the tip does not move although blocks are offered"}}},
		{"it begins when the silence began, not when it was noticed",
			[]Sample{second(11, 9, 9, 9), second(12, 10, 10, 10), second(40, 38, 38, 38)},
			[]Stall{{From: 2, Why: "no answer to RPC, no handshake, and the tip does not move"}}},
		{"it ends, and another begins",
			[]Sample{second(12, 0, 0, 11), second(13, 0, 0, 0), second(40, 0, 0, 20)},
			[]Stall{
				{From: 1, Until: 13, Ended: true, Why: "the tip does not move although blocks are offered"},
				{From: 20, Why: "the tip does not move although blocks are offered"},
			}},
	} {
		got := Stalls(c.samples, patience)
		if len(got) != len(c.want) {
			t.Errorf("%s: %+v", c.why, got)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %+v, want %+v", c.why, got[i], c.want[i])
			}
		}
	}
}

func TestAnOpenQuestionIsSilence(t *testing.T) {
	now := time.Now()
	k := kind{last: now.Add(-5 * time.Second), asked: now.Add(-4 * time.Second), answer: Answer{OK: true, Took: 0.01}}
	if a := k.read(now); a.OK || a.Silent != 5 || a.Took != 4 {
		t.Errorf("%+v", a)
	}
	k.asked = now.Add(-time.Millisecond)
	if a := k.read(now); !a.OK || a.Silent != 0 {
		t.Errorf("a question that has just been asked counts: %+v", a)
	}
}

func TestParseTotal(t *testing.T) {
	if n, err := parseTotal("goroutine profile: total 21172\n11514 @ 0x43beee"); err != nil || n != 21172 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := parseTotal("<html>"); err == nil {
		t.Error("no total and no error")
	}
}

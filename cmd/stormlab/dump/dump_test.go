package dump

import (
	"os"
	"strings"
	"testing"
)

func recorded(t *testing.T, name string) Story {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return Explain(Parse(string(text)))
}

// TestFrozenBtcd reads what the goroutines of a frozen btcd wait for. Each file
// has a few goroutines of each kind from a real dump.
func TestFrozenBtcd(t *testing.T) {
	for _, c := range []struct {
		file, sentence string
		through        []string // blockHandler's way to its wait
		others         []string // who waits behind
	}{
		{
			"btcd-v0.24.2.txt",
			"peerHandler waits in NewPeer for blockHandler; blockHandler waits in RelayInventory for peerHandler.",
			[]string{"handleBlockMsg", "ProcessBlock", "processOrphans", "handleBlockchainNotification"},
			[]string{"AddPeer", "DonePeer", "QueueInv"},
		},
		{
			"btcd-v0.26.2.txt",
			"peerHandler waits in DonePeer for blockHandler; blockHandler waits in RelayInventory for peerHandler.",
			[]string{"handleTxMsg", "AnnounceNewTransactions"},
			[]string{"OnTx", "QueueInv", "ConnectedPeers"},
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			s := recorded(t, c.file)
			if s.Sentence != c.sentence {
				t.Fatalf("read %q", s.Sentence)
			}
			via := strings.Join(s.Cycle[1].Via, " ")
			for _, call := range c.through {
				if !strings.Contains(via, call) {
					t.Errorf("%s is not on the way to RelayInventory: %s", call, via)
				}
			}
			for _, in := range c.others {
				found := false
				for _, g := range s.Others {
					found = found || g.In == in && g.Whom != ""
				}
				if !found {
					t.Errorf("nobody waits in %s: %v", in, s.Others)
				}
			}
			if s.Main == "" || s.Goroutines < 8 {
				t.Errorf("main is at %q, %d goroutines", s.Main, s.Goroutines)
			}
		})
	}
}

// TestNoCycleWithoutBothHalves takes away one of the two waits. No cycle is
// left, and the words say what the other loop does instead.
func TestNoCycleWithoutBothHalves(t *testing.T) {
	text, err := os.ReadFile("testdata/btcd-v0.24.2.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := Parse(string(text))
	for i := range all {
		if all[i].loop() == "blockHandler" {
			all[i].State = "running"
		}
	}
	s := Explain(all)
	if len(s.Cycle) != 0 {
		t.Fatalf("a cycle: %v", s.Cycle)
	}
	const want = "No cycle: peerHandler waits in NewPeer for blockHandler; blockHandler is in running, RelayInventory"
	if !strings.HasPrefix(s.Sentence, want) {
		t.Errorf("read %q", s.Sentence)
	}
}

// TestOtherWaitsAreNotDoors: a goroutine that waits in a function called by a
// door does not wait for the loop.
func TestOtherWaitsAreNotDoors(t *testing.T) {
	const text = `goroutine 29 [chan receive, 3 minutes]:
github.com/btcsuite/btcd/peer.(*Peer).WaitForDisconnect(...)
	/go/peer/peer.go:2513
main.(*server).peerLifecycleHandler(0x1, 0x2)
	/go/server.go:2456 +0xdf
created by main.(*server).inboundPeerConnected in goroutine 27
	/go/server.go:2389 +0x173

goroutine 30 gp=0x379a4e4c2d20 m=nil [chan send]:
runtime.gopark(0x1, 0x2)
	/go/runtime/proc.go:1 +0xe fp=0x1 sp=0x2 pc=0x3
main.(*server).peerLifecycleHandler(0x1, 0x2)
	/go/server.go:2469 +0xdf
`
	s := Explain(Parse(text))
	if len(s.Others) != 1 || s.Others[0] != (Group{Count: 1, In: "peerLifecycleHandler", Whom: "peerHandler", State: "chan send"}) {
		t.Errorf("others: %+v", s.Others)
	}
}

func TestParseSkipsWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{"", "goroutine", "goroutine x [running]:", "goroutine 1 [running", "rax 0x0\n\nexit status 2"} {
		if got := Parse(text); len(got) != 0 {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if s := Explain(nil); s.Goroutines != 0 || len(s.Cycle) != 0 {
		t.Errorf("%+v", s)
	}
}

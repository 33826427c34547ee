package server

import (
	"testing"
	"time"

	"acyclic/internal/kernel/actor"
	"acyclic/internal/proof/steptest"
)

func TestADialHasASeatUntilItEnds(t *testing.T) {
	b := newBench(t, quiet()) // four seats
	for _, r := range []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"} {
		b.arrive(r)
	}
	b.done(AddNode{Command: "onetry", Addr: "10.0.0.1"}, "", "the fourth seat")
	ask := b.wantDial("10.0.0.1:18333", "a dial")
	if a := b.admit("127.0.0.1:4", "the seat is the dial's"); a.Peer != 0 {
		t.Fatal("the connection would come and find no seat")
	}
	b.Fail(ask, actor.ErrTimeout)
	b.arrive("127.0.0.1:5")
}

func TestAConnectionWithoutACellIsClosed(t *testing.T) {
	cfg := quiet()
	cfg.AddPeers = []string{"10.0.0.1"}
	b := newBench(t, cfg)
	ask := b.wantDial("10.0.0.1:18333", "the named peer")
	b.SeatsLeft = 0 // the end of some cells has not been seen by everybody
	b.Reply(ask, Dialed{Conn: 5})
	if r := steptest.Want[Refuse](b.Rig, "nobody can own it"); r.Conn != 5 {
		t.Fatalf("closed %v", r.Conn)
	}
	b.SeatsLeft = 1
	b.Advance(namedRetry)
	b.connect(b.wantDial("10.0.0.1:18333", "and it is tried again"), "10.0.0.1:18333")
}

// What found no slot is dialled when Freed comes; meanwhile no clock runs.
func TestL9EightDialsAtATime(t *testing.T) {
	cfg := quiet()
	cfg.MaxPeers = 20
	for _, a := range "abcdefghij" {
		cfg.AddPeers = append(cfg.AddPeers, "10.0.0."+string('0'+a-'a'))
	}
	b := newBench(t, cfg)
	var asks []steptest.Asked
	for pendingAsks[Dial](b) > 0 {
		_, ask := steptest.WantAsk[Dial](b.Rig, "a named peer")
		asks = append(asks, ask)
	}
	if len(asks) != 8 {
		t.Fatalf("%d dials at a time, the window is 8", len(asks))
	}
	b.Fail(asks[0], actor.ErrTimeout)
	b.Advance(time.Second)
	if n := pendingAsks[Dial](b); n != 0 {
		t.Fatal("the slot of a dial that timed out is not free before the transport has answered")
	}
	b.wantNoHotLoop("two named peers are due and the port has no slot")
	b.Late(asks[0])
	steptest.WantAsk[Dial](b.Rig, "then the ninth is dialled")

	b.Fail(asks[1], actor.ErrTimeout)
	b.Advance(time.Minute) // the first two are due again
	b.wantNoHotLoop("three named peers are due and the port has no slot")
	b.Late(asks[1])
	steptest.WantAsk[Dial](b.Rig, "then one of them is dialled")
}

func TestSuitabilityIsCheckedWhenTheConnectionStands(t *testing.T) {
	b := newBench(t, seeking())
	b.pick(500, "6.6.6.6:18333")
	ask := b.wantDial("6.6.6.6:18333", "a candidate")
	b.misbehave("6.6.6.6:1")
	b.Reply(ask, Dialed{Conn: 99})
	if r := steptest.Want[Refuse](b.Rig, "it has been banned while it was dialled"); r.Conn != 99 {
		t.Fatalf("refused %v", r.Conn)
	}
}

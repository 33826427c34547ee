package netsync

import (
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/peer"
)

// Only a peer that serves blocks, with witness data, is asked for any.
func TestWhatAPeerServes(t *testing.T) {
	const network, limited, witness = wire.SFNodeNetwork, wire.SFNodeNetworkLimited, wire.SFNodeWitness
	for _, c := range []struct {
		services             wire.ServiceFlag
		full, serves, blocks bool
	}{
		{0, false, false, false},
		{witness, false, false, false},
		{network, true, true, false},
		{limited, false, true, false},
		{network | witness, true, true, true},
		{limited | witness, false, true, true},
	} {
		u := newUnit(1)
		u.onReady(peer.Ready{Peer: 1, Services: c.services})
		if p := u.find(1); p.full != c.full || p.serves != c.serves || p.blocks != c.blocks {
			t.Errorf("%v: full %v, serves headers %v, blocks %v", c.services, p.full, p.serves, p.blocks)
		}
	}
}

// A pruned peer serves its last 288 blocks (BIP159), the others all.
func TestTheLowestBlockThatAPeerServes(t *testing.T) {
	p := &remote{best: chain.Point{Height: 1000}}
	if got := p.lowest(); got != 713 {
		t.Errorf("the last 288 blocks up to 1,000 begin with %d", got)
	}
	p.full = true
	if got := p.lowest(); got != 0 {
		t.Errorf("all blocks begin with %d", got)
	}
}

// A peer whose proof is taken back is as one that has just come, and is asked soon.
func TestAProofIsTakenBack(t *testing.T) {
	u := newUnit(10)
	p := u.join(1, 10, 0)
	p.headers.more, p.headers.ranOut = true, true
	p.headers.askAt = u.now.Add(u.cfg.StaleTip)
	u.unprove(p)
	if p.best != (chain.Point{}) || p.common != (chain.Point{}) || p.route != (remoteRoute{shared: noShared}) {
		t.Errorf("it still has proved %v, from %v, and shares %+v", p.best, p.common, p.route)
	}
	if more, ranOut := u.headers.survey(); more || ranOut {
		t.Errorf("it has more: %v; it has run out: %v", more, ranOut)
	}
	if want := u.now.Add(u.cfg.Pause); !p.headers.askAt.Equal(want) {
		t.Errorf("it is asked at %v, want %v", p.headers.askAt, want)
	}
}

package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/script"
	"acyclic/internal/proof/fixture"
)

// TestMainnetFromFourPeers downloads the first 14,131 blocks of mainnet from
// four peers. One peer is slow and one keeps dying. Checkpoints are off, so
// that every block is fully validated.
func TestMainnetFromFourPeers(t *testing.T) {
	oursOnly(t) // btcd may choose the slow peer and stay with it
	t.Parallel()
	chain := script.Blocks(fixture.MainnetBlocks(fixture.MainnetBlockCount))
	serve := func(name string, b script.Behaviour) (*script.Peer, string) {
		return listen(t, script.Config{Net: wire.MainNet, Chain: chain, Name: name, Behaviour: b})
	}
	slow, slowAddr := serve("slow", script.Behaviour{Latency: 50 * time.Millisecond})
	dying, dyingAddr := serve("dying", script.Behaviour{DieAt: 300})
	us := start(t, harness.Options{
		Network: "mainnet",
		Connect: []string{slowAddr, dyingAddr},
		Args:    []string{"--nocheckpoints"},
	})
	harness.Eventually(t, harness.Patience, "both bad peers are downloaded from", func() (bool, string) {
		a, b := slow.Stats(), dying.Stats()
		return a.Blocks > 0 && b.Blocks > 0, fmt.Sprintf("slow: %v; dying: %v", a, b)
	})

	first, firstAddr := serve("first", script.Behaviour{})
	second, secondAddr := serve("second", script.Behaviour{})
	us.AddNode(firstAddr)
	us.AddNode(secondAddr)
	us.Await(chain.Tip(), 2*harness.Patience)
	if got := us.Height(); got != 14_131 {
		t.Errorf("the best block has height %d, want 14131", got)
	}

	sent := 0
	for _, p := range []*script.Peer{slow, dying, first, second} {
		sent += p.Stats().Blocks
	}
	// A block is ordered twice only if the first order is late.
	if most := 14_131 * 5 / 4; sent > most {
		t.Errorf("%d blocks were sent for 14,131: too many were ordered twice", sent)
	}
	if good := first.Stats().Blocks + second.Stats().Blocks; good < sent/2 {
		t.Errorf("the good peers sent %d of %d blocks", good, sent)
	}
	if dying.Stats().Blocks < 299 {
		t.Errorf("the dying peer has not died: %v", dying.Stats())
	}
	us.Stop()
}

package integration

import (
	"testing"
	"time"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/script"
	"acyclic/internal/fixture"
)

// TestMainnetFromFourPeers downloads the first 14,131 blocks of mainnet from
// four peers, of which one is slow and one keeps dying, and validates them in
// full: checkpoints are off, so that nothing is skipped.
func TestMainnetFromFourPeers(t *testing.T) {
	t.Parallel()
	chain := script.Blocks(fixture.MainnetBlocks(fixture.MainnetBlockCount))
	behaviours := []script.Behaviour{
		{},
		{},
		{Latency: 50 * time.Millisecond},
		{DieAt: 300},
	}
	if *program == "btcd" {
		clear(behaviours) // it may choose the slow one and wait for it alone
	}
	names := []string{"quick", "quick too", "slow", "dying"}

	var peers []*script.Peer
	var addrs []string
	for i, b := range behaviours {
		p, addr := listen(t, script.Config{Net: wire.MainNet, Chain: chain, Name: names[i], Behaviour: b})
		peers, addrs = append(peers, p), append(addrs, addr)
	}
	us := start(t, harness.Options{Network: "mainnet", Connect: addrs, Args: []string{"--nocheckpoints"}})
	us.Await(chain.Tip(), 2*harness.Patience)
	if got := us.Height(); got != 14_131 {
		t.Errorf("the best block has height %d, want 14131", got)
	}

	sent := 0
	for i, p := range peers {
		s := p.Stats()
		sent += s.Blocks
		t.Logf("%s: %v", names[i], s)
		if *program == "acyclicd" && s.Blocks == 0 {
			t.Errorf("%s was not asked for blocks", names[i])
		}
	}
	// A block can be ordered twice, when the first order is late; that is
	// the exception.
	if most := 14_131 * 5 / 4; sent > most {
		t.Errorf("%d blocks were sent for 14,131: too many were ordered twice", sent)
	}
}

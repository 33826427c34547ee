package node

import (
	"testing"

	"acyclic/config"
)

// --blocksonly asks peers for no transactions. Without it they are asked.
func TestBlocksOnly(t *testing.T) {
	for _, blocksOnly := range []bool{false, true} {
		cfg, err := config.Load([]string{"--regtest", "--norpc"})
		if err != nil {
			t.Fatal(err)
		}
		cfg.BlocksOnly = blocksOnly
		s, err := settings(cfg)
		if err != nil || s.Peer.WantTxs == blocksOnly {
			t.Errorf("--blocksonly %v: peers are asked %v, %v", blocksOnly, s.Peer.WantTxs, err)
		}
	}
}

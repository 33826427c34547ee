package engine

import (
	"slices"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// The user's checkpoints come among the network's, by height, and count where both
// name one.
func TestTheUsersCheckpointCounts(t *testing.T) {
	at := func(height int32, hash byte) chaincfg.Checkpoint {
		return chaincfg.Checkpoint{Height: height, Hash: &chainhash.Hash{hash}}
	}
	params := &chaincfg.Params{Checkpoints: []chaincfg.Checkpoint{at(10, 1), at(20, 1), at(30, 1)}}
	users := []chaincfg.Checkpoint{at(25, 2), at(20, 2)}
	for _, c := range []struct {
		cfg  Config
		want []chaincfg.Checkpoint
	}{
		{Config{Params: params}, params.Checkpoints},
		{Config{Params: params, AddCheckpoints: users}, []chaincfg.Checkpoint{at(10, 1), at(20, 2), at(25, 2), at(30, 1)}},
		{Config{Params: params, AddCheckpoints: users, NoCheckpoints: true}, nil},
	} {
		got := checkpoints(c.cfg)
		if !slices.EqualFunc(got, c.want, func(a, b chaincfg.Checkpoint) bool { return a.Height == b.Height && *a.Hash == *b.Hash }) {
			t.Errorf("%+v: %+v, want %+v", c.cfg, got, c.want)
		}
	}
	if users[0].Height != 25 || len(params.Checkpoints) != 3 {
		t.Error("what was given has changed")
	}
}

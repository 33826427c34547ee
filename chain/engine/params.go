package engine

import (
	"slices"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// ownParams is a copy of a network's parameters that shares nothing that
// blockchain changes: it plants its own clock in each deployment, so that two
// chains in one process would use each other's.
func ownParams(shared *chaincfg.Params) *chaincfg.Params {
	p := *shared
	for i := range p.Deployments {
		d := &p.Deployments[i]
		if s, ok := d.DeploymentStarter.(*chaincfg.MedianTimeDeploymentStarter); ok {
			d.DeploymentStarter = chaincfg.NewMedianTimeDeploymentStarter(s.StartTime())
		}
		if e, ok := d.DeploymentEnder.(*chaincfg.MedianTimeDeploymentEnder); ok {
			d.DeploymentEnder = chaincfg.NewMedianTimeDeploymentEnder(e.EndTime())
		}
	}
	return &p
}

// checkpoints are the network's and the user's, by height; where both name one,
// the user's counts. NoCheckpoints means none at all, as with btcd.
func checkpoints(cfg Config) []chaincfg.Checkpoint {
	if cfg.NoCheckpoints {
		return nil
	}
	byHeight := func(a, b chaincfg.Checkpoint) int { return int(a.Height) - int(b.Height) }
	// The sort is stable: of one height the user's comes first and stays.
	all := append(slices.Clone(cfg.AddCheckpoints), cfg.Params.Checkpoints...)
	slices.SortStableFunc(all, byHeight)
	return slices.CompactFunc(all, func(a, b chaincfg.Checkpoint) bool { return a.Height == b.Height })
}

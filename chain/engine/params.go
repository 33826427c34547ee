package engine

import (
	"slices"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

// ownParams copies a network's parameters. blockchain changes the deployments: it
// sets its clock in each of them. Two chains in one process must not share that.
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

// checkpoints returns the network's and the user's, by height. If both name one for
// the same height, the user's counts. NoCheckpoints means none at all, as in btcd.
func checkpoints(cfg Config) []chaincfg.Checkpoint {
	if cfg.NoCheckpoints {
		return nil
	}
	byHeight := func(a, b chaincfg.Checkpoint) int { return int(a.Height) - int(b.Height) }
	// The sort is stable: of the same height the user's comes first, and stays.
	all := append(slices.Clone(cfg.AddCheckpoints), cfg.Params.Checkpoints...)
	slices.SortStableFunc(all, byHeight)
	return slices.CompactFunc(all, func(a, b chaincfg.Checkpoint) bool { return a.Height == b.Height })
}

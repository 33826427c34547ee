package storm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"acyclic/integration/script"
	"acyclic/integration/wait"
)

// Testnet3 has the pattern of testnet3's real storms.
var Testnet3 = Storm{
	Name: "testnet3",
	About: "Simnet, which has testnet3's rules with an easy limit. Blocks, six to a timestamp second, announced by " +
		"twelve peers, by headers and by inv; competing branches and reorganisations of up to 100 blocks, some to a " +
		"lower height with more work; some peers stay behind on a stale branch; eight connect and leave.",
	// The chain is past the second retarget. The first one spans the time since the
	// genesis block, so it leaves the difficulty at its limit.
	Base: Base{Params: &chaincfg.SimNetParams, Blocks: 4_100, PerSecond: 6},
	Run:  runTestnet3,
}

const (
	announcers  = 12
	deepest     = 100
	longestRun  = 30
	mostSlow    = 15 // times 20 minutes; this stays in the past
	changeEvery = 700 * time.Millisecond
)

func runTestnet3(ctx context.Context, r *Rig) {
	served := r.Feed.Served()
	peers := make([]*script.Peer, announcers)
	for i := range peers {
		peers[i] = script.New(script.Config{
			Net: r.Node.Net, Chain: served, Name: fmt.Sprint("announcer", i),
			Behaviour: script.Behaviour{SendHeaders: i%2 == 0},
		})
	}
	crew := crew{r: r}
	crew.churn(ctx, 8, 20*time.Millisecond)
	crew.stay(ctx, peers, 300*time.Millisecond)
	crew.add(1, func(rng *rand.Rand) {
		for wait.Sleep(ctx, changeEvery) {
			announce(peers, rng, nextChain(r, rng))
			if rng.IntN(4) > 0 {
				continue
			}
			announce(peers, rng, r.Feed.High(4+rng.IntN(mostSlow-3)))
			wait.Sleep(ctx, 2*changeEvery)
			announce(peers, rng, lower(r))
		}
	})
	<-ctx.Done()
	for _, p := range peers {
		p.Close()
	}
	crew.Wait()
}

// announce has most of the peers announce a chain. The others keep theirs.
func announce(peers []*script.Peer, rng *rand.Rand, served *script.Chain) {
	var all sync.WaitGroup
	for _, p := range peers {
		if rng.IntN(4) > 0 {
			all.Go(func() { p.Switch(served) })
		}
	}
	all.Wait()
}

// lower goes back to the chain before the slow blocks.
func lower(r *Rig) *script.Chain {
	served, blocks, lower := r.Feed.Low()
	r.Load.Blocks.Add(int64(blocks))
	r.Load.Reorgs.Add(1)
	if lower {
		r.Load.Lower.Add(1)
	}
	return served
}

// nextChain extends the chain or makes a branch.
func nextChain(r *Rig, rng *rand.Rand) *script.Chain {
	more := 1 + rng.IntN(longestRun)
	if rng.IntN(3) > 0 {
		r.Feed.Extend(more)
		r.Load.Blocks.Add(int64(more))
		return r.Feed.Served()
	}
	depth := 1 + rng.IntN(deepest)
	if rng.IntN(2) == 0 {
		depth = 1 + rng.IntN(6) // most are shallow
	}
	r.Load.Blocks.Add(int64(depth + more))
	r.Load.Reorgs.Add(1)
	return r.Feed.Branch(depth, depth+more)
}

// stay dials for each scripted peer that has no connection, with a pause
// between.
func (c *crew) stay(ctx context.Context, peers []*script.Peer, pause time.Duration) {
	for _, p := range peers {
		c.add(1, func(*rand.Rand) {
			for ; ctx.Err() == nil; wait.Sleep(ctx, pause) {
				if p.Stats().Open > 0 {
					continue
				}
				c.r.Load.Dials.Add(1)
				if p.Dial(c.r.Node.Addr) != nil {
					c.r.Load.Refused.Add(1)
				}
			}
		})
	}
}

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

// BenchmarkSync syncs the first 14,131 blocks of mainnet from eight peers,
// fully validated. It runs this node and btcd one after the other: the ratio
// counts. With a lag, each peer takes that long for a block.
//
//	go test ./integration -run xxx -bench Sync -benchtime 1x
func BenchmarkSync(b *testing.B) {
	for _, lag := range []time.Duration{0, 2 * time.Millisecond} {
		b.Run(fmt.Sprintf("lag=%v", lag), func(b *testing.B) {
			var ours, theirs figures
			for b.Loop() {
				ours = ours.plus(syncOnce(b, "acyclicd", lag))
				theirs = theirs.plus(syncOnce(b, "btcd", lag))
			}
			n := float64(b.N)
			b.ReportMetric(ours.took.Seconds()/n, "s/acyclicd")
			b.ReportMetric(theirs.took.Seconds()/n, "s/btcd")
			b.ReportMetric(theirs.took.Seconds()/ours.took.Seconds(), "times-btcd-speed")
			b.ReportMetric(float64(ours.memory)/n/(1<<20), "MiB/acyclicd")
			b.ReportMetric(float64(theirs.memory)/n/(1<<20), "MiB/btcd")
		})
	}
}

// figures are what one sync cost.
type figures struct {
	took   time.Duration
	memory int64 // bytes resident at most
}

func (f figures) plus(g figures) figures { return figures{f.took + g.took, f.memory + g.memory} }

// syncOnce starts a node with eight peers that send each block after a lag.
func syncOnce(b *testing.B, program string, lag time.Duration) figures {
	chain := script.Blocks(fixture.MainnetBlocks(fixture.MainnetBlockCount))
	var peers []string
	for i := range 8 {
		p := script.New(script.Config{
			Net: wire.MainNet, Chain: chain, Name: fmt.Sprint("peer ", i),
			Behaviour: script.Behaviour{Latency: lag},
		})
		defer p.Close()
		addr, err := p.Listen()
		if err != nil {
			b.Fatal(err)
		}
		peers = append(peers, addr)
	}
	begin := time.Now()
	n := harness.Start(b, program, harness.Options{Network: "mainnet", Connect: peers, Args: []string{"--nocheckpoints"}})
	defer n.Stop()
	n.Await(chain.Tip(), 10*time.Minute)
	return figures{time.Since(begin), n.PeakRSS()}
}

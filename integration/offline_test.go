package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/script"
	"acyclic/internal/proof/fixture"
)

// TestNoNetwork starts the node on testnet3 without any peer. The node says so
// once, stays up, and uses the first peer that appears.
func TestNoNetwork(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	us := start(t, harness.Options{Network: "testnet"})
	said := func() int { return strings.Count(strings.ToLower(us.Stdout()+us.Stderr()), "no peer") }
	harness.Eventually(t, harness.Patience, "it says that there are no peers", func() (bool, string) {
		return said() > 0, us.Stdout() + us.Stderr()
	})
	if info := us.Info(); info.Chain != "test" || info.Blocks != 0 || us.Peers() != 0 {
		t.Errorf("%+v with %d peers", info, us.Peers())
	}

	chain := script.Headers(fixture.Testnet3Headers()[:4000])
	_, addr := listen(t, script.Config{Net: wire.TestNet3, Chain: chain, Name: "late"})
	us.AddNode(addr)
	harness.Eventually(t, harness.Patience, "headers come from the peer that was added", func() (bool, string) {
		info := us.Info()
		return info.Headers == chain.Height(), fmt.Sprintf("%+v", info)
	})
	if n := said(); n != 1 {
		t.Errorf("said %d times that there are no peers", n)
	}
	us.Stop()
}

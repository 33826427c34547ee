package integration

import (
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"acyclic/integration/chaingen"
	"acyclic/integration/harness"
	"acyclic/integration/script"

	"github.com/btcsuite/btcd/wire/v2"
)

var program = flag.String("node", "acyclicd", "the program under test: acyclicd or btcd")

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// start starts the node under test.
func start(t *testing.T, o harness.Options) *harness.Node {
	t.Helper()
	return harness.Start(t, *program, o)
}

// oursOnly skips a test with btcd, which behaves in another way or lacks the
// feature.
func oursOnly(t *testing.T) {
	t.Helper()
	if *program != "acyclicd" {
		t.Skip("not with btcd")
	}
}

// scripted makes a scripted peer that lives as long as the test.
func scripted(t *testing.T, cfg script.Config) *script.Peer {
	t.Helper()
	p := script.New(cfg)
	t.Cleanup(func() {
		p.Close()
		if t.Failed() {
			t.Logf("scripted peer %s: %v", cfg.Name, p.Stats())
		}
	})
	return p
}

// listen starts a scripted peer and returns it with its address.
func listen(t *testing.T, cfg script.Config) (*script.Peer, string) {
	t.Helper()
	p := scripted(t, cfg)
	addr, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	return p, addr
}

// dial connects a scripted peer to a node.
func dial(t *testing.T, n *harness.Node, cfg script.Config) *script.Peer {
	t.Helper()
	p := scripted(t, cfg)
	if err := p.Dial(n.P2P); err != nil {
		t.Fatal(err)
	}
	return p
}

// regtest configures a scripted peer on regtest.
func regtest(name string, chain *chaingen.Chain, b script.Behaviour) script.Config {
	return script.Config{Net: wire.TestNet, Chain: script.Blocks(chain.Blocks(0)), Name: name, Behaviour: b}
}

// newChain returns the first blocks of a regtest chain with spends, at most
// 1,000. A test may extend it. Its tip is recent enough for btcd to serve it.
func newChain(blocks int) *chaingen.Chain { return longChain().Fork(int32(blocks), 0) }

// longChain is made once, because signing takes a while.
var longChain = sync.OnceValue(func() *chaingen.Chain {
	return chaingen.New(chaingen.NewWallet("regtest"), chaingen.Options{
		Seed:   1,
		Start:  time.Now().Add(-6 * time.Hour),
		Spends: 2,
	}).Mine(1000)
})

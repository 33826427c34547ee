package integration

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/script"
)

// TestL5SlowReadersAreAlone has peers ask for more blocks than any socket holds
// and read none of them. Nobody else notices: the node serves another peer and
// follows the chain.
func TestL5SlowReadersAreAlone(t *testing.T) {
	t.Parallel()
	chain := newChain(300)
	source, addr := listen(t, regtest("source", chain, script.Behaviour{SendHeaders: true}))
	us := start(t, harness.Options{Connect: []string{addr}})
	us.Await(chain.Tip(), harness.Patience)

	for i := range 4 {
		awaitReady(t, dial(t, us, regtest(fmt.Sprint("deaf", i), chain, script.Behaviour{Deaf: true, Ask: 50_000})))
	}

	reader := dial(t, us, regtest("reader", chain, script.Behaviour{Ask: 5_000}))
	harness.Eventually(t, harness.Patience, "a peer that reads is served", func() (bool, string) {
		s := reader.Stats()
		return s.Received[wire.CmdBlock] == 5_000, s.String()
	})

	longer := chain.Fork(chain.Height(), 0).Mine(5)
	source.Switch(script.Blocks(longer.Blocks(0)))
	us.Await(longer.Tip(), harness.Patience)

	if *harness.Long { // btcd has no write deadline and would keep them for ever
		reader.Close()
		harness.Eventually(t, harness.Patience, "only the source is left", func() (bool, string) {
			peers := us.Peers()
			return peers == 1, fmt.Sprintf("%d peers", peers)
		})
	}
	us.Stop()
}

func awaitReady(t *testing.T, p *script.Peer) {
	t.Helper()
	harness.Eventually(t, harness.Patience, "the handshake is done", func() (bool, string) {
		s := p.Stats()
		return s.Ready > 0, s.String()
	})
}

// TestOneHonestPeerIsEnough connects the node to one honest peer and to others
// that each fail in another way.
func TestOneHonestPeerIsEnough(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	chain := newChain(300)
	short := chain.Fork(100, 0)
	invalid := append(chain.Blocks(0)[:301:301], chain.Invalid())
	swapped := map[chainhash.Hash]*wire.MsgBlock{chain.Block(150).BlockHash(): mutated(chain.Block(150))}

	configs := []script.Config{
		regtest("honest", chain, script.Behaviour{}),
		regtest("boaster", short, script.Behaviour{Claim: 1_000_000}),
		regtest("empty", chain, script.Behaviour{EmptyHeaders: true, Claim: 5_000}),
		regtest("unconnecting", chain, script.Behaviour{Unconnecting: true}),
		regtest("silent", chain, script.Behaviour{Silent: true}),
		regtest("forgetful", chain, script.Behaviour{NotFound: true}),
		regtest("mutating", chain, script.Behaviour{Replace: swapped}),
		{Net: wire.TestNet, Chain: script.Blocks(invalid), Name: "invalid"},
	}
	var addrs []string
	for _, cfg := range configs {
		_, addr := listen(t, cfg)
		addrs = append(addrs, addr)
	}
	us := start(t, harness.Options{Connect: addrs})
	us.Await(chain.Tip(), 2*harness.Patience)
	us.Stop()
}

// mutated returns a copy of a block whose body does not match its header.
func mutated(block *wire.MsgBlock) *wire.MsgBlock {
	other := block.Copy()
	other.Transactions[0].TxOut[0].Value++
	return other
}

// TestPeersThatComeAndGo has peers leave again and again. The node asks again
// for what they owed.
func TestPeersThatComeAndGo(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	chain := newChain(300)
	a, addrA := listen(t, regtest("dies", chain, script.Behaviour{DieAt: 60}))
	b, addrB := listen(t, regtest("leaves", chain, script.Behaviour{Leave: 12}))
	us := start(t, harness.Options{Connect: []string{addrA, addrB}})
	us.Await(chain.Tip(), 2*harness.Patience)
	t.Logf("dies: %v", a.Stats())
	t.Logf("leaves: %v", b.Stats())
}

package integration

import (
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/harness"
	"acyclic/integration/script"
	"acyclic/internal/proof/fixture"
)

// TestTestnet3Headers downloads 40,320 real headers of testnet3 from a peer
// that serves no old blocks. They have block storms, time that goes back by 56
// days, blocks of least difficulty after 20 minutes, and periods that start
// from difficulty 1 because the period before ended in such a block.
func TestTestnet3Headers(t *testing.T) {
	oursOnly(t)
	t.Parallel()
	chain := script.Headers(fixture.Testnet3Headers())
	_, addr := listen(t, script.Config{
		Net: wire.TestNet3, Chain: chain, Name: "pruned",
		Services: wire.SFNodeNetworkLimited | wire.SFNodeWitness, // BIP159
	})
	us := start(t, harness.Options{Network: "testnet", Connect: []string{addr}})

	harness.Eventually(t, harness.Patience, "all headers are known", func() (bool, string) {
		info := us.Info()
		return info.Headers == chain.Height(), fmt.Sprintf("%+v", info)
	})
	for height := int32(2016); height <= chain.Height(); height += 2016 {
		var header struct {
			Height int32  `json:"height"`
			Bits   string `json:"bits"`
			Hash   string `json:"hash"`
		}
		want := fixture.Testnet3Headers()[height]
		us.Call(&header, "getblockheader", chain.HashAt(height).String())
		if header.Height != height || header.Bits != fmt.Sprintf("%08x", want.Bits) {
			t.Errorf("header %v is %+v, want height %d and bits %08x", chain.HashAt(height), header, height, want.Bits)
		}
	}
	if info := us.Info(); info.Blocks != 0 || info.Chain != "test" {
		t.Errorf("%+v: want no blocks, on chain test", info)
	}
}

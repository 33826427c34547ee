package engine

import (
	"testing"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
	"acyclic/internal/proof/fixture"
)

// Headers a second through the worker, in messages of 2,000.
func BenchmarkHeaders(b *testing.B) {
	headers := fixture.Testnet3Headers()[1:]
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		e := open(b, Config{Params: &chaincfg.TestNet3Params})
		b.StartTimer()
		for from := 0; from < len(headers); from += wire.MaxBlockHeadersPerMsg {
			batch := headers[from:min(from+wire.MaxBlockHeadersPerMsg, len(headers))]
			a := ask[chain.HeadersApplied](b, e, chain.ApplyHeaders{Headers: batch})
			n += a.Verdict.New
		}
		b.StopTimer()
		shut(b, e)
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "headers/s")
}

// Small blocks a second through the worker, fully validated.
func BenchmarkBlocks(b *testing.B) {
	const count = 2_000
	blocks := fixture.MainnetBlocks(count)[1:]
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		e := open(b, Config{Params: &chaincfg.MainNetParams, NoCheckpoints: true})
		b.StartTimer()
		for _, block := range blocks {
			if a := giveOne(b, e, block); a.Verdict.Code != chain.OK {
				b.Fatalf("%+v", a.Verdict)
			}
			n++
		}
		b.StopTimer()
		shut(b, e)
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "blocks/s")
}

// What a lookup costs of a header that nobody has asked for lately.
func BenchmarkColdLookup(b *testing.B) {
	headers := fixture.Testnet3Headers()
	e := open(b, Config{Params: &chaincfg.TestNet3Params})
	for from := 1; from < len(headers); from += wire.MaxBlockHeadersPerMsg {
		batch := headers[from:min(from+wire.MaxBlockHeadersPerMsg, len(headers))]
		ask[chain.HeadersApplied](b, e, chain.ApplyHeaders{Headers: batch})
	}
	hash := headers[len(headers)-2].BlockHash()
	e.tree.ring = make([]chainhash.Hash, 1) // keeps one: each lookup is a cold one
	clear(e.tree.recent)
	e.tree.next = 0
	other := headers[100].BlockHash()
	for b.Loop() {
		e.tree.must(hash)
		e.tree.must(other)
	}
}

package rpc

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What is said of the best block is not said of the best header, which may be years ahead
// of it. A wallet that is told otherwise takes a node that is syncing for one that is done.
func TestTheBestBlockIsNotTheBestHeader(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, c := range []struct {
		why           string
		block, header time.Duration // their ages
		syncing       bool
	}{
		{"the blocks are far behind the headers", year, time.Minute, true},
		{"both are old", year, year - time.Hour, true},
		{"in sync", time.Hour, time.Minute, false},
		{"the best header is no block's yet, and old", time.Hour, year, false},
	} {
		r := newRig(t, 1, Config{})
		tips := chain.Tips{
			Block:      chain.Point{Hash: chainhash.Hash{1}, Height: 70, Work: chain.WorkFrom64(140), Time: clock.Add(-c.block)},
			Header:     chain.Point{Hash: chainhash.Hash{2}, Height: 90, Work: chain.WorkFrom64(180), Time: clock.Add(-c.header)},
			MedianTime: clock.Add(-c.block - time.Hour),
		}
		on(r.f, func(chain.GetTips) (chain.Tips, error) { return tips, nil })
		on(r.f, func(q chain.GetHeader) (chain.HeaderInfo, error) {
			bits := map[chainhash.Hash]uint32{tips.Block.Hash: 0x1b0404cb, tips.Header.Hash: 0x1d00ffff}
			return chain.HeaderInfo{Known: true, Header: wire.BlockHeader{Bits: bits[q.Hash]}}, nil
		})
		text, failure := r.call("getblockchaininfo", "[]")
		var got struct {
			Blocks, Headers      int32
			BestBlockHash, Bits  string
			Time, MedianTime     int64
			InitialBlockDownload bool
			ChainWork            string
		}
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err, failure)
		}
		if got.InitialBlockDownload != c.syncing {
			t.Errorf("%s: initialblockdownload is %v", c.why, got.InitialBlockDownload)
		}
		if got.Blocks != 70 || got.Headers != 90 || got.BestBlockHash != tips.Block.Hash.String() || got.Bits != "1b0404cb" ||
			got.Time != tips.Block.Time.Unix() || got.MedianTime != tips.MedianTime.Unix() || got.ChainWork != chainWork(tips.Block.Work) {
			t.Errorf("%s: it is not the best block's: %s", c.why, text)
		}
		for command, want := range map[string]string{"getblockcount": "70", "getbestblockhash": `"` + tips.Block.Hash.String() + `"`} {
			r.want(command, "[]", want)
		}
	}
}

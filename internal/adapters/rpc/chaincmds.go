package rpc

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"io"
	"math"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

func getBlockCount(c *call, _ arguments) (any, error) {
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	return tips.Block.Height, err
}

func getBestBlockHash(c *call, _ arguments) (any, error) {
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	return tips.Block.Hash.String(), err
}

func getBlockHash(c *call, a arguments) (any, error) {
	height, err := a.integer(0, 0, math.MinInt32, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	outside := fail(codeInvalidParameter, "Block height out of range")
	if height < 0 {
		return nil, outside
	}
	at, err := ask(c, c.Ports.Hash, chain.GetHash{Height: int32(height)})
	if err != nil {
		return nil, err
	}
	if !at.Known {
		return nil, outside
	}
	return at.Hash.String(), nil
}

// lookup asks for a header and the best block's height.
func lookup(c *call, hash chainhash.Hash) (chain.HeaderInfo, int32, error) {
	info, err := ask(c, c.Ports.Header, chain.GetHeader{Hash: hash})
	if err != nil {
		return info, 0, err
	}
	if !info.Known {
		return info, 0, fail(codeNotFound, "Block not found")
	}
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	return info, tips.Block.Height, err
}

func getBlockHeader(c *call, a arguments) (any, error) {
	hash, err := a.hash(0, "hash")
	if err != nil {
		return nil, err
	}
	info, best, err := lookup(c, hash)
	if err != nil {
		return nil, err
	}
	if !a.flag(1, true) {
		return hexOf(&info.Header), nil
	}
	txs := 0 // as in Core where the block is not there
	if info.InBestChain {
		block, err := ask(c, c.Ports.Block, chain.GetBlock{Hash: hash})
		if err != nil {
			return nil, err
		}
		txs = countTxs(block.Payload)
	}
	return newHeaderResult(info, best, txs), nil
}

// countTxs reads the number of transactions off a serialized block. It is 0 if the
// block has none, or is not there.
func countTxs(payload []byte) int {
	r := bytes.NewReader(payload)
	r.Seek(wire.MaxBlockHeaderPayload, io.SeekStart)
	n, _ := wire.ReadVarInt(r, 0)
	return int(n)
}

func getBlock(c *call, a arguments) (any, error) {
	hash, err := a.hash(0, "blockhash")
	if err != nil {
		return nil, err
	}
	verbosity, err := verbosity(a, 1)
	if err != nil {
		return nil, err
	}
	info, best, err := lookup(c, hash)
	if err != nil {
		return nil, err
	}
	stored, err := ask(c, c.Ports.Block, chain.GetBlock{Hash: hash, Witness: true, Spent: verbosity >= 2})
	if err != nil {
		return nil, err
	}
	switch {
	case stored.Payload == nil && info.InBestChain && c.PruneBytes > 0:
		return nil, fail(codeMisc, "Block not available (pruned data)")
	case stored.Payload == nil:
		return nil, fail(codeMisc, "Block not available (not fully downloaded)")
	case verbosity <= 0:
		return hex.EncodeToString(stored.Payload), nil
	}
	var block wire.MsgBlock
	if err := block.Deserialize(bytes.NewReader(stored.Payload)); err != nil {
		return nil, fail(codeInternal, "Block %v cannot be read: %v", hash, err)
	}
	header := newHeaderResult(info, best, len(block.Transactions))
	return newBlockResult(header, &block, verbosity, stored.Spent, c.Params), nil
}

// verbosity is the second argument of commands that have one: false is 0 and true is 1.
func verbosity(a arguments, standard int64) (int64, error) {
	if kind(a[1]) == boolean {
		if a.flag(1, true) {
			return 1, nil
		}
		return 0, nil
	}
	return a.integer(1, standard, math.MinInt32, math.MaxInt32)
}

type chainInfo struct {
	Chain          string   `json:"chain"`
	Blocks         int32    `json:"blocks"`
	Headers        int32    `json:"headers"`
	BestBlockHash  string   `json:"bestblockhash"`
	Bits           string   `json:"bits"`
	Target         string   `json:"target"`
	Difficulty     float    `json:"difficulty"`
	Time           int64    `json:"time"`
	MedianTime     int64    `json:"mediantime"`
	Progress       float    `json:"verificationprogress"`
	InitialSync    bool     `json:"initialblockdownload"`
	ChainWork      string   `json:"chainwork"`
	SizeOnDisk     int64    `json:"size_on_disk"`
	Pruned         bool     `json:"pruned"`
	AutomaticPrune *bool    `json:"automatic_pruning,omitempty"`
	PruneTarget    uint64   `json:"prune_target_size,omitempty"`
	Warnings       []string `json:"warnings"`
}

// chainNames are the networks that Core calls otherwise than chaincfg.
var chainNames = map[string]string{"mainnet": "main", "testnet3": "test"}

func getBlockchainInfo(c *call, _ arguments) (any, error) {
	tips, err := ask(c, c.Ports.Tips, chain.GetTips{})
	if err != nil {
		return nil, err
	}
	best, err := ask(c, c.Ports.Header, chain.GetHeader{Hash: tips.Block.Hash})
	if err != nil {
		return nil, err
	}
	info := chainInfo{
		Chain: cmp.Or(chainNames[c.Params.Name], c.Params.Name), Blocks: tips.Block.Height, Headers: tips.Header.Height,
		BestBlockHash: tips.Block.Hash.String(),
		Bits:          hexBits(best.Header.Bits), Target: target(best.Header.Bits), Difficulty: difficulty(best.Header.Bits),
		Time: tips.Block.Time.Unix(), MedianTime: tips.MedianTime.Unix(),
		Progress: progress(c.now(), tips, c.Params), InitialSync: c.now().Sub(tips.Block.Time) > maxTipAge,
		ChainWork: chainWork(tips.Block.Work), SizeOnDisk: c.size.get(c.ctx, c.now()),
		Pruned: c.PruneBytes > 0, PruneTarget: c.PruneBytes, Warnings: []string{},
	}
	if info.Pruned {
		info.AutomaticPrune = &info.Pruned
	}
	return info, nil
}

// maxTipAge is Core's: a node whose best block is older is still syncing. There is no
// latch (law L9).
const maxTipAge = 24 * time.Hour

// progress estimates which part of all blocks has been checked. Core counts
// transactions, this node counts blocks. It adds as many as the time since the best
// header makes likely.
func progress(now time.Time, tips chain.Tips, p *chaincfg.Params) float {
	all := float64(tips.Header.Height)
	if behind := now.Sub(tips.Header.Time); behind > maxTipAge {
		all += behind.Seconds() / p.TargetTimePerBlock.Seconds()
	}
	if all < 1 {
		return 1
	}
	return float(min(float64(tips.Block.Height)/all, 1))
}

package rpc

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// submitBlock answers as BIP22 says: null, or the reason in a word.
func submitBlock(c *call, a arguments) (any, error) {
	block, err := decodeBlock(a.text(0))
	if err != nil {
		return nil, err
	}
	if len(block.Transactions) == 0 || !blockchain.IsCoinBaseTx(block.Transactions[0]) {
		return nil, fail(codeDeserialization, "Block does not start with a coinbase")
	}
	v, err := ask(c, c.Ports.Submit, submission(block))
	if err != nil {
		return nil, err
	}
	return bip22(v)
}

// submission offers a block that was made here.
func submission(block *wire.MsgBlock) chain.SubmitBlock {
	payload := bytes.NewBuffer(make([]byte, 0, block.SerializeSize()))
	_ = block.Serialize(payload) // writing to memory cannot fail
	return chain.SubmitBlock{Payload: payload.Bytes(), Hash: block.BlockHash()}
}

// bip22 words a verdict. A nil result means accepted.
func bip22(v chain.Verdict) (any, error) {
	switch {
	case v.Code == chain.OK && v.InBestChain:
		return nil, nil
	case v.Code == chain.OK:
		return "inconclusive", nil // stored, on a branch with less work
	case v.Code == chain.Duplicate:
		return "duplicate", nil
	case v.Code == chain.Orphan:
		return "prev-blk-not-found", nil
	case v.Code == chain.Fatal:
		return nil, fail(codeVerify, "%s", reason(v))
	}
	return reason(v), nil
}

// reason is Core's word for a verdict, without the details behind it.
func reason(v chain.Verdict) string {
	word, _, _ := strings.Cut(v.Reason, ":")
	word, _, _ = strings.Cut(word, ",")
	if word = strings.TrimSpace(word); word != "" {
		return word
	}
	return v.Code.String()
}

// defaultTries is Core's bound on how many nonces generatetoaddress tries.
const defaultTries = 1_000_000

func generateToAddress(c *call, a arguments) (any, error) {
	count, err := a.integer(0, 0, math.MinInt32, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	tries, err := a.integer(2, defaultTries, 0, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	script, ok := addressScript(a.text(1), c.Params)
	if !ok {
		return nil, fail(codeNotFound, "Error: Invalid address")
	}
	if err := minable(c, "generatetoaddress"); err != nil {
		return nil, err
	}
	hashes := []string{}
	for left := uint64(tries); int64(len(hashes)) < count; {
		hash, err := mineOne(c, script, &left)
		if err != nil {
			return nil, err
		}
		if hash == "" {
			break // as in Core, fewer blocks are no error
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// minable fails where a block takes more work than a command can do.
func minable(c *call, command string) error {
	if !c.Params.PoWNoRetargeting {
		return fail(codeMisc, "%s works on regtest only: blocks of %s take more work than a command can do", command, c.Params.Name)
	}
	return nil
}

// mineOne adds one block with the pool's transactions to the best chain. The hash is ""
// if the tries are used up.
func mineOne(c *call, script []byte, tries *uint64) (string, error) {
	now := c.now()
	t, err := ask(c, c.Ports.Template, chain.GetTemplate{Time: now, Txs: true})
	if err != nil {
		return "", err
	}
	block := buildBlock(t, script, now, rand.Uint32())
	if solved, err := solveOrGiveUp(c, block, tries); err != nil || !solved {
		return "", err
	}
	v, err := ask(c, c.Ports.Submit, submission(block))
	if err != nil {
		return "", err
	}
	if v.Code != chain.OK {
		return "", fail(codeInternal, "ProcessNewBlock, block not accepted: %s", v.Reason)
	}
	return v.Hash.String(), nil
}

// solveOrGiveUp is false when the tries are used up.
func solveOrGiveUp(c *call, block *wire.MsgBlock, tries *uint64) (bool, error) {
	err := solve(c.ctx, &block.Header, tries)
	if err != nil && err != errTries {
		return false, fail(codeMisc, "the request was given up while a block was mined")
	}
	return err == nil, nil
}

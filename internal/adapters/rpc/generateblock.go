package rpc

import (
	"encoding/json"
	"math/rand/v2"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

type generated struct {
	Hash string `json:"hash"`
	Hex  string `json:"hex,omitempty"`
}

// generateBlock mines a block with the transactions that are named, in their order, and
// no others. As in Core, nobody gets their fees.
func generateBlock(c *call, a arguments) (any, error) {
	script, ok := outputScript(a.text(0), c.Params)
	if !ok {
		return nil, fail(codeNotFound, "Error: Invalid address or descriptor")
	}
	if err := minable(c, "generateblock"); err != nil {
		return nil, err
	}
	txs, err := namedTxs(c, a[1])
	if err != nil {
		return nil, err
	}
	now := c.now()
	t, err := ask(c, c.Ports.Template, chain.GetTemplate{Time: now})
	if err != nil {
		return nil, err
	}
	t.Txs = txs
	block, tries := buildBlock(t, script, now, rand.Uint32()), uint64(defaultTries)
	switch solved, err := solveOrGiveUp(c, block, &tries); {
	case err != nil:
		return nil, err
	case !solved:
		return nil, fail(codeMisc, "Failed to make block.")
	}
	hash := block.BlockHash()
	if !a.flag(2, true) {
		return generated{hash.String(), hexOf(block)}, nil
	}
	v, err := ask(c, c.Ports.Submit, submission(block))
	switch {
	case err != nil:
		return nil, err
	case v.Code != chain.OK:
		return nil, fail(codeVerify, "TestBlockValidity failed: %s", reason(v))
	}
	return generated{Hash: hash.String()}, nil
}

// maxNamed bounds the transactions of one generateblock: the smallest ones that fill a
// block.
const maxNamed = wire.MaxBlockPayload / 60

// namedTxs reads transactions: each is the id of one in the pool, or hex.
func namedTxs(c *call, list json.RawMessage) ([]chain.TemplateTx, error) {
	names, ok := elements(list, maxNamed)
	if !ok {
		return nil, fail(codeInvalidParameter, "more than %d transactions do not fit a block", maxNamed)
	}
	var txs []chain.TemplateTx
	for i, raw := range names {
		if err := wrongKind(raw, text); err != nil {
			return nil, err
		}
		tx, err := namedTx(c, arguments(names).text(i))
		if err != nil {
			return nil, err
		}
		txs = append(txs, chain.TemplateTx{Tx: tx})
	}
	return txs, nil
}

func namedTx(c *call, name string) (*wire.MsgTx, error) {
	if hash, err := chainhash.NewHashFromStr(name); err == nil && len(name) == chainhash.MaxHashStringSize {
		pooled, err := ask(c, c.Ports.PoolTx, chain.GetPoolTx{TxID: *hash})
		if err == nil && pooled.Tx == nil {
			err = fail(codeNotFound, "Transaction %s not in mempool.", name)
		}
		return pooled.Tx, err
	}
	tx := decodeTx(name, anyWay)
	if tx == nil {
		return nil, fail(codeDeserialization, "Transaction decode failed for %s. %s", name, atLeastOne)
	}
	return tx, nil
}

package rpc

import (
	"bytes"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// rawTxResult is a transaction with what is known of its block, in Core's order. The
// block's fields are left out for a transaction of the pool.
type rawTxResult struct {
	InActiveChain *bool `json:"in_active_chain,omitempty"`
	txResult
	BlockHash     string `json:"blockhash,omitempty"`
	Confirmations int32  `json:"confirmations,omitempty"`
	Time          int64  `json:"time,omitempty"`
	BlockTime     int64  `json:"blocktime,omitempty"`
}

// getRawTransaction looks into the pool, or into the block that is named. There is no
// index of transactions. As in Core 28, what a transaction of the pool spends is not shown.
func getRawTransaction(c *call, a arguments) (any, error) {
	hash, err := a.hash(0, "parameter 1")
	if err != nil {
		return nil, err
	}
	if hash == c.Params.GenesisBlock.Transactions[0].TxHash() {
		return nil, fail(codeNotFound, "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved")
	}
	verbosity, err := verbosity(a, 0)
	if err != nil {
		return nil, err
	}
	if a.has(2) {
		return txOfBlock(c, a, hash, verbosity)
	}
	pooled, err := ask(c, c.Ports.PoolTx, chain.GetPoolTx{TxID: hash})
	switch {
	case err != nil:
		return nil, err
	case pooled.Tx == nil:
		return nil, fail(codeNotFound, "No such mempool transaction. This node has no -txindex: provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions.")
	case verbosity <= 0:
		return hexOf(pooled.Tx), nil
	}
	return rawTxResult{txResult: newTxResult(pooled.Tx, c.Params)}, nil
}

// txOfBlock finds a transaction in the block that the caller names.
func txOfBlock(c *call, a arguments, hash chainhash.Hash, verbosity int64) (any, error) {
	at, err := a.hash(2, "parameter 3")
	if err != nil {
		return nil, err
	}
	info, best, err := lookup(c, at)
	if err != nil {
		return nil, named(err, codeNotFound, "Block hash not found")
	}
	stored, err := ask(c, c.Ports.Block, chain.GetBlock{Hash: at, Witness: true, Spent: verbosity >= 2})
	if err != nil {
		return nil, err
	}
	if stored.Payload == nil {
		return nil, fail(codeMisc, "Block not available")
	}
	var block wire.MsgBlock
	if err := block.Deserialize(bytes.NewReader(stored.Payload)); err != nil {
		return nil, fail(codeInternal, "Block %v cannot be read: %v", at, err)
	}
	i := slices.IndexFunc(block.Transactions, func(tx *wire.MsgTx) bool { return tx.TxHash() == hash })
	switch {
	case i < 0:
		return nil, fail(codeNotFound, "No such transaction found in the provided block. Use gettransaction for wallet transactions.")
	case verbosity <= 0:
		return hexOf(block.Transactions[i]), nil
	}
	r := rawTxResult{InActiveChain: &info.InBestChain, txResult: newTxResult(block.Transactions[i], c.Params), BlockHash: at.String()}
	if verbosity >= 2 && i > 0 {
		spent := spentBy(&block, stored.Spent)
		if spent == nil {
			return nil, fail(codeInternal, "Undo data expected but can't be read. This could be due to disk corruption or a conflict with a pruning event.")
		}
		r.spends(spent[i], true, c.Params)
	}
	if info.InBestChain {
		r.Confirmations = best - info.Point.Height + 1
		r.Time = info.Header.Timestamp.Unix()
		r.BlockTime = r.Time
	}
	return r, nil
}

// named words an error of one code otherwise.
func named(err error, c code, text string) error {
	if e, ok := err.(*rpcError); ok && e.Code == c {
		return fail(c, "%s", text)
	}
	return err
}

func decodeRawTransaction(c *call, a arguments) (any, error) {
	how := anyWay
	if a.has(1) {
		witness := a.flag(1, false)
		how = serialization{witness: witness, legacy: !witness}
	}
	tx := decodeTx(a.text(0), how)
	if tx == nil {
		return nil, fail(codeDeserialization, "TX decode failed")
	}
	r := newTxResult(tx, c.Params)
	r.Hex = "" // the caller has it
	return r, nil
}

package rpc

import (
	"encoding/json"
	"math"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// The shapes of commands about outputs, with the fields in Core's order.
type (
	txOutResult struct {
		BestBlock     string       `json:"bestblock"`
		Confirmations int32        `json:"confirmations"`
		Value         amount       `json:"value"`
		ScriptPubKey  scriptPubKey `json:"scriptPubKey"`
		CoinBase      bool         `json:"coinbase"`
	}

	spenderResult struct {
		TxID     string `json:"txid"`
		Vout     uint32 `json:"vout"`
		Spending string `json:"spendingtxid,omitempty"`
	}
)

func getTxOut(c *call, a arguments) (any, error) {
	txid, err := a.hash(0, "txid")
	if err != nil {
		return nil, err
	}
	n, err := a.integer(1, 0, 0, math.MaxUint32)
	if err != nil {
		return nil, err
	}
	q := chain.GetTxOut{Out: wire.OutPoint{Hash: txid, Index: uint32(n)}, Pool: a.flag(2, true)}
	out, err := ask(c, c.Ports.TxOut, q)
	if err != nil || !out.Known {
		return nil, err
	}
	r := txOutResult{
		BestBlock: out.Best.Hash.String(), Value: amount(out.Value),
		ScriptPubKey: newScriptPubKey(out.Script, c.Params), CoinBase: out.CoinBase,
	}
	if out.Height >= 0 { // it is in a block
		r.Confirmations = out.Best.Height - out.Height + 1
	}
	return r, nil
}

// maxOutputs bounds what one gettxspendingprevout may ask. An output takes some 90 bytes
// of the request.
const maxOutputs = 10_000

func getTxSpendingPrevout(c *call, a arguments) (any, error) {
	list, ok := elements(a[0], maxOutputs)
	switch {
	case !ok:
		return nil, fail(codeInvalidParameter, "Invalid parameter, more than %d outputs", maxOutputs)
	case len(list) == 0:
		return nil, fail(codeInvalidParameter, "Invalid parameter, outputs are missing")
	}
	q := chain.GetSpenders{Outs: make([]wire.OutPoint, len(list))}
	for i, raw := range list {
		out, err := outPoint(raw)
		if err != nil {
			return nil, err
		}
		q.Outs[i] = out
	}
	found, err := ask(c, c.Ports.Spenders, q)
	if err != nil {
		return nil, err
	}
	results := []spenderResult{}
	for i, out := range q.Outs {
		results = append(results, spenderResult{out.Hash.String(), out.Index, hashOrEmpty(found.TxIDs[i])})
	}
	return results, nil
}

// outPoint reads {"txid":"id","vout":n}.
func outPoint(raw json.RawMessage) (wire.OutPoint, error) {
	if err := wrongKind(raw, object); err != nil {
		return wire.OutPoint{}, err
	}
	f, _ := fields(raw)
	if err := wrongField(f, []field{{"txid", text}, {"vout", numeric}}); err != nil {
		return wire.OutPoint{}, err
	}
	as := arguments{f["txid"], f["vout"]}
	hash, err := as.hash(0, "txid")
	if err != nil {
		return wire.OutPoint{}, err
	}
	n, err := as.integer(1, 0, math.MinInt32, math.MaxInt32)
	if err == nil && n < 0 {
		err = fail(codeInvalidParameter, "Invalid parameter, vout cannot be negative")
	}
	return wire.OutPoint{Hash: hash, Index: uint32(n)}, err
}

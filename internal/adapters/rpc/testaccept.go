package rpc

import (
	"encoding/json"

	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// The shapes of testmempoolaccept, with the fields in Core's order.
type (
	acceptResult struct {
		TxID         string      `json:"txid"`
		WTxID        string      `json:"wtxid"`
		PackageError string      `json:"package-error,omitempty"`
		Allowed      *bool       `json:"allowed,omitempty"` // nil: not judged
		VSize        int64       `json:"vsize,omitempty"`
		Fees         *acceptFees `json:"fees,omitempty"`
		Reason       string      `json:"reject-reason,omitempty"`
		Details      string      `json:"reject-details,omitempty"`
	}

	acceptFees struct {
		Base      amount   `json:"base"`
		Effective amount   `json:"effective-feerate"`
		Includes  []string `json:"effective-includes"`
	}
)

// maxPackage is Core's bound on the transactions of one testmempoolaccept.
const maxPackage = 25

// testMempoolAccept judges each transaction by itself, upon the pool as it is. As in Core,
// none is judged after one that pays too much, or if they contradict each other.
func testMempoolAccept(c *call, a arguments) (any, error) {
	list, ok := elements(a[0], maxPackage)
	if !ok || len(list) == 0 {
		return nil, fail(codeInvalidParameter, "Array must contain between 1 and %d transactions.", maxPackage)
	}
	rate, err := a.feeRate(1, defaultMaxFeeRate)
	if err != nil {
		return nil, err
	}
	txs, err := decodeAll(list)
	if err != nil {
		return nil, err
	}
	results, wrong, judging := []acceptResult{}, contradiction(txs), true
	for _, tx := range txs {
		r := acceptResult{TxID: tx.TxHash().String(), WTxID: tx.WitnessHash().String(), PackageError: wrong}
		if judging && wrong == "" {
			v, err := ask(c, c.Ports.SubmitTx, chain.SubmitTx{Tx: tx, ID: idOf(tx), Test: true})
			if err != nil {
				return nil, err
			}
			if v.Code == chain.TxFatal {
				return nil, refusal(v)
			}
			judging = r.judge(v, rate)
		}
		results = append(results, r)
	}
	return results, nil
}

// judge fills in a verdict. It is false when the transaction pays too much.
func (r *acceptResult) judge(v chain.TxVerdict, highest feeRate) bool {
	r.Allowed = new(bool)
	switch {
	case v.Code == chain.TxOrphan:
		r.Reason, r.Details = "missing-inputs", missingInputs
	case v.Code != chain.TxOK:
		r.Reason, r.Details = v.Reason, details(v)
	case highest > 0 && v.Fee > highest.fee(v.VSize):
		r.Reason = "max-fee-exceeded"
		return false
	default:
		*r.Allowed = true
		r.VSize = v.VSize
		perK := chain.PoolTx{Fee: v.Fee, VSize: v.VSize}.FeeRate()
		r.Fees = &acceptFees{amount(v.Fee), amount(perK), []string{r.WTxID}}
	}
	return true
}

// decodeAll reads an array of transactions in hex.
func decodeAll(list []json.RawMessage) ([]*wire.MsgTx, error) {
	txs := make([]*wire.MsgTx, len(list))
	for i, raw := range list {
		if kind(raw) != text {
			return nil, fail(codeType, "JSON value of type %s is not of expected type string", kind(raw))
		}
		text := arguments(list).text(i)
		if txs[i] = decodeTx(text, anyWay); txs[i] == nil {
			return nil, fail(codeDeserialization, "TX decode failed: %s %s", text, atLeastOne)
		}
	}
	return txs, nil
}

// contradiction says in Core's words why transactions cannot be accepted together, or "".
func contradiction(txs []*wire.MsgTx) string {
	if len(txs) == 1 {
		return ""
	}
	ids, spent := map[string]bool{}, map[wire.OutPoint]bool{}
	for _, tx := range txs {
		if id := tx.TxHash().String(); ids[id] {
			return "package-contains-duplicates"
		} else {
			ids[id] = true
		}
	}
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			if spent[in.PreviousOutPoint] {
				return "conflict-in-package"
			}
		}
		for _, in := range tx.TxIn { // one that spends twice by itself is judged as such
			spent[in.PreviousOutPoint] = true
		}
	}
	return ""
}

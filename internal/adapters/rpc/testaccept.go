package rpc

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
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

// Core's bounds on the transactions of one testmempoolaccept: how many, and their weight.
const (
	maxPackage       = 25
	maxPackageWeight = 404_000
)

// testMempoolAccept judges each transaction by itself, upon the pool as it is. One that
// spends what another one of them makes is not judged, and says so. As in Core, none is
// judged after one that pays too much, or if they contradict each other.
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
	results, ids, judging := []acceptResult{}, idsOf(txs), true
	wrong := contradiction(txs, ids)
	for _, tx := range txs {
		r := acceptResult{TxID: tx.TxHash().String(), WTxID: tx.WitnessHash().String(), PackageError: wrong}
		if judging && wrong == "" {
			v, err := ask(c, c.Ports.SubmitTx, chain.SubmitTx{Tx: tx, ID: chain.NameOf(tx), Test: true})
			if err != nil {
				return nil, err
			}
			if v.Code == chain.TxFatal {
				return nil, refusal(v)
			}
			judging = r.judge(v, rate, ids)
		}
		results = append(results, r)
	}
	return results, nil
}

// judge fills in a verdict. It is false when the transaction pays too much. others are all
// transactions of the call.
func (r *acceptResult) judge(v chain.TxVerdict, highest feeRate, others map[chainhash.Hash]bool) bool {
	for _, parent := range v.Missing {
		if others[parent] {
			r.Reason = "missing-inputs"
			r.Details = fmt.Sprintf("not judged: it spends an output of %v, which is in the same call and not in the pool", parent)
			return true
		}
	}
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
		if err := wrongKind(raw, text); err != nil {
			return nil, err
		}
		text := arguments(list).text(i)
		if txs[i] = decodeTx(text, anyWay); txs[i] == nil {
			return nil, fail(codeDeserialization, "TX decode failed: %s %s", text, atLeastOne)
		}
	}
	return txs, nil
}

func idsOf(txs []*wire.MsgTx) map[chainhash.Hash]bool {
	ids := make(map[chainhash.Hash]bool, len(txs))
	for _, tx := range txs {
		ids[tx.TxHash()] = true
	}
	return ids
}

// contradiction says in Core's words why transactions cannot be accepted together, or "".
func contradiction(txs []*wire.MsgTx, ids map[chainhash.Hash]bool) string {
	weight := int64(0)
	for _, tx := range txs {
		weight += weightOf(btcutil.NewTx(tx))
	}
	switch {
	case len(txs) == 1:
		return ""
	case weight > maxPackageWeight:
		return "package-too-large"
	case len(ids) < len(txs):
		return "package-contains-duplicates"
	case !parentsFirst(txs, ids):
		return "package-not-sorted"
	}
	spent := map[wire.OutPoint]bool{}
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

// parentsFirst says whether no transaction spends an output of a later one.
func parentsFirst(txs []*wire.MsgTx, ids map[chainhash.Hash]bool) bool {
	later := maps.Clone(ids)
	for _, tx := range txs {
		for _, in := range tx.TxIn {
			if later[in.PreviousOutPoint.Hash] {
				return false
			}
		}
		delete(later, tx.TxHash())
	}
	return true
}

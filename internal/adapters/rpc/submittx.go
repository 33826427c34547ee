package rpc

import (
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// Core's words for a transaction that is refused.
const (
	missingInputs = "bad-txns-inputs-missingorspent"
	alreadyKnown  = "txn-already-known"                   // a block has it, and an output is unspent
	otherWitness  = "txn-same-nonwitness-data-in-mempool" // the pool has it, with other witness data
	tooDear       = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"
	burns         = "Unspendable output exceeds maximum configured by user (maxburnamount)"
	atLeastOne    = "Make sure the tx has at least one input."
)

// sendRawTransaction takes a transaction into the pool, from where the relay announces it.
func sendRawTransaction(c *call, a arguments) (any, error) {
	burn, err := a.amount(2, 0)
	if err != nil {
		return nil, err
	}
	tx := decodeTx(a.text(0), anyWay)
	if tx == nil {
		return nil, fail(codeDeserialization, "TX decode failed. %s", atLeastOne)
	}
	for _, out := range tx.TxOut {
		if out.Value > int64(burn) && (unspendable(out.PkScript) || !hasValidOps(out.PkScript)) {
			return nil, fail(codeVerify, burns)
		}
	}
	rate, err := a.feeRate(1, defaultMaxFeeRate)
	if err != nil {
		return nil, err
	}
	if err := send(c, tx, rate); err != nil {
		return nil, err
	}
	return tx.TxHash().String(), nil
}

// send submits a transaction. One that the pool has already is no error, with other
// witness data neither: it is announced again. If there is a highest fee, the transaction is tried first, so
// that one that pays too much is not relayed.
func send(c *call, tx *wire.MsgTx, highest feeRate) error {
	id := chain.NameOf(tx)
	if highest > 0 {
		v, err := ask(c, c.Ports.SubmitTx, chain.SubmitTx{Tx: tx, ID: id, Test: true})
		if err != nil {
			return err
		}
		if err := refusal(v); err != nil {
			return err
		}
		if v.Fee > highest.fee(v.VSize) {
			return fail(codeVerify, tooDear)
		}
	}
	v, err := ask(c, c.Ports.SubmitTx, chain.SubmitTx{Tx: tx, ID: id, Ours: true})
	if err != nil {
		return err
	}
	return refusal(v)
}

// refusal is a verdict as sendrawtransaction's error, or nil.
func refusal(v chain.TxVerdict) error {
	switch {
	case v.Code == chain.TxOK, v.Code == chain.TxKnown, v.Reason == otherWitness:
		return nil
	case v.Reason == alreadyKnown:
		return fail(codeAlreadyInChain, "Transaction outputs already in utxo set")
	case v.Code == chain.TxOrphan:
		return fail(codeVerify, missingInputs)
	case v.Code == chain.TxFatal:
		return fail(codeVerify, "%s", details(v))
	}
	return fail(codeRejected, "%s", details(v))
}

// details is a verdict's reason, and what is known beside it, as Core writes both.
func details(v chain.TxVerdict) string {
	reason := v.Reason
	if reason == "" {
		reason = v.Code.String()
	}
	if v.Detail != "" && v.Detail != reason {
		reason += ", " + v.Detail
	}
	return reason
}

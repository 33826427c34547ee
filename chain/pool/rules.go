package pool

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/mempool"

	"acyclic/chain"
)

// meaning is what a broken rule of btcd's means to us, and its name in Bitcoin Core.
type meaning struct {
	code   chain.TxCode
	reason string
}

// badScript stands for what judgeScript says about a script that failed.
const badScript = "script"

// btcd says with a text alone, or with a code that stands for several rules, what is
// wrong. texts tells by a part of the text what it is. The first that fits counts.
var texts = []struct {
	part string
	meaning
}{
	// CheckTransactionSanity and CheckTransactionInputs.
	{"output has negative value", meaning{chain.TxInvalid, "bad-txns-vout-negative"}},
	{"outputs exceeds max allowed", meaning{chain.TxInvalid, "bad-txns-txouttotal-toolarge"}},
	{"outputs is ", meaning{chain.TxInvalid, "bad-txns-txouttotal-toolarge"}},
	{"value of all transaction inputs is", meaning{chain.TxInvalid, "bad-txns-inputvalues-outofrange"}},

	// CheckTransactionStandard.
	{"transaction version", meaning{chain.TxPolicy, "version"}},
	{"is not finalized", meaning{chain.TxEarly, "non-final"}},
	{"weight of transaction", meaning{chain.TxPolicy, "tx-size"}},
	{"signature script size is larger", meaning{chain.TxPolicy, "scriptsig-size"}},
	{"is not push only", meaning{chain.TxPolicy, "scriptsig-not-pushonly"}},
	{"payment is dust", meaning{chain.TxPolicy, "dust"}},
	{"more than one transaction output in a nulldata", meaning{chain.TxPolicy, "multi-op-return"}},
	{"multi-signature script", meaning{chain.TxPolicy, "scriptpubkey"}},
	{"transaction output", meaning{chain.TxPolicy, "scriptpubkey"}},

	// What the pool alone checks.
	{"segwit isn't active yet", meaning{chain.TxPolicy, "no-witness-yet"}},
	{"has a non-standard input", meaning{chain.TxPolicy, "bad-txns-nonstandard-inputs"}},
	{"sigop cost is too high", meaning{chain.TxPolicy, "bad-txns-too-many-sigops"}},
	{"sequence locks on inputs not met", meaning{chain.TxEarly, "non-BIP68-final"}},
}

// codes are the codes of btcd's that a transaction can break.
var codes = map[blockchain.ErrorCode]meaning{
	blockchain.ErrNoTxInputs:           {chain.TxInvalid, "bad-txns-vin-empty"},
	blockchain.ErrNoTxOutputs:          {chain.TxInvalid, "bad-txns-vout-empty"},
	blockchain.ErrTxTooBig:             {chain.TxInvalid, "bad-txns-oversize"},
	blockchain.ErrBadTxOutValue:        {chain.TxInvalid, "bad-txns-vout-toolarge"},
	blockchain.ErrDuplicateTxInputs:    {chain.TxInvalid, "bad-txns-inputs-duplicate"},
	blockchain.ErrBadTxInput:           {chain.TxInvalid, "bad-txns-prevout-null"},
	blockchain.ErrBadCoinbaseScriptLen: {chain.TxInvalid, "bad-cb-length"},
	blockchain.ErrSpendTooHigh:         {chain.TxInvalid, "bad-txns-in-belowout"},
	blockchain.ErrImmatureSpend:        {chain.TxEarly, "bad-txns-premature-spend-of-coinbase"},
	blockchain.ErrScriptMalformed:      {chain.TxInvalid, badScript},
	blockchain.ErrScriptValidation:     {chain.TxInvalid, badScript},
}

// unknown is a rule of a later btcd's. It harms nobody.
var unknown = meaning{chain.TxPolicy, "rejected"}

// asRefusal says what an error of btcd's means. It returns an error if no rule was
// broken: then the database failed.
func asRefusal(err error) (*refusal, error) {
	var wrapped mempool.RuleError
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var broken blockchain.RuleError
	var policy mempool.TxRuleError
	m := unknown
	switch {
	case errors.As(err, &broken):
		if known, ok := codes[broken.ErrorCode]; ok {
			m = known
		}
	case !errors.As(err, &policy):
		return nil, err
	}
	if m.reason != badScript { // whose text has what the peer sent
		for _, t := range texts {
			if strings.Contains(err.Error(), t.part) {
				m = t.meaning
				break
			}
		}
	}
	return refuse(m.code, m.reason, "%s", clip(err.Error())), nil
}

// maxDetail bounds a text for people. btcd's may have whole scripts in it.
const maxDetail = 300

func clip(s string) string { return s[:min(len(s), maxDetail)] }

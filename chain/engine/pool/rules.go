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
	amount bool // of the code ErrBadTxOutValue; the others have no code
}{
	// CheckTransactionSanity and CheckTransactionInputs.
	{"output has negative value", meaning{chain.TxInvalid, "bad-txns-vout-negative"}, true},
	{"outputs is ", meaning{chain.TxInvalid, "bad-txns-txouttotal-toolarge"}, true},
	{"value of all transaction inputs is", meaning{chain.TxInvalid, "bad-txns-inputvalues-outofrange"}, true},

	// CheckTransactionStandard.
	{"transaction version", meaning{chain.TxPolicy, "version"}, false},
	{"is not finalized", meaning{chain.TxEarly, "non-final"}, false},
	{"weight of transaction", meaning{chain.TxPolicy, "tx-size"}, false},
	{"signature script size is larger", meaning{chain.TxPolicy, "scriptsig-size"}, false},
	{"is not push only", meaning{chain.TxPolicy, "scriptsig-not-pushonly"}, false},
	{"payment is dust", meaning{chain.TxPolicy, "dust"}, false},
	{"more than one transaction output in a nulldata", meaning{chain.TxPolicy, "multi-op-return"}, false},
	{"multi-signature script", meaning{chain.TxPolicy, "scriptpubkey"}, false},
	{"transaction output", meaning{chain.TxPolicy, "scriptpubkey"}, false},

	// What the pool alone checks.
	{"segwit isn't active yet", meaning{chain.TxPolicy, "no-witness-yet"}, false},
	{"has a non-standard input", meaning{chain.TxPolicy, "bad-txns-nonstandard-inputs"}, false},
	{"sigop cost is too high", meaning{chain.TxPolicy, "bad-txns-too-many-sigops"}, false},
	{"sequence locks on inputs not met", meaning{chain.TxEarly, "non-BIP68-final"}, false},
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
	byText, amount := true, false
	switch {
	case errors.As(err, &broken):
		if known, ok := codes[broken.ErrorCode]; ok {
			m = known
		}
		amount = broken.ErrorCode == blockchain.ErrBadTxOutValue
		byText = amount
	case !errors.As(err, &policy):
		return nil, err
	}
	for _, t := range texts {
		if byText && t.amount == amount && strings.Contains(err.Error(), t.part) {
			m = t.meaning
			break
		}
	}
	return refuse(m.code, m.reason, "%s", clip(err.Error())), nil
}

// maxDetail bounds a text for people. btcd's may have whole scripts in it.
const maxDetail = 300

func clip(s string) string { return s[:min(len(s), maxDetail)] }

package engine

import (
	"errors"

	"github.com/btcsuite/btcd/blockchain"

	"acyclic/chain"
)

// rule is what a broken rule of btcd's means to us, and its name in Bitcoin Core.
type rule struct {
	code   chain.Code
	reason string
}

// rules has every error code of btcd's blockchain package.
//
// A body that breaks a rule with the code Mutated is not the one that the header
// commits to. The header may be good, and another copy of the block too.
var rules = map[blockchain.ErrorCode]rule{
	blockchain.ErrDuplicateBlock:       {chain.Duplicate, "duplicate"},
	blockchain.ErrPreviousBlockUnknown: {chain.Orphan, "prev-blk-not-found"},
	blockchain.ErrPrevBlockNotBest:     {chain.Orphan, "inconclusive-not-best-prevblk"},
	blockchain.ErrTimeTooNew:           {chain.TooNew, "time-too-new"},
	blockchain.ErrInvalidAncestorBlock: {chain.BadAncestor, "bad-prevblk"},
	blockchain.ErrKnownInvalidBlock:    {chain.Invalid, "duplicate-invalid"},

	blockchain.ErrBadCheckpoint:        {chain.Checkpoint, "checkpoint mismatch"},
	blockchain.ErrForkTooOld:           {chain.Checkpoint, "bad-fork-prior-to-checkpoint"},
	blockchain.ErrCheckpointTimeTooOld: {chain.Checkpoint, "time-too-old"},
	blockchain.ErrDifficultyTooLow:     {chain.Checkpoint, "bad-diffbits"},

	blockchain.ErrBadMerkleRoot:             {chain.Mutated, "bad-txnmrklroot"},
	blockchain.ErrDuplicateTx:               {chain.Mutated, "bad-txns-duplicate"}, // CVE-2012-2459
	blockchain.ErrUnexpectedWitness:         {chain.Mutated, "unexpected-witness"},
	blockchain.ErrInvalidWitnessCommitment:  {chain.Mutated, "bad-witness-nonce-size"},
	blockchain.ErrWitnessCommitmentMismatch: {chain.Mutated, "bad-witness-merkle-match"},

	blockchain.ErrBlockVersionTooOld:    {chain.Invalid, "bad-version"},
	blockchain.ErrInvalidTime:           {chain.Invalid, "time-invalid"},
	blockchain.ErrTimeTooOld:            {chain.Invalid, "time-too-old"},
	blockchain.ErrTimewarpAttack:        {chain.Invalid, "time-timewarp-attack"},
	blockchain.ErrUnexpectedDifficulty:  {chain.Invalid, "bad-diffbits"},
	blockchain.ErrHighHash:              {chain.Invalid, "high-hash"},
	blockchain.ErrBlockTooBig:           {chain.Invalid, "bad-blk-length"},
	blockchain.ErrBlockWeightTooHigh:    {chain.Invalid, "bad-blk-weight"},
	blockchain.ErrNoTransactions:        {chain.Invalid, "bad-blk-length"},
	blockchain.ErrTooManySigOps:         {chain.Invalid, "bad-blk-sigops"},
	blockchain.ErrFirstTxNotCoinbase:    {chain.Invalid, "bad-cb-missing"},
	blockchain.ErrMultipleCoinbases:     {chain.Invalid, "bad-cb-multiple"},
	blockchain.ErrBadCoinbaseScriptLen:  {chain.Invalid, "bad-cb-length"},
	blockchain.ErrBadCoinbaseValue:      {chain.Invalid, "bad-cb-amount"},
	blockchain.ErrMissingCoinbaseHeight: {chain.Invalid, "bad-cb-height"},
	blockchain.ErrBadCoinbaseHeight:     {chain.Invalid, "bad-cb-height"},
	blockchain.ErrNoTxInputs:            {chain.Invalid, "bad-txns-vin-empty"},
	blockchain.ErrNoTxOutputs:           {chain.Invalid, "bad-txns-vout-empty"},
	blockchain.ErrTxTooBig:              {chain.Invalid, "bad-txns-oversize"},
	blockchain.ErrBadTxOutValue:         {chain.Invalid, "bad-txns-vout-toolarge"},
	blockchain.ErrDuplicateTxInputs:     {chain.Invalid, "bad-txns-inputs-duplicate"},
	blockchain.ErrBadTxInput:            {chain.Invalid, "bad-txns-prevout-null"},
	blockchain.ErrMissingTxOut:          {chain.Invalid, "bad-txns-inputs-missingorspent"},
	blockchain.ErrUnfinalizedTx:         {chain.Invalid, "bad-txns-nonfinal"},
	blockchain.ErrOverwriteTx:           {chain.Invalid, "bad-txns-BIP30"},
	blockchain.ErrImmatureSpend:         {chain.Invalid, "bad-txns-premature-spend-of-coinbase"},
	blockchain.ErrSpendTooHigh:          {chain.Invalid, "bad-txns-in-belowout"},
	blockchain.ErrBadFees:               {chain.Invalid, "bad-txns-fee-outofrange"},
	blockchain.ErrScriptMalformed:       {chain.Invalid, "mandatory-script-verify-flag-failed"},
	blockchain.ErrScriptValidation:      {chain.Invalid, "mandatory-script-verify-flag-failed"},
}

// refusal says why a header or block was not accepted.
type refusal struct {
	rule
	detail string
}

func refuse(code blockchain.ErrorCode, detail string) *refusal {
	return &refusal{rules[code], detail}
}

// asRefusal returns err as a refusal. ok is false if no rule was broken: then the
// database failed.
func asRefusal(err error) (r *refusal, ok bool) {
	var broken blockchain.RuleError
	if !errors.As(err, &broken) {
		return nil, false
	}
	known, ok := rules[broken.ErrorCode]
	if !ok {
		known = rule{chain.Invalid, "rejected"} // a rule of a later btcd
	}
	return &refusal{known, broken.Description}, true
}

package pool

import (
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"

	"acyclic/chain"
)

// Flags of scripts. mandatory are those that Bitcoin Core holds blocks to always.
const (
	standard  = txscript.StandardVerifyFlags
	mandatory = txscript.ScriptBip16 | txscript.ScriptVerifyDERSignatures | txscript.ScriptStrictMultiSig |
		txscript.ScriptVerifyCheckLockTimeVerify | txscript.ScriptVerifyCheckSequenceVerify |
		txscript.ScriptVerifyWitness | txscript.ScriptVerifyTaproot

	// Without witness data the rules of witness data cannot be kept, and the stack
	// is not to blame.
	stackFree   = standard &^ txscript.ScriptVerifyCleanStack
	witnessFree = stackFree &^ txscript.ScriptVerifyWitness
)

// judgeScript says what it means that a script fails under the standard flags: the
// sender is at fault only if the same input fails under the mandatory flags.
func (p *Pool) judgeScript(t *btcutil.Tx, view *blockchain.UtxoViewpoint) *refusal {
	input, err := p.firstBad(t, view, standard)
	if err == nil { // btcd has just found it bad
		return refuse(unknown.code, unknown.reason, "the scripts are good now")
	}
	r := refuse(chain.TxInvalid, "mandatory-script-verify-flag-failed", "input %d: %s", input, clip(err.Error()))
	if p.runScript(t, input, view, mandatory) == nil {
		r.code, r.reason = chain.TxPolicy, "non-mandatory-script-verify-flag"
	}
	r.reason = fmt.Sprintf("%s (%s)", r.reason, scriptWords(err))
	if !t.MsgTx().HasWitness() {
		_, bare := p.firstBad(t, view, witnessFree)
		_, full := p.firstBad(t, view, stackFree)
		if bare == nil && full != nil {
			r.code = chain.TxWitness // somebody has taken the witness data away
		}
	}
	return r
}

// firstBad returns the first input whose script fails, and why.
func (p *Pool) firstBad(t *btcutil.Tx, view *blockchain.UtxoViewpoint, flags txscript.ScriptFlags) (int, error) {
	for i := range t.MsgTx().TxIn {
		if err := p.runScript(t, i, view, flags); err != nil {
			return i, err
		}
	}
	return 0, nil
}

// runScript runs the script of one input.
func (p *Pool) runScript(t *btcutil.Tx, input int, view *blockchain.UtxoViewpoint, flags txscript.ScriptFlags) error {
	msg := t.MsgTx()
	var hashes *txscript.TxSigHashes
	if msg.HasWitness() {
		if !p.cfg.HashCache.ContainsHashes(t.Hash()) {
			p.cfg.HashCache.AddSigHashes(msg, view)
		}
		hashes, _ = p.cfg.HashCache.GetSigHashes(t.Hash())
	}
	spent := view.LookupEntry(msg.TxIn[input].PreviousOutPoint)
	vm, err := txscript.NewEngine(spent.PkScript(), msg, input, flags, p.cfg.SigCache, hashes, spent.Amount(), view)
	if err != nil {
		return err
	}
	return vm.Execute()
}

// scriptWords says what is wrong with a script as Bitcoin Core does.
func scriptWords(err error) string {
	var broken txscript.Error
	if errors.As(err, &broken) {
		if words, ok := scriptErrors[broken.ErrorCode]; ok {
			return words
		}
	}
	return "unknown error"
}

// scriptErrors are Bitcoin Core's names of btcd's errors.
var scriptErrors = map[txscript.ErrorCode]string{
	txscript.ErrEarlyReturn:           "OP_RETURN was encountered",
	txscript.ErrEmptyStack:            "Script evaluated without error but finished with a false/empty top stack element",
	txscript.ErrEvalFalse:             "Script evaluated without error but finished with a false/empty top stack element",
	txscript.ErrScriptTooBig:          "Script is too big",
	txscript.ErrElementTooBig:         "Push value size limit exceeded",
	txscript.ErrTooManyOperations:     "Operation limit exceeded",
	txscript.ErrStackOverflow:         "Stack size limit exceeded",
	txscript.ErrInvalidPubKeyCount:    "Pubkey count negative or limit exceeded",
	txscript.ErrInvalidSignatureCount: "Signature count negative or greater than pubkey count",
	txscript.ErrVerify:                "Script failed an OP_VERIFY operation",
	txscript.ErrEqualVerify:           "Script failed an OP_EQUALVERIFY operation",
	txscript.ErrNumEqualVerify:        "Script failed an OP_NUMEQUALVERIFY operation",
	txscript.ErrCheckSigVerify:        "Script failed an OP_CHECKSIGVERIFY operation",
	txscript.ErrCheckMultiSigVerify:   "Script failed an OP_CHECKMULTISIGVERIFY operation",
	txscript.ErrDisabledOpcode:        "Attempted to use a disabled opcode",
	txscript.ErrReservedOpcode:        "Opcode missing or not understood",
	txscript.ErrMalformedPush:         "Opcode missing or not understood",
	txscript.ErrInvalidStackOperation: "Operation not valid with the current stack size",
	txscript.ErrUnbalancedConditional: "Invalid OP_IF construction",
	txscript.ErrMinimalData:           "Data push larger than necessary",
	txscript.ErrInvalidSigHashType:    "Signature hash type missing or not understood",
	txscript.ErrSigTooShort:           badDER,
	txscript.ErrSigTooLong:            badDER,
	txscript.ErrSigInvalidSeqID:       badDER,
	txscript.ErrSigInvalidDataLen:     badDER,
	txscript.ErrSigMissingSTypeID:     badDER,
	txscript.ErrSigMissingSLen:        badDER,
	txscript.ErrSigInvalidSLen:        badDER,
	txscript.ErrSigInvalidRIntID:      badDER,
	txscript.ErrSigZeroRLen:           badDER,
	txscript.ErrSigNegativeR:          badDER,
	txscript.ErrSigTooMuchRPadding:    badDER,
	txscript.ErrSigInvalidSIntID:      badDER,
	txscript.ErrSigZeroSLen:           badDER,
	txscript.ErrSigNegativeS:          badDER,
	txscript.ErrSigTooMuchSPadding:    badDER,
	txscript.ErrSigHighS:              "Non-canonical signature: S value is unnecessarily high",
	txscript.ErrNotPushOnly:           "Only push operators allowed in signatures",
	txscript.ErrSigNullDummy:          "Dummy CHECKMULTISIG argument must be zero",
	txscript.ErrPubKeyType:            "Public key is neither compressed or uncompressed",
	txscript.ErrCleanStack:            "Stack size must be exactly one after execution",
	txscript.ErrNullFail:              "Signature must be zero for failed CHECK(MULTI)SIG operation",
	txscript.ErrWitnessMalleated:      "Witness requires empty scriptSig",
	txscript.ErrWitnessMalleatedP2SH:  "Witness requires only-redeemscript scriptSig",

	txscript.ErrDiscourageUpgradableNOPs:            "NOPx reserved for soft-fork upgrades",
	txscript.ErrNegativeLockTime:                    "Negative locktime",
	txscript.ErrUnsatisfiedLockTime:                 "Locktime requirement not satisfied",
	txscript.ErrMinimalIf:                           "OP_IF/NOTIF argument must be minimal",
	txscript.ErrDiscourageUpgradableWitnessProgram:  "Witness version reserved for soft-fork upgrades",
	txscript.ErrWitnessProgramEmpty:                 "Witness program was passed an empty witness",
	txscript.ErrWitnessProgramMismatch:              "Witness program hash mismatch",
	txscript.ErrWitnessProgramWrongLength:           "Witness program has incorrect length",
	txscript.ErrWitnessUnexpected:                   "Witness provided for non-witness script",
	txscript.ErrWitnessPubKeyType:                   "Using non-compressed keys in segwit",
	txscript.ErrDiscourageOpSuccess:                 "OP_SUCCESSx reserved for soft-fork upgrades",
	txscript.ErrDiscourageUpgradeableTaprootVersion: "Taproot version reserved for soft-fork upgrades",
	txscript.ErrTapscriptCheckMultisig:              "OP_CHECKMULTISIG(VERIFY) is not available in tapscript",
	txscript.ErrDiscourageUpgradeablePubKeyType:     "Public key version reserved for soft-fork upgrades",
	txscript.ErrTaprootSigInvalid:                   "Invalid Schnorr signature",
	txscript.ErrTaprootMerkleProofInvalid:           "Witness program hash mismatch",
	txscript.ErrTaprootOutputKeyParityMismatch:      "Witness program hash mismatch",
	txscript.ErrControlBlockTooSmall:                "Invalid Taproot control block size",
	txscript.ErrControlBlockTooLarge:                "Invalid Taproot control block size",
	txscript.ErrControlBlockInvalidLength:           "Invalid Taproot control block size",
	txscript.ErrInvalidTaprootSigLen:                "Invalid Schnorr signature size",
	txscript.ErrTaprootPubkeyIsEmpty:                "Public key is neither compressed or uncompressed",
	txscript.ErrTaprootMaxSigOps:                    "Too much signature validation relative to witness weight",
	txscript.ErrNonConstScriptCode:                  "Signature is found in scriptCode",
	txscript.ErrCodeSeparator:                       "Using OP_CODESEPARATOR in non-witness script",
}

const badDER = "Non-canonical DER signature"

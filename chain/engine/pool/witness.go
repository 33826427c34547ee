package pool

import (
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// What standard witness data may have, as in Bitcoin Core.
const (
	maxWitnessScript = 3600 // bytes of a script of P2WSH
	maxWitnessItems  = 100  // on the stack of P2WSH, without the script
	maxWitnessItem   = 80   // bytes of each, and of each on the stack of a tapscript
)

// checkWitness says whether a transaction's witness data is standard. btcd has no such
// rule. It does not count as a fault, for anybody on the way can change the data.
func checkWitness(tx *wire.MsgTx, view *blockchain.UtxoViewpoint) *refusal {
	for i, in := range tx.TxIn {
		if len(in.Witness) == 0 {
			continue
		}
		if why := oddWitness(in, view.LookupEntry(in.PreviousOutPoint).PkScript()); why != "" {
			return refuse(chain.TxWitness, "bad-witness-nonstandard", "input %d: %s", i, why)
		}
	}
	return nil
}

// oddWitness says what is not standard about the witness data of an input; "" if it
// is standard.
func oddWitness(in *wire.TxIn, script []byte) string {
	nested := txscript.IsPayToScriptHash(script)
	if nested {
		redeem, ok := lastPush(in.SignatureScript)
		if !ok {
			return "the signature script has no redeem script"
		}
		script = redeem
	}
	switch {
	case txscript.IsPayToAnchorScript(script):
		return "an anchor is spent without witness data"
	case !txscript.IsWitnessProgram(script):
		return "witness data for what is no witness program"
	case txscript.IsPayToWitnessScriptHash(script):
		return oddStack(in.Witness)
	case txscript.IsPayToTaproot(script) && !nested:
		return oddTaproot(in.Witness)
	}
	return ""
}

func oddStack(w wire.TxWitness) string {
	items, script := w[:len(w)-1], w[len(w)-1]
	switch {
	case len(script) > maxWitnessScript:
		return "the witness script is too large"
	case len(items) > maxWitnessItems:
		return "the stack has too many items"
	case tooLong(items):
		return "an item on the stack is too large"
	}
	return ""
}

func oddTaproot(w wire.TxWitness) string {
	if last := w[len(w)-1]; len(w) >= 2 && len(last) > 0 && last[0] == txscript.TaprootAnnexTag {
		return "an annex has no meaning yet"
	}
	if len(w) < 2 {
		return "" // a signature alone
	}
	control := w[len(w)-1]
	if len(control) == 0 {
		return "the control block is empty"
	}
	const leafMask = 0xfe // the last bit is the key's
	if control[0]&leafMask == byte(txscript.BaseLeafVersion) && tooLong(w[:len(w)-2]) {
		return "an item on the stack is too large"
	}
	return ""
}

func tooLong(items [][]byte) bool {
	for _, item := range items {
		if len(item) > maxWitnessItem {
			return true
		}
	}
	return false
}

// lastPush returns the last data that a script pushes. ok is false if it does
// something else.
func lastPush(script []byte) (data []byte, ok bool) {
	t := txscript.MakeScriptTokenizer(0, script)
	for t.Next() {
		if t.Opcode() > txscript.OP_16 {
			return nil, false
		}
		data, ok = t.Data(), true
	}
	return data, ok && t.Err() == nil
}

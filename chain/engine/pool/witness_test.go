package pool

import (
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// What witness data may have, to the byte.
func TestStandardWitnessData(t *testing.T) {
	items := func(sizes ...int) (w wire.TxWitness) {
		for _, n := range sizes {
			w = append(w, make([]byte, n))
		}
		return w
	}
	many := func(n int) wire.TxWitness { return items(make([]int, n+1)...) }
	// leaf adds a script and a control block of a leaf version to items of a tapscript.
	leaf := func(version byte, w wire.TxWitness) wire.TxWitness {
		control := make([]byte, 33+3*32)
		control[0] = version
		return append(w, make([]byte, 200), control)
	}
	program := func(version byte, bytes int) []byte {
		return append([]byte{version, byte(bytes)}, make([]byte, bytes)...)
	}
	script, key, tap := program(txscript.OP_0, 32), program(txscript.OP_0, 20), program(txscript.OP_1, 32)
	for _, c := range []struct {
		why    string
		script []byte // of the output
		redeem []byte // in the signature script
		w      wire.TxWitness
		ok     bool
	}{
		{"a script as large as it may be", script, nil, items(maxWitnessScript), true},
		{"a script that is too large", script, nil, items(maxWitnessScript + 1), false},
		{"as many items as there may be", script, nil, many(maxWitnessItems), true},
		{"too many items", script, nil, many(maxWitnessItems + 1), false},
		{"an item as large as it may be", script, nil, items(1, maxWitnessItem, 3), true},
		{"an item that is too large", script, nil, items(1, maxWitnessItem+1, 3), false},
		{"a large item for a key", key, nil, items(maxWitnessItem+1, 33), true},

		{"in a script hash, an item as large as it may be", payToHash(script), script, items(maxWitnessItem, 3), true},
		{"in a script hash, an item that is too large", payToHash(script), script, items(maxWitnessItem+1, 3), false},
		{"in a script hash, no program", payToHash(opener), opener, items(1), false},
		{"in a script hash, no redeem script", payToHash(script), nil, items(1), false},
		{"in a script hash, taproot has no meaning yet", payToHash(tap), tap, leaf(0xc0, items(maxWitnessItem+1)), true},

		{"a signature alone", tap, nil, items(maxWitnessItem + 1), true},
		{"a tapscript's item as large as it may be", tap, nil, leaf(0xc0, items(1, maxWitnessItem)), true},
		{"a tapscript's item that is too large", tap, nil, leaf(0xc0, items(1, maxWitnessItem+1)), false},
		{"a tapscript's item that is too large, the key is odd", tap, nil, leaf(0xc1, items(1, maxWitnessItem+1)), false},
		{"an item that is too large, of a later leaf version", tap, nil, leaf(0xc2, items(1, maxWitnessItem+1)), true},
		{"an empty control block", tap, nil, items(1, 1, 0), false},
		{"an annex", tap, nil, append(items(64), []byte{txscript.TaprootAnnexTag}), false},
		{"a signature that looks like an annex", tap, nil, wire.TxWitness{{txscript.TaprootAnnexTag}}, true},

		{"no program", opener, nil, items(1), false},
		{"an anchor", []byte{txscript.OP_1, 2, 0x4e, 0x73}, nil, items(1), false},
	} {
		in := &wire.TxIn{Witness: c.w}
		if c.redeem != nil { // it is what is pushed last
			in.SignatureScript = append([]byte{txscript.OP_0, 1, 7, txscript.OP_16}, push(c.redeem)...)
		}
		if got := oddWitness(in, c.script); (got == "") != c.ok {
			t.Errorf("%s: odd is %q", c.why, got)
		}
	}
}

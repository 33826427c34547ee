package pool

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/chain"
)

// Each rule, broken by a transaction that is good otherwise.
func TestRules(t *testing.T) {
	const rich = 10_000_000
	for _, c := range []struct {
		name   string
		change func(r *rig, tx *wire.MsgTx)
		code   chain.TxCode
		reason string
	}{
		{"it is good", func(*rig, *wire.MsgTx) {}, chain.TxOK, ""},

		{"it has no inputs", func(_ *rig, tx *wire.MsgTx) { tx.TxIn = nil }, chain.TxInvalid, "bad-txns-vin-empty"},
		{"it has no outputs", func(_ *rig, tx *wire.MsgTx) { tx.TxOut = nil }, chain.TxInvalid, "bad-txns-vout-empty"},
		{"it is larger than a block", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].PkScript = make([]byte, 1_000_000) }, chain.TxInvalid, "bad-txns-oversize"},
		{"an output is less than nothing", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = -1 }, chain.TxInvalid, "bad-txns-vout-negative"},
		{"an output is more than all money", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = 21e14 + 1 }, chain.TxInvalid, "bad-txns-vout-toolarge"},
		{"the outputs are more than all money", func(_ *rig, tx *wire.MsgTx) {
			tx.TxOut[0].Value = 21e14
			tx.AddTxOut(&wire.TxOut{Value: 21e14, PkScript: anyone})
		}, chain.TxInvalid, "bad-txns-txouttotal-toolarge"},
		{"it spends the same twice", func(_ *rig, tx *wire.MsgTx) { tx.AddTxIn(tx.TxIn[0]) }, chain.TxInvalid, "bad-txns-inputs-duplicate"},
		{"one of its inputs is a coinbase's", func(_ *rig, tx *wire.MsgTx) {
			tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}})
		}, chain.TxInvalid, "bad-txns-prevout-null"},
		{"it is a coinbase", func(_ *rig, tx *wire.MsgTx) {
			tx.TxIn[0] = &wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}, SignatureScript: []byte{1, 1}}
		}, chain.TxInvalid, "coinbase"},
		{"it is a coinbase without a height", func(_ *rig, tx *wire.MsgTx) {
			tx.TxIn[0] = &wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: wire.MaxPrevOutIndex}}
		}, chain.TxInvalid, "bad-cb-length"},
		{"it spends more than it has", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = rich + 1 }, chain.TxInvalid, "bad-txns-in-belowout"},
		{"it spends a young coinbase", func(r *rig, tx *wire.MsgTx) {
			r.block()
			coinbase := r.chain.blocks[0].Transactions()[0]
			tx.TxIn[0].PreviousOutPoint = wire.OutPoint{Hash: *coinbase.Hash()}
		}, chain.TxEarly, "bad-txns-premature-spend-of-coinbase"},
		{"its inputs are more than all money", func(r *rig, tx *wire.MsgTx) {
			for _, c := range r.coins(2, 20e14) {
				tx.AddTxIn(&wire.TxIn{PreviousOutPoint: c.out})
			}
		}, chain.TxInvalid, "bad-txns-inputvalues-outofrange"},

		{"its version is not known", func(_ *rig, tx *wire.MsgTx) { tx.Version = 4 }, chain.TxPolicy, "version"},
		{"its version has rules that we lack", func(_ *rig, tx *wire.MsgTx) { tx.Version = 3 }, chain.TxPolicy, "version"},
		{"its time has not come", func(r *rig, tx *wire.MsgTx) {
			tx.LockTime, tx.TxIn[0].Sequence = uint32(r.chain.height()+1), 0xfffffffe
		}, chain.TxEarly, "non-final"},
		{"its time has just come", func(r *rig, tx *wire.MsgTx) {
			tx.LockTime, tx.TxIn[0].Sequence = uint32(r.chain.height()), 0xfffffffe
		}, chain.TxOK, ""},
		{"an input's time has not come", func(r *rig, tx *wire.MsgTx) { tx.TxIn[0].Sequence = 2 }, chain.TxEarly, "non-BIP68-final"},
		{"an input's time has just come", func(r *rig, tx *wire.MsgTx) { tx.TxIn[0].Sequence = 1 }, chain.TxOK, ""},
		{"it is large", func(_ *rig, tx *wire.MsgTx) {
			for range 3000 {
				tx.AddTxOut(&wire.TxOut{Value: 1000, PkScript: anyone})
			}
		}, chain.TxPolicy, "tx-size"},
		{"it is as small as a leaf of two hashes", func(_ *rig, tx *wire.MsgTx) {
			tx.TxOut[0].PkScript = []byte{txscript.OP_RETURN, 1, 1}
		}, chain.TxPolicy, "tx-size-small"},
		{"a signature script is large", func(_ *rig, tx *wire.MsgTx) {
			tx.TxIn[0].SignatureScript = append([]byte{txscript.OP_PUSHDATA2, 0x80, 0x06}, make([]byte, 0x680)...)
		}, chain.TxPolicy, "scriptsig-size"},
		{"a signature script calculates", func(_ *rig, tx *wire.MsgTx) {
			tx.TxIn[0].SignatureScript = []byte{txscript.OP_NOP}
		}, chain.TxPolicy, "scriptsig-not-pushonly"},
		{"an output's script is strange", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].PkScript = opener }, chain.TxPolicy, "scriptpubkey"},
		{"an output's script wants four keys", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].PkScript = multisig(1, 4) }, chain.TxPolicy, "scriptpubkey"},
		{"an output is dust", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = 329 }, chain.TxPolicy, "dust"},
		{"an output is just not dust", func(_ *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = 330 }, chain.TxOK, ""},
		{"it has two notes", func(_ *rig, tx *wire.MsgTx) {
			for range 2 {
				tx.AddTxOut(&wire.TxOut{PkScript: []byte{txscript.OP_RETURN, 1, 1}})
			}
		}, chain.TxPolicy, "multi-op-return"},
		{"its note is long", func(_ *rig, tx *wire.MsgTx) {
			note, _ := txscript.NewScriptBuilder().AddOp(txscript.OP_RETURN).AddData(make([]byte, 84)).Script()
			tx.AddTxOut(&wire.TxOut{PkScript: note})
		}, chain.TxPolicy, "scriptpubkey"},
		{"its note has two parts", func(_ *rig, tx *wire.MsgTx) {
			tx.AddTxOut(&wire.TxOut{PkScript: []byte{txscript.OP_RETURN, 1, 1, 1, 1}})
		}, chain.TxPolicy, "scriptpubkey"},
		{"an output is of a later witness version", func(_ *rig, tx *wire.MsgTx) {
			tx.AddTxOut(&wire.TxOut{Value: 1000, PkScript: append([]byte{txscript.OP_2, 32}, make([]byte, 32)...)})
			tx.TxOut[0].Value -= 1000
		}, chain.TxPolicy, "scriptpubkey"},
		{"an output is an anchor", func(_ *rig, tx *wire.MsgTx) {
			tx.AddTxOut(&wire.TxOut{Value: 240, PkScript: []byte{txscript.OP_1, 2, 0x4e, 0x73}})
			tx.TxOut[0].Value -= 240
		}, chain.TxOK, ""},

		{"a parent is missing", func(_ *rig, tx *wire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Hash[0]++ }, chain.TxOrphan, "bad-txns-inputs-missingorspent"},
		{"segwit is not active", func(r *rig, _ *wire.MsgTx) { r.chain.noSegwit = true }, chain.TxPolicy, "no-witness-yet"},
		{"it spends a strange script", func(r *rig, tx *wire.MsgTx) { r.pays(tx, opener, nil) }, chain.TxPolicy, "bad-txns-nonstandard-inputs"},
		{"it spends a script with 16 signatures", func(r *rig, tx *wire.MsgTx) {
			redeem := bytes.Repeat([]byte{txscript.OP_CHECKSIG}, 16)
			r.pays(tx, payToHash(redeem), push(redeem))
		}, chain.TxPolicy, "bad-txns-nonstandard-inputs"},
		{"it has too many signatures", func(r *rig, tx *wire.MsgTx) {
			for range 210 {
				tx.AddTxOut(&wire.TxOut{Value: 1000, PkScript: multisig(1, 1)})
			}
			tx.TxOut[0].Value -= 500_000
		}, chain.TxPolicy, "bad-txns-too-many-sigops"},
		{"it pays too little", func(r *rig, tx *wire.MsgTx) { tx.TxOut[0].Value = rich - 90 }, chain.TxPolicy, "min relay fee not met"},

		{"a script fails", func(r *rig, tx *wire.MsgTx) { tx.TxIn[0].Witness = wire.TxWitness{{txscript.OP_FALSE}} },
			chain.TxInvalid, "mandatory-script-verify-flag-failed (Witness program hash mismatch)"},
		{"the second script fails", func(r *rig, tx *wire.MsgTx) {
			in := &wire.TxIn{PreviousOutPoint: r.coinOf(1000, anyone).out, Witness: wire.TxWitness{{txscript.OP_FALSE}}, Sequence: wire.MaxTxInSequenceNum}
			tx.AddTxIn(in)
		}, chain.TxInvalid, "mandatory-script-verify-flag-failed (Witness program hash mismatch)"},
		{"a script's end is not clean", func(r *rig, tx *wire.MsgTx) {
			redeem := []byte{txscript.OP_TRUE, txscript.OP_TRUE}
			r.pays(tx, payToHash(redeem), push(redeem))
		}, chain.TxPolicy, "non-mandatory-script-verify-flag (Stack size must be exactly one after execution)"},
		{"a script uses what a fork may give a meaning", func(r *rig, tx *wire.MsgTx) {
			redeem := []byte{txscript.OP_NOP1, txscript.OP_TRUE}
			r.pays(tx, payToHash(redeem), push(redeem))
		}, chain.TxPolicy, "non-mandatory-script-verify-flag (NOPx reserved for soft-fork upgrades)"},
		{"somebody has taken the witness data away", func(r *rig, tx *wire.MsgTx) { tx.TxIn[0].Witness = nil },
			chain.TxWitness, "mandatory-script-verify-flag-failed (Witness program was passed an empty witness)"},
		{"somebody has added witness data", func(r *rig, tx *wire.MsgTx) {
			redeem := []byte{txscript.OP_TRUE}
			r.pays(tx, payToHash(redeem), push(redeem))
			tx.TxIn[0].Witness = wire.TxWitness{{1}}
		}, chain.TxWitness, "bad-witness-nonstandard"},
		{"the witness data is large", func(r *rig, tx *wire.MsgTx) { tx.TxIn[0].Witness = wire.TxWitness{make([]byte, 81), opener} },
			chain.TxWitness, "bad-witness-nonstandard"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{})
			tx := spend(10_000, 1, r.coins(1, rich)...)
			c.change(r, tx)
			r.refused(tx, c.code, c.reason, c.name)
			test := r.offer(Offer{Tx: tx, Test: true})
			if want := c.reason; c.code != chain.TxOK && test.Reason != want {
				t.Errorf("the test alone says %q, want %q", test.Reason, want)
			}
			hash := tx.TxHash()
			if r.pool.cfg.HashCache.ContainsHashes(&hash) && !r.has(tx) {
				t.Error("hashes are kept of what is not in the pool")
			}
			if r.pool.rules.Count() != 0 {
				t.Error("btcd's pool is not empty")
			}
			check(t, r.pool)
		})
	}
}

// Every text that the table knows is one that btcd says.
func TestEveryTextIsProvoked(t *testing.T) {
	r := newRig(t, Config{})
	good := func() *wire.MsgTx { return spend(10_000, 1, r.coins(1, 10_000_000)...) }
	said := map[string]bool{}
	note := func(err error) {
		if err == nil {
			t.Error("a broken rule was kept")
			return
		}
		for _, text := range texts {
			if strings.Contains(err.Error(), text.part) {
				said[text.part] = true
				return
			}
		}
		t.Errorf("btcd says %q, which the table does not know", err)
	}
	ask := func(change func(tx *wire.MsgTx)) {
		tx := good()
		change(tx)
		bt := btcutil.NewTx(tx)
		if err := blockchain.CheckTransactionSanity(bt); err != nil {
			note(err)
			return
		}
		if err := mempool.CheckTransactionStandard(bt, r.chain.height(), r.now, dustFee, maxVersion); err != nil {
			note(err)
			return
		}
		r.pool.view, _ = r.chain.FetchUtxoView(bt)
		_, err := blockchain.CheckTransactionInputs(bt, r.chain.height(), r.pool.view, r.pool.cfg.Params)
		if err == nil {
			_, _, err = r.pool.rules.MaybeAcceptTransaction(bt, true, true)
		}
		note(err)
	}
	ask(func(tx *wire.MsgTx) { tx.TxOut[0].Value = -1 })
	ask(func(tx *wire.MsgTx) {
		tx.TxOut[0].Value = 21e14
		tx.AddTxOut(&wire.TxOut{Value: 21e14, PkScript: anyone})
	})
	ask(func(tx *wire.MsgTx) {
		for _, c := range r.coins(2, 20e14) {
			tx.AddTxIn(&wire.TxIn{PreviousOutPoint: c.out})
		}
	})
	ask(func(tx *wire.MsgTx) { tx.Version = 9 })
	ask(func(tx *wire.MsgTx) { tx.LockTime, tx.TxIn[0].Sequence = 400_000_000, 0 })
	ask(func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = make([]byte, 200_000) })
	ask(func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript = make([]byte, 2000) })
	ask(func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript = []byte{txscript.OP_NOP} })
	ask(func(tx *wire.MsgTx) { tx.TxOut[0].Value = 1 })
	ask(func(tx *wire.MsgTx) {
		for range 2 {
			tx.AddTxOut(&wire.TxOut{PkScript: []byte{txscript.OP_RETURN}})
		}
	})
	ask(func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = multisig(1, 5) })
	ask(func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = opener })
	ask(func(tx *wire.MsgTx) { r.pays(tx, opener, nil) })
	ask(func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = 100 })
	ask(func(tx *wire.MsgTx) {
		for range 210 {
			tx.AddTxOut(&wire.TxOut{Value: 1000, PkScript: multisig(1, 1)})
		}
		tx.TxOut[0].Value -= 500_000
	})
	r.chain.noSegwit = true
	ask(func(*wire.MsgTx) {})
	for _, text := range texts {
		if !said[text.part] {
			t.Errorf("nothing makes btcd say %q", text.part)
		}
	}
}

// What btcd does not call a broken rule means that the database has failed.
func TestADatabaseThatFails(t *testing.T) {
	r := newRig(t, Config{})
	tx := spend(1000, 1, r.coins(1, 100_000)...)
	r.chain.broken = errors.New("the disk is gone")
	if _, err := r.pool.Accept(Offer{Tx: tx}); !errors.Is(err, r.chain.broken) {
		t.Errorf("the error is %v", err)
	}
	if v, err := asRefusal(blockchain.RuleError{ErrorCode: 9999, Description: "new"}); err != nil || v.code != chain.TxPolicy {
		t.Errorf("a rule that nobody knows yet is %+v, %v: it must harm nobody", v, err)
	}
}

// The same transaction twice, with other witness data, and after a block had it.
func TestKnown(t *testing.T) {
	r := newRig(t, Config{})
	coins := r.coins(2, 100_000)
	tx := spend(1000, 1, coins[0])
	r.accept(tx)
	r.refused(tx, chain.TxKnown, "txn-already-in-mempool", "again")
	other := tx.Copy()
	other.TxIn[0].Witness = wire.TxWitness{{1}, {txscript.OP_DROP, txscript.OP_TRUE}}
	r.refused(other, chain.TxPolicy, "txn-same-nonwitness-data-in-mempool", "with other witness data")
	r.block(tx)
	r.refused(tx, chain.TxPolicy, "txn-already-known", "after a block had it")
	r.block(spend(1000, 1, outputs(tx)...))
	r.refused(tx, chain.TxOrphan, "bad-txns-inputs-missingorspent", "after a block had its child too")
}

// A long witness does not make a long answer.
func TestDetailIsBounded(t *testing.T) {
	r := newRig(t, Config{})
	tx := spend(100_000, 1, r.coins(1, 1_000_000)...)
	tx.TxIn[0].Witness = wire.TxWitness{bytes.Repeat([]byte{txscript.OP_NOP}, 3000)}
	v := r.offer(Offer{Tx: tx})
	if v.Code != chain.TxInvalid || len(v.Detail) > maxDetail+20 {
		t.Errorf("%v, %d bytes of detail", v.Code, len(v.Detail))
	}
}

// A signature is verified once: the cache that the chain looks at has it. One that is
// wrong is the sender's fault.
func TestSignatures(t *testing.T) {
	r := newRig(t, Config{})
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	pub := key.PubKey().SerializeCompressed()
	script := append([]byte{txscript.OP_0, 20}, address.Hash160(pub)...)
	c := r.coinOf(100_000, script)
	tx := spend(1000, 1, c)
	sign(t, tx, 0, c.value, script, key)
	bad := tx.Copy()
	bad.TxOut[0].Value--
	r.refused(bad, chain.TxInvalid, "mandatory-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)", "a signature of something else")
	r.accept(tx)
	sig := tx.TxIn[0].Witness[0]
	hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(script, c.value))
	digest, err := txscript.CalcWitnessSigHash(script, hashes, txscript.SigHashAll, tx, 0, c.value)
	if err != nil {
		t.Fatal(err)
	}
	if !r.pool.cfg.SigCache.Exists(chainhash.Hash(digest), sig[:len(sig)-1], pub) {
		t.Error("the chain would verify the signature again")
	}
}

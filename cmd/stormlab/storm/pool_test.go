package storm

import (
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"acyclic/integration/chaingen"
)

// TestPayerSpendsWhatItHas: each transaction spends an unspent output of the
// wallet. Chains end at their limit, until blocks confirm what leads to a coin.
func TestPayerSpendsWhatItHas(t *testing.T) {
	_, coins := Base{Blocks: 105, Coins: 1_000}.chain(1)
	l := newLedger()
	p := &payer{ledger: l, fee: txFee, spare: coins[3:5],
		purse: purse{wallet: chaingen.NewWallet("stormlab"), coins: coins[:3], chain: make([]int, 3)}}
	spent := map[wire.OutPoint]bool{}
	var mined []*entry
	for range 2 {
		for {
			msgs := p.next(1)
			if len(msgs) == 0 {
				break
			}
			from := msgs[0].(*wire.MsgTx).TxIn[0].PreviousOutPoint
			if spent[from] {
				t.Fatalf("after %d: %v is spent twice", len(spent), from)
			}
			spent[from] = true
		}
		mined = mined[:0]
		for _, e := range l.open {
			if e.fate == allowed {
				t.Errorf("%v is not demanded", e.txid)
			} else if e.fate == 0 {
				mined = append(mined, e)
			}
		}
		block := wire.MsgBlock{Header: wire.BlockHeader{Nonce: uint32(len(spent))}}
		l.confirm(block.BlockHash(), int32(len(spent)), mined)
		for i := range listeners {
			l.onBlock(i, block.BlockHash())
		}
	}
	// Each turn that was to keep one found a spare coin.
	if want := 2 * 3 * longestChain; len(spent) < want || len(spent) > want+2 {
		t.Errorf("%d were spent, want %d and those kept", len(spent), want)
	}
}

// TestDivideGivesEachCoinOnce: two kinds of peers never spend the same coin.
func TestDivideGivesEachCoinOnce(t *testing.T) {
	_, coins := Base{Blocks: 105, Coins: 2_000}.chain(1)
	p := divide(coins, rand.New(rand.NewPCG(1, 1)))
	seen := map[wire.OutPoint]bool{}
	for name, some := range map[string][]chaingen.Coin{
		"pay": p.pay, "fill": p.fill, "chain": p.chain, "replace": p.replace, "announce": p.announce, "forge": p.forge,
	} {
		if len(some) < 100 {
			t.Errorf("%s has %d coins", name, len(some))
		}
		for _, coin := range some {
			if seen[coin.OutPoint] {
				t.Fatalf("%v is twice there", coin.OutPoint)
			}
			seen[coin.OutPoint] = true
		}
	}
}

// TestForgedIsInvalid: the script engine refuses what is forged and takes what is
// not. With a witness, both have the same txid.
func TestForgedIsInvalid(t *testing.T) {
	_, coins := Base{Blocks: 105, Coins: 1_000}.chain(1)
	w := chaingen.NewWallet("stormlab")
	for name, coin := range map[string]chaingen.Coin{"plain": coins[0], "witness": coins[len(coins)-1]} {
		tx, _ := w.Split(coin, 1, 1_000)
		bad := forged(tx, rand.New(rand.NewPCG(1, 1)))
		if err := execute(tx, coin); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if execute(bad, coin) == nil {
			t.Errorf("%s: the forged one is valid", name)
		}
		if tx.HasWitness() != (name == "witness") || tx.HasWitness() && bad.TxHash() != tx.TxHash() {
			t.Errorf("%s: witness %v, txids %v and %v", name, tx.HasWitness(), tx.TxHash(), bad.TxHash())
		}
	}
}

func execute(tx *wire.MsgTx, coin chaingen.Coin) error {
	prev := txscript.NewCannedPrevOutputFetcher(coin.Out.PkScript, coin.Out.Value)
	vm, err := txscript.NewEngine(coin.Out.PkScript, tx, 0, txscript.StandardVerifyFlags, nil,
		txscript.NewTxSigHashes(tx, prev), coin.Out.Value, prev)
	if err != nil {
		return err
	}
	return vm.Execute()
}

// TestOnlySentIsNotStrange: an announcement of what was never sent as valid
// counts, before and after other transactions have settled.
func TestOnlySentIsNotStrange(t *testing.T) {
	l := newLedger()
	e := l.enter(&wire.MsgTx{LockTime: 1}, kept)
	inv := func(tx *wire.MsgTx) []*wire.InvVect {
		hash := tx.TxHash()
		return []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &hash)}
	}
	tx := e.tx
	for i := range listeners {
		if ask := l.onInv(i, inv(tx)); len(ask.InvList) != 1 {
			t.Errorf("asked for %d", len(ask.InvList))
		}
		l.onTx(i, tx)
	}
	l.settle()
	l.onInv(0, inv(tx)) // again, and late
	if seen := l.Relayed(); !seen.Good() || seen.Announced != listeners || len(l.open) > 0 {
		t.Errorf("%+v, %d open", *seen, len(l.open))
	}
	l.onInv(0, inv(&wire.MsgTx{LockTime: 2}))
	if seen := l.Relayed(); seen.Good() || seen.Strange != 1 {
		t.Errorf("%+v", *seen)
	}
}

// TestAnnouncedAndNotServedIsNotGood: an announcement alone brings nothing.
func TestAnnouncedAndNotServedIsNotGood(t *testing.T) {
	l := newLedger()
	hash := l.enter(&wire.MsgTx{LockTime: 1}, kept).txid
	for i := range listeners {
		l.onInv(i, []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &hash)})
	}
	if seen := l.Relayed(); seen.Good() || seen.Unserved != listeners || seen.Missing != 0 {
		t.Errorf("%+v", *seen)
	}
}

// TestAParentIsMinedThoughEverybodyHasIt: a block that left it out would have
// children without their parent.
func TestAParentIsMinedThoughEverybodyHasIt(t *testing.T) {
	l := newLedger()
	e := l.enter(&wire.MsgTx{LockTime: 1}, mined)
	for i := range listeners {
		l.onInv(i, []*wire.InvVect{wire.NewInvVect(wire.InvTypeTx, &e.txid)})
		l.onTx(i, e.tx)
	}
	l.confirm(wire.NewMsgTx(1).TxHash(), 1, nil) // a block in between
	if txs, _ := l.due(e.sent.Add(mineAfter)); len(txs) != 1 {
		t.Errorf("%d are due", len(txs))
	}
}
